// Package attack is a catalogue of hostile SAML responses, metadata, logout messages, artifacts and answers by SOAP. It
// is for tests only.
// Don't use it in production code.
//
// The catalogue has 313 rows, each with an ID such as A01: see [RowOf]. [Cases]
// lists those that one response can show, most of them in several variants. A
// case is a small change to a new good response. Its expected outcome is either
// refused, with the allowed Reasons, or accepted, with the expected values.
// Each case has a twin, the same document without the attack, which must be
// accepted. Without that check, a service provider that refuses everything
// would pass. [MetadataCases] lists metadata of identity providers that must be
// refused, and unusual metadata that must be accepted. [LogoutCases] lists
// logout messages that must end no session, and unusual ones that must.
// [ArtifactCases] lists artifacts, and answers of the identity provider to an
// ArtifactResolve. [AttributeCases] lists answers to attribute queries.
//
//	params := attack.Params{
//		Issuer: idpEntityID, Audience: spEntityID, Recipient: acsURL,
//		RequestID: id, Now: time.Now(), Key: idpKey,
//	}
//	for _, c := range attack.Cases() {
//		hostile, err := c.Make(params) // hostile.SAMLResponse is what is posted
//		twin, err := c.Twin(params)
//	}
//
// If an attack changes the structure of a message and not its cryptography, the
// message is signed with the identity provider's key after the change. So only
// the rule under attack can refuse it.
//
// Package mockidp/hostile makes a mock identity provider send the cases.
// Package mockidp/attack/run sends them to any service provider over HTTP, and
// also has the attacks that need more than one document. Neither sends artifacts.
//
// Documents are signed with goxmldsig and etree, and encrypted with the standard
// library. They share no code with package saml.
package attack
