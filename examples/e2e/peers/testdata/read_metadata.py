"""pysaml2 reads metadata of a service provider, whose signature it verifies with xmlsec1.

    read_metadata.py --xmlsec FILE --cert FILE URL ENTITY-ID

Prints a JSON object with the fields of spReading, or fails if the signature does not verify
with the key of the certificate.
"""
import argparse
import json

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, BINDING_SOAP
from saml2.attribute_converter import ac_factory
from saml2.config import SPConfig
from saml2.mdstore import MetadataStore

ENTITY = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"


def texts(elements):
    return {e["lang"]: e["text"] for e in elements or []}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--xmlsec", required=True)
    parser.add_argument("--cert", required=True)
    parser.add_argument("url")
    parser.add_argument("entity")
    args = parser.parse_args()
    config = SPConfig().load({"entityid": "https://idp.example", "xmlsec_binary": args.xmlsec})
    store, entity = MetadataStore(ac_factory(), config), args.entity
    store.load("remote", url=args.url, cert=args.cert, node_name=ENTITY)
    (ui,) = store.mdui_uiinfo(entity)
    (logo,) = store.mdui_uiinfo_logo(entity)
    wanted = store.attribute_requirement(entity)
    organization = store[entity]["organization"]
    print(json.dumps({
        "acs": [
            {"location": e["location"], "index": int(e["index"]), "default": e.get("is_default") == "true"}
            for e in store.assertion_consumer_service(entity, BINDING_HTTP_POST)
        ],
        "logout": [
            binding + " " + e["location"]
            for binding in (BINDING_HTTP_REDIRECT, BINDING_HTTP_POST, BINDING_SOAP)
            for e in store.single_logout_service(entity, binding, "spsso") or []
        ],
        "signing": [c.replace("\n", "") for c in store.certs(entity, "spsso", "signing")],
        "encryption": [c.replace("\n", "") for c in store.certs(entity, "spsso", "encryption")],
        "names": texts(ui.get("display_name")),
        "descriptions": texts(ui.get("description")),
        "information": texts(ui.get("information_url")),
        "privacy": texts(ui.get("privacy_statement_url")),
        "logo": "{width}x{height} {text}".format(**logo),
        "required": [a["name"] for a in wanted["required"]],
        "optional": [a["name"] for a in wanted["optional"]],
        "entityAttributes": store.entity_attributes(entity),
        "organization": texts(organization["organization_name"]),
        "contacts": [
            " ".join([c["contact_type"], *(a[len("mailto:"):] for a in c["email_address"])])
            for c in store.contact_person_data(entity)
        ],
        "discovery": [e["location"] for e in store.discovery_response(entity)],
    }))


main()
