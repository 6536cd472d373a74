// Package testkit signs users in at a mock identity provider, in tests of a service provider. It has a browser, a
// clock, keys, and functions that skip tests if a program is missing.
//
//	idp := mockidp.New(mockidp.Config{})
//	page, err := testkit.SignIn(idp, sp.URL+"/login", mockidp.DefaultLogin)
//
// The page is the service provider's answer: status, header, body and final URL. Its Browser is signed in:
//
//	page, err = page.Browser.Open(sp.URL + "/private")      // as a user
//	resp, err := page.Browser.Client().Get(sp.URL + "/api") // as a script
//	page, err = page.Browser.Continue(page)                 // through the pages of a logout
//
// [SignInHandler] does the same with an http.Handler that doesn't listen, [SignInClient] with the transport of a
// client. With mockidp.Server.TileURL as the address, the identity provider starts the sign-in. With mockidp/hostile
// the answers are attacks.
//
// A [Browser] is as strict as a real one. It keeps cookies as Chromium does, sends them by SameSite, and sends Fetch
// Metadata. It resolves names below localhost to this machine and reaches no other machine. The client of net/http
// with a cookiejar does none of this: it drops Secure cookies over http, and sends SameSite=Lax cookies with a form
// that another site posted. A test with it can pass although the sign-in fails in a browser.
//
// With [Handlers] as its Transport a Browser calls http.Handlers by host name, without listeners.
//
// [RSAKey], [ECDSAKey] and [Certificate] generate keys; a process generates each key once. [ReadKeys] also
// reads keys that crypto/x509 refuses as too weak. [Deflated] and [Inflated] are for messages in a query.
//
// # Programs that may be missing
//
// A test that needs a program calls [RequireProgram], and is skipped where the program is missing. The
// environment variable MERIDIAN_REQUIRE lists, separated by commas, the kinds of programs that are required:
// then the test fails. [NewModule] compiles a program whose imports the module under test doesn't need. A package whose
// TestMain calls [Main] prints at the end which tests were skipped, and why.
//
// "go test ./..." drops the output of packages that pass. Use -v, -json or "go test" without packages to see
// the lines, or name a file:
//
//	MERIDIAN_SKIPPED=/tmp/skipped go test ./... ; cat /tmp/skipped
//
// Each package appends its lines to the file. A cached result appends none; use -count=1 to run all tests.
//
// The package imports the standard library only.
package testkit
