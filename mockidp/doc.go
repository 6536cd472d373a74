// Package mockidp is NOT FOR PRODUCTION. It is a mock SAML 2.0 identity
// provider in the manner of Okta, for tests and rehearsals: passwords are in
// its configuration, nothing it knows outlives the process, and it tells
// strangers exactly what it didn't like about their requests.
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
// Browsers take the same ways through pages: sign-in, a second factor, a
// dashboard with a searchable tile for each app, a page about each app,
// sign-out. They need no script.
//
// Package mockidp/oktaapi runs it from outside, by an HTTP API in the shapes of
// Okta's and a page that explains messages. Package mockidp/scimpush pushes its
// users and groups by SCIM.
//
// # What it answers
//
// A SAML app has an ordered list of assertion consumer services, of which the
// first is the default, and nothing is posted to any other URL than those on the
// list at the moment of the answer, with one exception that is Okta's: where
// App.SignedRequests is on, a request whose signature holds says itself where the
// answer goes. [App] says what becomes of a request that names another URL, what
// a request may leave out, what gets signed, encrypted and stated, and how a
// refusal reaches the service provider. A refusal says what the request looks
// like where a usual mistake was made: deflated for HTTP-POST, not deflated for
// HTTP-Redirect, base64url, signed as the other binding signs.
//
// A request with a Subject is answered for that user or with an error status:
// AuthnFailed where another user signs in, UnknownPrincipal where no user has
// that name. ForceAuthn, IsPassive and RequestedAuthnContext are honoured: a class
// that needs a second factor is stated only of a user who gave one
// ([User].SecondFactor).
//
// [IdentityCenter] fills the list from the form of Okta's catalogue app "AWS
// IAM Identity Center". With the profile [Entra] the addresses are those of a
// tenant of Microsoft Entra ID: /TENANT/saml2 for the requests of all its apps,
// /TENANT/federationmetadata/2007-06/federationmetadata.xml?appid=APP for an
// app's metadata, and a tile that leads to /api/signin/APP. [Server.SSOURL],
// [Server.MetadataURL] and [Server.TileURL] tell them. A bookmark app holds a URL
// and nothing else. Apps are assigned to users and groups; a user to whom an app
// isn't assigned sees no tile and gets 403.
//
// What it signs, it signs with goxmldsig, and its metadata it writes with the
// types of crewjam/saml, never with Meridian's own code, so that a mistake can't
// cancel out between the two sides of a test. Its encrypter is its own for the
// same reason.
//
// # Driving it from a test
//
// Everything can be changed while it serves, from many goroutines at once:
// users, groups, apps, keys ([Server.UpdateApp], [Server.UpdateUser],
// [Server.PutGroup], [Server.AddKey] and their like), and many things at once by
// [Server.Update]. [Server.Snapshot] shows all of it as it is at one moment.
// [Server.QueueUser] signs a user in where the sign-in page would come up next,
// [Server.QueueError] makes the next answer an error status, [Server.Inject]
// makes something go wrong on the way ([Fault]), [Server.Advance] moves the
// clock, and [Server.Reset] goes back to the start. [Server.Messages] shows what
// passed, [Server.WaitMessage] waits for it, and [Server.Deliver] posts a form as
// a browser would and keeps what the service provider answered.
//
// [Config].Mutate puts hostile answers in the place of good ones: what was chosen
// on the sign-in page, else what [Server.QueueMutation] ordered for the next
// answer, else what [Server.SetMutation] or [Config].StandingMutations switched
// on. Package mockidp/hostile makes it do so with the catalogue of mockidp/attack.
// It changes the document or how the browser sends it ([Mutated]). What no page
// can make a browser do is left to the attack tool of package mockidp/attack/run,
// which sends requests of its own: octets that aren't text (its C24/junk-high,
// C24/nul), other methods, types and headers (D19, D48/head, put, override, no-type
// and json), and whatever takes several messages or browsers (D01 to D07, D11,
// D47, D55).
//
// No fault is on unless it was asked for. With [Config].Seed, Key and Now the
// same calls in the same order yield the same bytes.
//
// # Shape
//
// [New], [NewUnstarted], [Server.Start], [Server.StartTLS], [Server.Close],
// URL and [Server.Client] are as in net/http/httptest, and misuse panics as
// there. [Open] and [Server.Handler] are for programs with a listener of their
// own. A request whose Host is neither the host of [Config].BaseURL nor a name of
// this machine is refused with 421, so that no page elsewhere can reach the Server
// by DNS.
package mockidp
