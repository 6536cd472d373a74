// Package saml is the protocol core of a SAML 2.0 service provider that has
// one entity ID and an ordered list of assertion consumer service (ACS) URLs,
// typically one for each Region.
//
//	idp, err := saml.ParseIdPMetadata(metadata)
//	sp, err := saml.New(saml.Config{
//		EntityID: "https://us-east-1.signin.example/platform/saml/d-9067f1a2b3",
//		ACS: []saml.Endpoint{ // ordered: the first is the default
//			{URL: "https://us-east-1.signin.example/platform/saml/acs/4455", Region: "us-east-1"},
//			{URL: "https://eu-central-1.signin.example/platform/saml/acs/4455", Region: "eu-central-1"},
//		},
//		IdP: idp,
//	})
//	request, err := sp.NewAuthnRequest(saml.RequestOptions{ACS: url})
//	assertion, err := sp.Verify(form, saml.Expect{ACS: url, RequestIDs: []string{request.ID()}})
//
// The package keeps nothing between calls, reads no clock but Config.Now, and
// knows no HTTP. Package acs adds what needs memory: which browser asked, what
// was asked, and that no assertion is used twice. Use that, unless you keep
// those records yourself.
//
// # What is accepted
//
// A samlp:Response in base64 (white space allowed), with exactly one
// assertion, signed as a whole or in its assertion or both, with RSA of 2048
// bits or more and SHA-256, SHA-384 or SHA-512. Encrypted assertions and
// ECDSA signatures are refused in this version, with ReasonEncrypted and
// ReasonAlgorithm.
//
// # In which order it is checked
//
//  1. Base64, size, UTF-8, well-formedness, depth, and numbers of nodes,
//     attributes and namespaces ([Limits]). No DOCTYPE, no processing
//     instruction, no comment inside a text, no relative namespace, no ID that
//     stands twice. Nothing so far costs more than reading the bytes.
//  2. It is a Response, its status is Success and nothing else, and the whole
//     document holds exactly one assertion, directly in it.
//  3. Every Signature stands where one may stand (in the Response and in the
//     assertion, right after the Issuer), and has the one shape that SAML
//     allows: one Reference, to the element around it; the enveloped-signature
//     transform and exclusive canonicalisation; no Object, no parameters.
//  4. Every Signature holds under a key from the identity provider's metadata.
//     KeyInfo is never looked at. From here on there is only what the
//     verifier gave back, read anew from the bytes that were digested.
//  5. The rules, each in a function of its own that names its section:
//     versions, IDs, issuers, Recipient, Destination, InResponseTo, every
//     instant, audiences, conditions, the subject, the authentication, the
//     session.
//
// [ServiceProvider.Explain] tells the same, rule by rule.
//
// # Why families of attack fail
//
// Signature wrapping needs a second assertion, or a signature over something
// else than the element around it: step 2 and 3 leave no room for either.
// Reading one tree and verifying another is what step 4 ends. Two parsers that
// disagree need comments, entities, odd names or doubled attributes: step 1
// refuses them. A key in the message is never looked at. A response made for
// another Region names another Recipient, and that is signed.
//
// # Regions
//
// All endpoints share the entity ID, so an assertion for one Region has the
// right audience in all of them. The Recipient tells them apart: it must be
// the very URL that the response was posted to. An ID of a request begins with
// a tag of the ACS URL that it was made for, so that a response which went to
// the default, because its own URL is not listed at the identity provider, is
// refused with ReasonWrongRegion instead of a riddle.
package saml
