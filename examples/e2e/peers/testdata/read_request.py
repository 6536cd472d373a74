"""Says what pysaml2 reads in an AuthnRequest: read_request.py DOCUMENT."""
import json
import sys

from saml2.samlp import authn_request_from_string

with open(sys.argv[1], encoding="utf-8") as f:
    request = authn_request_from_string(f.read())
subject, policy, scoping = request.subject.name_id, request.name_id_policy, request.scoping
print(json.dumps({
    "subject": [
        subject.text, subject.format, subject.name_qualifier, subject.sp_name_qualifier, subject.sp_provided_id,
    ],
    "policy": [policy.format, policy.sp_name_qualifier],
    "idps": [entry.provider_id for entry in scoping.idp_list.idp_entry],
    "count": scoping.proxy_count,
    "requesters": [requester.text for requester in scoping.requester_id],
    "name": request.provider_name,
    "service": request.attribute_consuming_service_index,
    "extensions": [[e.namespace, e.tag, e.text] for e in request.extensions.extension_elements],
}))
