// Package testkit has what a test of a sign-in needs besides an identity
// provider: a browser, a clock, keys, and programs that a machine may lack.
//
//	idp := mockidp.New(mockidp.Config{})
//	b := testkit.NewBrowser(t.Context())
//	page, err := b.SignIn("http://us-east-1.localhost:8711/login", mockidp.DefaultLogin, mockidp.DefaultPassword)
//
// A [Browser] is as strict as a real one. It keeps cookies as Chromium does,
// sends them by SameSite, and says in Fetch Metadata where a request comes from.
// It resolves names below localhost to this machine, and reaches no other
// machine. net/http's client with a cookiejar does none of this: it loses Secure
// cookies over http, and sends SameSite=Lax cookies with a form that another site
// posted, so that a test passes and the sign-in fails in a browser.
//
// With [Handlers] as its Transport a Browser calls http.Handlers by the names of
// their hosts, without listeners.
//
// A [Clock] is moved by hand. [RSAKey], [ECDSAKey] and [Certificate] make each
// key once a process. [ReadKeys] also reads keys that crypto/x509 finds too weak.
// [Deflated] and [Inflated] are for messages in a query.
//
// # Programs that a machine may lack
//
// A test that needs a program asks for it with [RequireProgram], and is skipped
// where it is missing. The environment variable MERIDIAN_REQUIRE lists, separated
// by commas, the kinds of program that must be there: then the test fails
// instead. A package whose TestMain calls [Main] says at the end of its tests
// which were skipped, and why.
//
// go test drops the output of a package that passed when it is run as
// "go test ./...", so those lines are seen with -v, with -json, in "go test"
// without packages, and where a test failed. To see them otherwise, name a file:
//
//	MERIDIAN_SKIPPED=/tmp/skipped go test ./... ; cat /tmp/skipped
//
// Each package adds its lines to the file. A result from go test's cache adds
// none; -count=1 runs all tests.
//
// The package imports nothing but the standard library.
package testkit
