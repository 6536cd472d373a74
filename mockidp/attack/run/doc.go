// Package run attacks a service provider in any language over HTTP. It has the catalogue of package attack: the
// documents, and scripts for the rows that need several messages or browsers. It is for tests only. Don't use it in
// production code.
//
// [Run] needs to know where a sign-in begins, where responses are posted, and which page shows the user who is signed
// in. [Discover] finds out most of that.
//
//	idp, err := run.NewIdP() // the service provider must trust idp.Metadata()
//	report, err := run.Run(ctx, run.Target{
//		Login: "http://localhost:8080/login", ACS: "http://localhost:8080/saml/acs", EntityID: "http://localhost:8080/saml",
//		Probe: "http://localhost:8080/", Identity: regexp.MustCompile(`Signed in as ([^<]+)`), IdP: idp,
//	})
//	os.Exit(report.Exit())
//
// Every attack is tried together with its twin, the same message without the attack. If the twin is refused, the attack
// is not run. [Verdict] lists the possible results, and [Verdict.Word] the five words for readers: let in, unusual but
// legal, refused, no clear answer, not run. [Report.Findings] orders the attacks that were let in by [Severity].
// RESULTS.md has the results of fifteen service providers.
//
// A message may stop a service provider. Then the run waits until a user can sign in again, for at most
// Target.Recovery. After that time the attack has failed, the run ends, and Report.StoppedAt names the attack.
// Report.Rest lists the attacks that remain for another run against the restarted service provider. Report.Merge adds
// the later report to the first one.
//
// With Target.OtherIdP there are attacks of one identity provider on another, for a service provider that trusts both.
//
// With Target.Logout there are attacks by logout messages. A user signs in, and the message must not end that session.
// These attacks run alone, because a good logout ends all sessions of the user.
//
// With Target.BackChannel there are attacks by artifacts: a browser brings an artifact, and the tool answers when the
// service provider resolves it. With Target.AttributeProbe it answers attribute queries, too. These attacks run alone.
//
// With Target.Metadata the tool publishes metadata, for a service provider that reads it from a URL.
//
// The tool connects to this machine only, unless Target.AllowHosts names a host. Attack only systems that you own.
package run
