"""pysaml2 as a service provider. Beside what names the two sides and their
keys, its configuration is the default. A LogoutRequest that the library
answers with Success ends the session, as in its example."""
import os
import sys
from urllib.parse import parse_qs

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import host  # noqa: E402

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT  # noqa: E402
from saml2.client import Saml2Client  # noqa: E402
from saml2.config import SPConfig  # noqa: E402
from saml2.metadata import create_metadata_string  # noqa: E402


class SP:
    def __init__(self):
        self.config = SPConfig().load({
            "entityid": host.METADATA,
            "key_file": host.KEY,
            "cert_file": host.CERT,
            "encryption_keypairs": [{"key_file": host.KEY, "cert_file": host.CERT}],
            "xmlsec_binary": "/usr/bin/xmlsec1",
            "service": {"sp": {"endpoints": {
                "assertion_consumer_service": [(host.ACS, BINDING_HTTP_POST, 0), (host.ACS2, BINDING_HTTP_POST, 1)],
                "single_logout_service": [(host.BASE + "/logout", BINDING_HTTP_REDIRECT)],
            }}},
            "metadata": {"local": [host.IDP_METADATA]},
            # Which attributes there are is the identity provider's business.
            "allow_unknown_attributes": True,
        })
        self.client = Saml2Client(config=self.config)
        self.idp = next(iter(self.client.metadata.identity_providers()))

    def login(self, session, second):
        which = {"assertion_consumer_service_index": "1"} if second else {}
        request_id, info = self.client.prepare_for_authenticate(
            entityid=self.idp, relay_state="", binding=BINDING_HTTP_REDIRECT, **which)
        session.setdefault("outstanding", {})[request_id] = "/whoami"
        return dict(info["headers"])["Location"]

    def consume(self, session, form, _):
        response = self.client.parse_authn_request_response(
            form["SAMLResponse"], BINDING_HTTP_POST, outstanding=session.get("outstanding", {}))
        session["kept"] = response.name_id
        return response.get_subject().text

    def logout(self, session, query):
        form = {name: values[0] for name, values in parse_qs(query).items()}
        if session.get("kept") is None:
            raise ValueError("no session")
        info = self.client.handle_logout_request(
            form["SAMLRequest"], session["kept"], BINDING_HTTP_REDIRECT, relay_state=form.get("RelayState", ""))
        return dict(info["headers"])["Location"], not self.client.is_logged_in(session["kept"])

    def metadata(self):
        return create_metadata_string(None, config=self.config)


host.serve(SP())
