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
// The package keeps nothing between calls, reads no clock but Config.Now, knows
// no HTTP, and imports nothing but the standard library. Package acs adds what
// needs memory: which browser asked, what was asked, and that no assertion is
// used twice. Use that, unless you keep those records yourself.
//
// # What is accepted
//
// A samlp:Response in base64 (white space allowed), with exactly one
// assertion, signed as a whole or in its assertion or both: RSA of 2048 bits or
// more (PKCS #1 v1.5, or PSS by the names that fix its parameters, RFC 9231
// 2.3.10) or ECDSA on P-256, P-384 or P-521 (r followed by s, RFC 9231 2.3.6),
// with SHA-256, SHA-384 or SHA-512. Config.WantAssertionsSigned and
// Config.WantResponsesSigned demand a signature in one place, or in both.
// Canonicalisation is exclusive, with a PrefixList or without; the variant that
// keeps comments is accepted where there are none (Core 5.4.3). Inclusive
// canonicalisation is refused everywhere, in SignedInfo too: what it makes of an
// element depends on the declarations and xml: attributes around it, which are
// not signed, and Core 5.4.3 recommends the exclusive one.
//
// The assertion may be encrypted, and so may its NameID and attributes: with
// AES-GCM of any key length, the key wrapped with RSA-OAEP (both names; SHA-1,
// SHA-256, SHA-384 or SHA-512, and MGF1 with any of them where the name allows
// it) to one of Config.DecryptionKeys. AES-CBC is accepted inside a signature
// that was verified, elsewhere only with InsecureAllowUnauthenticatedCBC; RSA
// 1.5 only with InsecureAllowRSA15; 3DES never.
//
// # In which order it is checked
//
//  1. Base64, size, UTF-8, and then one reader goes through the bytes once:
//     well-formedness, depth, and numbers of nodes, attributes and namespaces
//     ([Limits]). No DOCTYPE, no processing instruction, no comment inside a
//     text, no relative namespace, no duplicate ID. It stops at a root
//     that is no Response, and at a thousand elements that SAML doesn't have.
//     The cost grows with the size and with nothing else.
//  2. The Response holds what the schema has there, its status is Success and nothing else, and the whole
//     document holds exactly one assertion, directly in it.
//  3. Every Signature stands where one may stand (in the Response and in the
//     assertion, right after the Issuer), and has the one shape that SAML
//     allows: one Reference, to the element around it; the enveloped-signature
//     transform and exclusive canonicalisation; no Object, no parameters.
//  4. Every Signature holds under a key from the identity provider's metadata:
//     the digest first, which needs no key, then the signature under each key
//     of its kind. KeyInfo is never looked at. From here on values are read
//     from the very nodes whose canonical bytes went into the digest; there is
//     no second parse that could see something else.
//  5. Where the assertion is encrypted, steps 3 and 4 come in one of two orders,
//     and in no third. If the Response is signed, its signature is verified
//     first, over the ciphertext; then the assertion is decrypted, and a
//     signature in it must hold too. If the Response is not signed, the
//     assertion is decrypted, and must be signed itself. What was decrypted is
//     read by the same reader under the same limits, with the namespaces of the
//     place where it stood; it is one assertion with none in it, and its IDs
//     stand nowhere else in the message. Form and algorithms are checked before
//     a private key is used, and a private key is used at most eight times for
//     one encrypted element and 64 times for a message. Of several EncryptedKeys
//     those whose Recipient is our entity ID are tried first. In a Response that
//     is not signed only two are tried, because an attacker can send one with any
//     number; an identity provider that encrypts for more recipients has to name
//     them, or sign the Response. An EncryptedID and EncryptedAttributes are
//     decrypted once their assertion's signature holds.
//  6. The rules, each in a function of its own that names its section:
//     versions, IDs, issuers, Recipient, Destination, InResponseTo, every
//     instant, audiences, conditions, the subject, the authentication, the
//     session.
//
// The function verify in verify.go calls each step by name. Each stage returns a
// type that only it makes: a message (read, nothing proved), a proof (the elements
// that verified signatures cover), the claims read from those, the [Assertion]. A
// rule is a method of claims, so it can't be asked of anything unproved.
//
// [ServiceProvider.Explain] tells the same, rule by rule.
//
// # The identity provider's metadata
//
// [ParseIdPMetadata] reads it with the same reader. Only what is used decides, by
// its type in XML Schema; what can't be used is passed over and listed by
// [IdP.Warnings]. What is trusted is a key: a certificate around it is a
// container, whose dates, chain and oddities don't count. A KeyInfo is about one
// key: that of the certificate that issued none of the others in it.
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
// Encryption says nothing about who wrote something, because our public key is
// published; so an assertion that was encrypted and not signed is refused like
// one that was neither. What follows a private-key operation fails in one way:
// a wrong key, a bad padding, a bad tag and bad XML give the same error, after
// the same number of operations. Where the ciphertext can be changed by others
// (CBC that no signature covers, if you allow it) that goes on until a
// signature inside holds; how long each failure takes remains, which is why
// that field is called Insecure. Nothing is fetched: a CipherReference, and a
// RetrievalMethod to anything but an EncryptedKey beside the data, are refused.
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
