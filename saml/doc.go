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
//	assertion, err := sp.Verify(form, saml.VerifyOptions{ACS: url, RequestIDs: []string{request.ID()}})
//
// The package keeps nothing between calls, reads no clock but Config.Now, doesn't
// use HTTP, and imports only the standard library. Package acs keeps the records
// that sign-in needs: the browser that asked, what was asked, and which assertions
// were used. Use it, unless you keep those records yourself.
//
// # What is accepted
//
// A samlp:Response in base64 (white space allowed), with exactly one assertion. The
// Response, its assertion or both are signed: RSA of 2048 bits or more (PKCS #1 v1.5,
// or PSS by the names that fix its parameters, RFC 9231 2.3.10) or ECDSA on P-256,
// P-384 or P-521 (r followed by s, RFC 9231 2.3.6), with SHA-256, SHA-384 or SHA-512.
// Config.WantAssertionsSigned and Config.WantResponsesSigned require a signature in
// one place, or in both. Canonicalisation is exclusive, with or without a PrefixList;
// the variant with comments is accepted where there are none (Core 5.4.3). Inclusive
// canonicalisation is refused, in SignedInfo too: its result depends on the
// declarations and xml: attributes around an element, which are not signed.
//
// The assertion, its NameID and its attributes may be encrypted with AES-GCM, the
// key with RSA-OAEP (both names; SHA-1, SHA-256, SHA-384 or SHA-512, and MGF1 with
// any of them where the name allows it) to one of Config.DecryptionKeys. AES-CBC is
// accepted inside a verified signature, elsewhere only with
// InsecureAllowUnauthenticatedCBC; RSA 1.5 only with InsecureAllowRSA15; 3DES never.
//
// # Order of the checks
//
//  1. Base64, size, UTF-8. Then one reader reads the bytes once: well-formedness,
//     depth, and numbers of nodes, attributes and namespaces ([Limits]). No DOCTYPE,
//     no processing instruction, no comment inside a text, no relative namespace, no
//     duplicate ID. It stops at a root other than Response, and at a thousand
//     elements that SAML doesn't define. The cost is linear in the size.
//  2. The Response has only elements of the schema, its status is Success alone, and
//     the whole document has exactly one assertion, directly in it.
//  3. Every Signature is where the schema allows one (in the Response and in the
//     assertion, right after the Issuer), and has the one form that SAML allows: one
//     Reference, to the element around it; the enveloped-signature transform and
//     exclusive canonicalisation; no Object, no parameters.
//  4. Every Signature verifies with a key from the identity provider's metadata: the
//     digest first, which needs no key, then the signature with each key of its
//     kind. KeyInfo is never read. From here on values are read from the nodes whose
//     canonical form was hashed; there is no second parse.
//  5. Of an encrypted assertion steps 3 and 4 come in one of two orders. If the
//     Response is signed, its signature over the ciphertext is verified first; then
//     the assertion is decrypted, and a signature in it must verify too. If not, the
//     assertion is decrypted, and must be signed itself. The plaintext is read by the
//     same reader under the same limits, with the namespaces of its place; it is one
//     assertion with none in it, whose IDs are unique in the message. Form and
//     algorithms are checked before a private key is used. A private key is used at
//     most eight times for one encrypted element and 64 times for a message. Of
//     several EncryptedKeys those whose Recipient is our entity ID are tried first.
//     In a Response that is not signed only two are tried, because an attacker can
//     send one with any number; an identity provider that encrypts for more
//     recipients has to name them, or sign the Response. An EncryptedID and
//     EncryptedAttributes are decrypted after their assertion's signature.
//  6. The rules, each in its own function that names its section: versions, IDs,
//     issuers, Recipient, Destination, InResponseTo, every instant, audiences,
//     conditions, the subject, the authentication, the session.
//
// The function verify in verify.go calls each step by name. Each stage returns a
// type that only it makes: a message (read, not verified), a proof (the elements
// that verified signatures cover), the claims read from those, the [Assertion]. The
// rules are methods of claims, so none can run on anything that was not verified.
// [ServiceProvider.Explain] reports on every step.
//
// # The identity provider's metadata
//
// [ParseIdPMetadata] uses the same reader. It validates only what is used, by its
// type in XML Schema; [IdP.Warnings] lists what can't be used. Keys are trusted, not
// certificates: their dates, chains and defects don't count. A KeyInfo is about one
// key: that of the certificate that issued none of the others in it.
//
// # Why families of attack fail
//
// Signature wrapping needs a second assertion, or a signature over something else
// than the element around it: steps 2 and 3 refuse both. Step 4 reads the tree that
// it verified. Two parsers disagree about comments, entities, odd names or duplicate
// attributes: step 1 refuses them. A key in the message is never read. A response
// made for another Region names another Recipient, which is signed.
//
// Encryption doesn't show who wrote something, because our public key is published;
// so an encrypted assertion without a signature is refused. After a private-key
// operation there is one error: a wrong key, a bad padding, a bad tag and bad XML
// look the same, after the same number of operations. Where an attacker can change
// the ciphertext (CBC that no signature covers, if you allow it), that holds until a
// signature inside verifies. The time of each failure still differs, which is why
// that field is called Insecure. Nothing is fetched: a CipherReference, and a
// RetrievalMethod to anything outside the message, are refused.
//
// # Regions
//
// All endpoints share the entity ID, so an assertion for one Region has the right
// audience in all of them. The Recipient tells them apart: it must be the URL that
// the response was posted to. The ID of a request begins with a tag of the ACS URL
// that it was made for. A response that was sent to the default, because its own URL
// is not listed at the identity provider, is therefore refused with
// ReasonWrongRegion.
package saml
