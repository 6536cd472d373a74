// Package attack is a catalogue of hostile SAML responses. It is test material:
// nothing in it belongs into a product.
//
// [Rows] lists the attacks by id. [Cases] holds those that one response can
// show, most of them in several variants, as small changes to a freshly made
// good response. Every case says what must become of it: refused, and for which
// reason, or accepted, and with which values. Every case has a twin: the same
// document without the attack, which must be accepted. A service provider that
// refuses everything is no better than one that refuses nothing, and one that
// refuses for the wrong reason is only lucky. [MetadataCases] holds the metadata
// of identity providers that is to be refused, or to be read whatever it looks
// like.
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
// Package mockidp/hostile has a mock identity provider send them.
//
// [Run] attacks a service provider over HTTP, in whatever language it is
// written, with all of the catalogue: the documents, and scripts for the rows
// that take several messages or browsers. It needs to know where a sign-in
// begins, where responses go, and which page says who is signed in:
//
//	idp, err := attack.NewIdP() // the service provider is to trust idp.Metadata()
//	report, err := attack.Run(ctx, attack.Target{
//		Login: "http://localhost:8080/login", ACS: "http://localhost:8080/saml/acs", EntityID: "http://localhost:8080/saml",
//		Probe: "http://localhost:8080/", Identity: regexp.MustCompile(`Signed in as ([^<]+)`), IdP: idp,
//	})
//	os.Exit(report.Exit())
//
// A service provider may fall over a message. Then the run waits, for as long as
// Target.Recovery says, until somebody can sign in again. If that is in vain, the
// attack has failed, the run ends, and Report.StoppedAt says where. What is left
// over, Report.Rest, is for another run against the service provider started anew,
// whose report the first one takes in with Report.Merge.
//
// It reaches nothing but this machine unless Target.AllowHosts names a host.
// Attack nothing that is not yours.
//
// Signing stands on goxmldsig and etree, encryption on the standard library;
// neither shares code with what they test.
package attack
