// Package mockidp is a mock SAML 2.0 identity provider in the manner of Okta.
// It is for tests and rehearsals and NOT FOR PRODUCTION: passwords are in its
// configuration, nothing it knows outlives the process, and it tells strangers
// exactly what it didn't like about their requests.
//
//	idp := mockidp.New(mockidp.Config{}) // listens on loopback; one user, one SAML app
//	t.Cleanup(idp.Close)
//
//	sp := yourServiceProvider(idp.Metadata("")) // "" is the first SAML app
//	err := idp.RegisterSP("", sp.Metadata())    // entity ID and every ACS, in order
//
//	form, err := idp.Answer(sp.RedirectURL(), mockidp.DefaultLogin) // SP-initiated
//	form, err = idp.IdPInitiated("", mockidp.DefaultLogin, "")      // from the tile
//	resp, err := http.PostForm(form.URL, form.Values())
//
// Browsers take the same ways through pages: sign-in, a dashboard with a tile
// for each app, sign-out. They need no script.
//
// # Apps and their ACS list
//
// A SAML app has an ordered list of assertion consumer services, as Okta has a
// Single sign-on URL and other requestable SSO URLs. The first is the default:
// IdP-initiated sign-in always goes there, and so does the answer to a request
// that names none. A request may name any of the list by URL or by index. One
// that names another is refused with a 400 page (or answered to the first, if
// the app's Unlisted says UseDefault). Nothing is ever posted to a URL that
// isn't on the list at the moment of the answer.
//
// A bookmark app holds a URL and nothing else. Apps are assigned to users and
// groups; who isn't assigned sees no tile and gets 403.
//
// # Shape
//
// [New], [NewUnstarted], [Server.Start], [Server.StartTLS], [Server.Close],
// URL and [Server.Client] are as in net/http/httptest, and misuse panics as
// there. [Open] and [Server.Handler] are for programs with a listener of their
// own. Everything can be changed while it serves ([Server.UpdateApp],
// [Server.SetACS], [Server.UpdateUser]); [Server.Messages] shows what passed.
//
// What it signs, it signs with goxmldsig and never with Meridian's own code,
// so that a mistake can't cancel out between the two sides of a test.
package mockidp
