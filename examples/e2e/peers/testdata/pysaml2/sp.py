"""pysaml2 as a service provider. Beside what names the two sides and their
keys, its configuration is the default."""
import os
import sys

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
            "service": {"sp": {"endpoints": {"assertion_consumer_service": [
                (host.ACS, BINDING_HTTP_POST, 0),
                (host.ACS2, BINDING_HTTP_POST, 1),
            ]}}},
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
        return response.get_subject().text

    def metadata(self):
        return create_metadata_string(None, config=self.config)


host.serve(SP())
