// Package run attacks a service provider over HTTP, in whatever language it is
// written, with all of the catalogue of package attack: the documents, and
// scripts for the rows that take several messages or browsers. It is test
// material: nothing in it belongs into a product.
//
// [Run] needs to know where a sign-in begins, where responses go, and which page
// says who is signed in:
//
//	idp, err := run.NewIdP() // the service provider is to trust idp.Metadata()
//	report, err := run.Run(ctx, run.Target{
//		Login: "http://localhost:8080/login", ACS: "http://localhost:8080/saml/acs", EntityID: "http://localhost:8080/saml",
//		Probe: "http://localhost:8080/", Identity: regexp.MustCompile(`Signed in as ([^<]+)`), IdP: idp,
//	})
//	os.Exit(report.Exit())
//
// Every attack is shown beside its twin, the same message without the attack:
// where the twin is not accepted, nothing is said about the attack. [Verdict]
// lists what may become of one, and RESULTS.md what became of them at eleven
// service providers.
//
// A service provider may fall over a message. Then the run waits, for as long as
// Target.Recovery says, until a user can sign in again. If that is in vain, the
// attack has failed, the run ends, and Report.StoppedAt says where. What is left
// over, Report.Rest, is for another run against the service provider started anew,
// whose report the first one takes in with Report.Merge.
//
// It reaches nothing but this machine unless Target.AllowHosts names a host.
// Attack nothing that is not yours.
package run
