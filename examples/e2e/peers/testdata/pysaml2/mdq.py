"""pysaml2 as a client of a metadata query service.

    mdq.py --xmlsec FILE --cert FILE [--quote] BASE-URL ENTITY-ID...

Prints a JSON object: for each entity ID its sign-on address by HTTP-Redirect,
names and supported categories, or why there is none. The key of each entity is its SHA-1,
or with --quote its percent-encoded entity ID.
"""
import argparse
import json
from urllib.parse import quote

from saml2.attribute_converter import ac_factory
from saml2.config import SPConfig
from saml2.mdstore import MetadataStore


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--xmlsec", required=True)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--quote", action="store_true")
    parser.add_argument("base")
    parser.add_argument("ids", nargs="+")
    args = parser.parse_args()
    config = SPConfig().load({"entityid": "https://sp.example", "xmlsec_binary": args.xmlsec})
    store = MetadataStore(ac_factory(), config)
    how = {"entity_transform": lambda entity_id: quote(entity_id, safe="")} if args.quote else {}
    store.load("mdq", url=args.base, cert=args.cert, **how)
    (service,) = store.metadata.values()
    out = {}
    for entity_id in args.ids:
        try:
            service[entity_id]  # the store hides why there is none
            out[entity_id] = {
                "sso": store.single_sign_on_service(entity_id)[0]["location"],
                "names": sorted(store.mdui_uiinfo_display_name(entity_id)),
                "categories": store.supported_entity_categories(entity_id),
            }
        except Exception as error:
            out[entity_id] = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(out))


main()
