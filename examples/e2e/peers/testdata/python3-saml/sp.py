"""python3-saml as a service provider. Beside what names the two sides and their
keys, its configuration is the default, with "strict" on, which its manual says
must be set. Sessions are used as in its demos: the ID of the last request is
kept until the answer comes, and there need not have been one."""
import os
import sys
from urllib.parse import parse_qsl

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import host  # noqa: E402

from onelogin.saml2.auth import OneLogin_Saml2_Auth  # noqa: E402
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser  # noqa: E402
from onelogin.saml2.settings import OneLogin_Saml2_Settings  # noqa: E402

POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


class SP:
    def __init__(self):
        settings = {
            "strict": True,
            "sp": {
                "entityId": host.METADATA,
                "assertionConsumerService": {"url": host.ACS, "binding": POST},
                "singleLogoutService": {"url": host.BASE + "/logout", "binding": REDIRECT},
                "x509cert": host.read(host.CERT),
                "privateKey": host.read(host.KEY),
            },
        }
        idp = OneLogin_Saml2_IdPMetadataParser.parse(host.read(host.IDP_METADATA).encode())
        # The NameID's format that the metadata names first is for the one side;
        # merge_settings would make it this side's too.
        idp.get("sp", {}).pop("NameIDFormat", None)
        merged = OneLogin_Saml2_IdPMetadataParser.merge_settings(settings, idp)
        self.settings = OneLogin_Saml2_Settings(merged)

    def auth(self, path, form, query=""):
        return OneLogin_Saml2_Auth({
            "https": "off", "http_host": "127.0.0.1:%d" % host.PORT, "server_port": host.PORT,
            "script_name": path, "get_data": dict(parse_qsl(query, keep_blank_values=True)), "post_data": form,
            "query_string": query,
        }, self.settings)

    def login(self, session, _):
        auth = self.auth("/login", {})
        to = auth.login(return_to=host.BASE + "/whoami")
        session["request"] = auth.get_last_request_id()
        return to

    def consume(self, session, form, acs):
        auth = self.auth(acs[len(host.BASE):], form)
        auth.process_response(request_id=session.get("request"))
        if auth.get_errors() or not auth.is_authenticated():
            raise ValueError("%s: %s" % (auth.get_errors(), auth.get_last_error_reason()))
        session.pop("request", None)
        return auth.get_nameid()

    def logout(self, session, query):
        # As in its demos: the session that the cookie names ends.
        auth, ended = self.auth("/logout", {}, query), []
        to = auth.process_slo(request_id=session.get("logout"), delete_session_cb=lambda: ended.append(True))
        if auth.get_errors():
            raise ValueError("%s: %s" % (auth.get_errors(), auth.get_last_error_reason()))
        return to, bool(ended)

    def metadata(self):
        return self.settings.get_sp_metadata()


host.serve(SP())
