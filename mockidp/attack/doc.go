// Package attack is a catalogue of hostile SAML responses. It is test material:
// nothing in it belongs into a product.
//
// The catalogue has 188 rows, each with an ID such as A01: see [RowOf]. [Cases]
// lists those that one response can show, most of them in several variants. A case
// is a small change to a new good response. It has an expected outcome: refused,
// and for which reason, or accepted, and with which values. It also has a twin, the
// same document without the attack, which must be accepted: a service provider
// that refuses everything is not secure, and one that refuses for the wrong reason
// is only lucky. [MetadataCases] lists metadata of identity providers that must be
// refused, or read although it looks odd.
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
// An attack on the shape of a message, and not on its cryptography, is signed with
// the identity provider's own key after the change. So only the rule under attack
// can refuse it.
//
// Package mockidp/hostile makes a mock identity provider send the cases. Package
// mockidp/attack/run sends them to any service provider over HTTP, and also has the
// rows that no single document can show.
//
// Documents are signed with goxmldsig and etree, and encrypted with the standard
// library. They share no code with package saml.
package attack
