package main

const usage = `usage: samlcheck [flags] [FILE]

Says whether a captured SAML response would be accepted, and why, rule by rule.
The response is read from FILE, or from standard input if there is none or it
is "-". It can be
  - the SAMLResponse form value, in base64, or as a browser's tools show it
    with %2B for +,
  - a copied form body: SAMLResponse=...&RelayState=...,
  - a HAR file or an export of SAML-tracer: the last POST with a SAMLResponse
    is taken, or the one that -entry names,
  - the XML of the response.

Needed: -idp-metadata, or -idp-entity-id with -idp-cert; -entity-id; -acs;
-request-id or -unsolicited; -key for what is encrypted.

The verdict is the one of the flags given. For a rejected response the report
also lists each flag that would make a failed rule pass, what that flag gives
up, and each rule that no flag makes pass. The list is no advice: a flag that
gives up a check is for looking at an old capture, not for configuring a service.

Exit status: 0 accepted; 1 rejected, be it for bad base64 or bad XML; 2 wrong
usage or configuration, or a file that can't be read.

With -json the report is
  accepted             true or false
  reason, detail       of the first rule that failed; "" if accepted
  checks               [{rule, ok, detail}], in order
  assertion            null if rejected, or
    issuer, name_id {value, format}, session_index
    attributes         {name: [text, ...]}: the values that are text
    attribute_values   [{name, name_format, friendly_name, values}], where each
                       of values is {kind, text, xml}; kind is "text", "nil"
                       (xsi:nil) or "xml" (elements, written as XML)
  missing              [{flag, passes: [rule, ...], gives_up}]
  passes_with_missing  whether all of missing would get it accepted; false
                       where a -key is missing: what is in it is not known
  remaining            [{rule, reason, detail, hint}]: failed rules that no flag
                       passes
  unreached            whether rules were left that could not be looked at
  notes                [text, ...]: what else is worth knowing

flags:
`
