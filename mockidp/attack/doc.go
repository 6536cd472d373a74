// Package attack is a catalogue of hostile SAML responses. It is test material:
// nothing in it belongs into a product.
//
// The catalogue has 188 rows, each with an id, such as A01: see [RowOf]. [Cases]
// holds those that one response can show, most of them in several variants, as
// small changes to a freshly made good response. Every case says what must
// become of it: refused, and for which reason, or accepted, and with which
// values. Every case has a twin: the same document without the attack, which
// must be accepted. A service provider that refuses everything is no better than
// one that refuses nothing, and one that refuses for the wrong reason is only
// lucky. [MetadataCases] holds the metadata of identity providers that is to be
// refused, or to be read whatever it looks like.
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
// Where an attack is on the shape of a message and not on its cryptography, the
// message is signed with the identity provider's own key after it was changed.
// So nothing but the one rule under attack stands between it and acceptance.
//
// Package mockidp/hostile has a mock identity provider send them. Package
// mockidp/attack/run sends them to any service provider over HTTP, and with them
// the rows that no single document can show.
//
// Signing stands on goxmldsig and etree, encryption on the standard library;
// neither shares code with what they test.
package attack
