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
// The package keeps no state between calls, reads no clock but Config.Now, doesn't
// use HTTP, and imports only the standard library. Sign-in also needs records: of
// each browser's requests, and of the assertions that were used. Package acs keeps
// them. Use this package directly only if you keep these records yourself.
//
// # What is accepted
//
// A samlp:Response in base64 (white space allowed), with exactly one assertion. The
// Response, its assertion or both are signed: RSA of 2048 bits or more (PKCS #1
// v1.5, or PSS with the algorithm names that fix its parameters, RFC 9231 2.3.10) or
// ECDSA on P-256, P-384 or P-521 (r followed by s, RFC 9231 2.3.6), with SHA-256,
// SHA-384 or SHA-512. Config.WantAssertionsSigned and Config.WantResponsesSigned
// require a signature on the assertion, on the Response, or on both.
// Canonicalisation is exclusive, with or without a PrefixList. The variant with
// comments is accepted if there are none (Core 5.4.3). Inclusive canonicalisation is
// refused, in SignedInfo too: its result depends on the namespace declarations and
// xml: attributes of ancestors, which are not signed.
//
// The assertion, its NameID and its attributes may be encrypted with AES-GCM, and
// the key with RSA-OAEP to one of Config.DecryptionKeys. Both algorithm names of
// RSA-OAEP are accepted, with SHA-1, SHA-256, SHA-384 or SHA-512, and with MGF1 over
// any of these if the name allows it. AES-CBC is accepted inside a verified
// signature, elsewhere only with InsecureAllowUnauthenticatedCBC. RSA 1.5 is
// accepted only with InsecureAllowRSA15, and 3DES never.
//
// # Single logout
//
// With Config.Logout, [ServiceProvider.NewLogoutRequest] asks an identity provider to end its session, and
// [ServiceProvider.VerifyLogoutRequest] verifies a request of it to end ours; the answers are made by
// [ServiceProvider.NewLogoutResponse] and verified by [ServiceProvider.VerifyLogoutResponse]. Messages go by
// HTTP-Redirect, HTTP-POST or SOAP and are always signed, in both directions: with HTTP-Redirect over the octets of the
// query as they were received (Bindings 3.4.4.1), otherwise as a Response is. All messages of an identity provider have
// one Destination, because a service provider has one SingleLogoutService for each binding. An answer names the Region
// that asked.
//
// # Artifacts
//
// With [Endpoint].ArtifactIndex, an identity provider may send the browser with an artifact instead of the response
// (HTTP-Artifact, Bindings 3.6). [ServiceProvider.ParseArtifact] finds the identity provider and its address,
// [ServiceProvider.NewArtifactResolve] makes the signed request, and [ServiceProvider.VerifyArtifactResponse] verifies
// the answer by the checks below. An address is used only if the metadata of that identity provider has it. What
// arrived by TLS is as untrusted as what the browser posts.
//
// # Attribute queries
//
// [ServiceProvider.NewAttributeQuery] asks the attribute authority of a user's identity provider for attributes, by
// SOAP (Profiles 6), and [ServiceProvider.VerifyAttributeAnswer] verifies the answer: signed, for this query, about the
// user who was asked about, and for us. Its keys are those of that role in the metadata. An [AttributeAnswer] is no
// [Assertion], and its message is refused as a sign-in. An attribute authority with an entity ID of its own is not
// asked.
//
// # What is left out
//
//   - The HTTP-POST-SimpleSign binding: a response by it is refused as unsigned, because its XML has no signature.
//   - Enhanced clients (ECP) and the reverse SOAP binding (PAOS): sign-in is for browsers.
//   - Artifacts of our own: our messages are short enough for HTTP-Redirect and HTTP-POST.
//   - ManageNameID (Core 3.6): a NameID that changes at the identity provider is another user here.
//   - Holder of key (SAML V2.0 Holder-of-Key Web Browser SSO Profile): confirmations other than bearer are ignored.
//   - Asynchronous logout (SAML V2.0 Asynchronous Single Logout Profile Extension): each request is answered.
//
// # Order of the checks
//
//  1. Base64, size, UTF-8; no base64 in SOAP. Then the document is parsed, once: well-formedness,
//     depth, and numbers of nodes, attributes and namespaces ([Limits]). A DOCTYPE,
//     a processing instruction, a comment inside a text, a relative namespace name
//     and a duplicate ID are refused. Parsing stops at a root other than Response,
//     and after a thousand elements that SAML doesn't define. The cost is linear in
//     the size.
//  2. An ArtifactResponse has the status Success and one message, a Response of the identity
//     provider that was asked. The Response has only the children that the schema allows. Its status is
//     Success, without nested codes. The whole document has exactly one assertion, a
//     child of the Response.
//  3. Every Signature is where the schema allows one: in the ArtifactResponse, the
//     Response or the assertion, right after the Issuer. It has the form that SAML requires: one
//     Reference, to its parent; the enveloped-signature transform and exclusive
//     canonicalisation; no Object, no parameters.
//  4. Every Signature verifies with a key from the identity provider's metadata. The
//     digest is checked first, which needs no key, then the signature with each key
//     of its type. KeyInfo is never read. From here on, values are read from the
//     nodes whose canonical form was hashed. There is no second parse.
//  5. An encrypted assertion is verified in one of two orders. If the Response is
//     signed, its signature over the ciphertext is verified first; that of an
//     ArtifactResponse counts as one, too. Then the
//     assertion is decrypted, and its own signature, if any, must verify too. If the
//     Response is unsigned, the assertion is decrypted, and must have its own
//     signature. The plaintext is parsed by the same parser with the same limits, in
//     its namespace context. It must be one assertion with no other inside, and its
//     IDs must be unique in the message. Form and algorithms are checked before a
//     private key is used. A private key is used at most eight times for one
//     encrypted element and 64 times for a message. If there are several
//     EncryptedKeys, those whose Recipient is our entity ID are tried first. In an
//     unsigned Response only two are tried, because an attacker can send any number.
//     An identity provider that encrypts for more recipients must name them, or sign
//     the Response. An EncryptedID and EncryptedAttributes are decrypted after the
//     assertion's signature is verified.
//  6. The rules, each in its own function that names its section of the
//     specifications: versions, IDs, issuers, Recipient, Destination, InResponseTo,
//     every instant, audiences, conditions, the subject, the authentication, the
//     session.
//
// The function verify in verify.go calls each step by name. Each stage returns a
// type that only that stage creates: a message (parsed, not verified), a proof (the
// elements that verified signatures cover), the claims (the values of those
// elements), the [Assertion]. The rules are methods of claims, so they can't run on
// unverified values. [ServiceProvider.Explain] reports on every step.
//
// # The identity provider's metadata
//
// [ParseIdPMetadata] uses the same parser. It validates only the values that it
// uses, by their types in XML Schema. [IdP.Warnings] lists unusable ones. Keys are
// trusted, not certificates: the dates, chain and defects of a certificate don't
// matter. A KeyInfo describes one key. If it has a chain of certificates, the key is
// that of the leaf.
//
// Metadata and [IdPPolicy] only narrow what is accepted. A scope in the metadata
// (shibmd:Scope) restricts the values of attributes such as eduPersonPrincipalName
// to the identity provider's own scopes. Algorithms in it restrict how requests are
// signed.
//
// # Our own metadata
//
// [ServiceProvider.Metadata] has the ACS URLs and the certificates. [Config].About adds
// what users and operators read: names, logos, an organization and contacts.
// Config.EntityAttributes and AttributeConsumingServices say which attributes we need
// and why. The algorithms that it lists are those that Verify accepts. With
// Config.SignMetadata it is signed. While a key is replaced, it has the certificates of
// both (Config.OtherCertificates, OtherEncryptionCertificates).
//
// # Several identity providers
//
// With Config.IdPs the Issuer of the message, which is not verified yet, selects the
// identity provider. Then everything else is as with one: the signatures must verify
// with the keys of this identity provider, and the signed Issuers must be its entity
// ID. The ID of a request has a tag of the identity provider that it was made to, so
// another one can't answer it, whatever it signs: that is refused with ReasonIdP. A
// name in a message never causes a fetch ([IdPs]).
//
// # Requests
//
// [RequestOptions] asks for as much as the caller wants. [RequestRecord] keeps what an
// answer can be held to: ForceAuthn, AuthnContext, the NameID's Format and
// SPNameQualifier, and the Subject. [Assertion.CheckRequest] compares. Scoping and the
// index of an AttributeConsumingService are advice. Extensions are parsed by the same
// strict reader, and written in canonical form, so they can't change the rest of the
// request. Parameters such as login_hint are encoded, and can't have the name of one of
// SAML's own.
//
// # Attributes
//
// A [Decoder] copies the attributes of a verified assertion into a struct. It compares
// Names, never FriendlyNames, and refuses several values where the program has room for
// one. [Assertion.SubjectID] and [Assertion.PairwiseID] return identifiers to store.
//
// If attributes are missing, [Error].Attributes names all of them. Whom the user can ask
// is in the identity provider's metadata ([IdP.Description]): contacts, and a page whose
// address [ServiceProvider.ErrorURL] returns. Package acs has a page with both.
//
// # Why families of attack fail
//
// Signature wrapping needs a second assertion, or a signature that doesn't refer to
// its parent. Steps 2 and 3 refuse both, and step 4 reads the same tree that it
// verified. Parsers disagree about comments, entities, odd names and duplicate
// attributes; step 1 refuses them. A key in the message is never read. A response
// for another Region has another Recipient, which is signed.
//
// Encryption doesn't authenticate the sender, because our public key is published.
// So an encrypted assertion without a signature is refused. After a private-key
// operation there is only one error: a wrong key, invalid padding, an invalid tag
// and invalid XML look the same, after the same number of operations. If an attacker
// can change the ciphertext (CBC that no signature covers, if you allow it), that
// holds until a signature inside verifies. The duration of failures still differs,
// so that field's name begins with Insecure. Nothing is fetched: a CipherReference,
// and a RetrievalMethod to anything outside the message, are refused.
//
// # Regions
//
// All endpoints share the entity ID, so an assertion for one Region has the right
// audience in all of them. The Recipient distinguishes them: it must be the URL that
// the response was posted to. The ID of a request begins with a tag of its ACS URL.
// If that URL is not listed at the identity provider, the response is sent to the
// default URL. There the tag shows the mistake, and the response is refused with
// ReasonWrongRegion.
package saml
