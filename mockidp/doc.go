// Package mockidp is NOT FOR PRODUCTION. It is a mock SAML 2.0 identity provider that resembles Okta, for tests and
// demonstrations: its configuration holds passwords, nothing outlives the process, and it tells unauthenticated
// clients exactly why it refused their requests.
//
//	idp := mockidp.New(mockidp.Config{}) // listens on loopback; one user, one SAML app
//	t.Cleanup(idp.Close)
//
//	sp := yourServiceProvider(idp.Metadata("")) // "" is the first SAML app
//	err := idp.RegisterSP("", sp.Metadata())    // entity ID and every ACS, in order; AddSP makes more apps
//
//	page, err := testkit.SignIn(idp, sp.URL+"/login", mockidp.DefaultLogin) // as a browser does
//
// Package mockidp/testkit makes the sign-in. To send an answer yourself, ask for it alone:
//
//	form, err := idp.Answer(sp.RedirectURL(), mockidp.DefaultLogin) // SP-initiated
//	form, err = idp.IdPInitiated("", mockidp.DefaultLogin, "")      // from the tile
//	resp, err := http.PostForm(form.URL, form.Values())
//
// Browsers do the same through pages: sign-in, a second factor, a dashboard with a searchable tile for each app, a
// page with each app's settings, sign-out. They work without script.
//
// Where a method takes the ID of an app, "" is the first SAML app. Its metadata is also at /metadata.
//
// Package mockidp/oktaapi controls the Server from outside, by an HTTP API like Okta's and an Admin Console. Package
// mockidp/scimpush pushes its users and groups by SCIM.
//
// # Behaviour
//
// A SAML app has an ordered list of assertion consumer services. The first is the default. Answers go only to URLs
// that are on the list when the answer is made, with Okta's one exception: with App.SignedRequests the answer goes to
// the URL in the request, if its signature verifies. [App] has the settings of requests for other URLs, optional
// parts of requests, signatures, encryption, attributes and refusals. The error for a malformed request names common
// mistakes: deflated for HTTP-POST, not deflated for HTTP-Redirect, base64url, signed as in the other binding.
//
// A request with a Subject is answered for that user or with an error status: AuthnFailed if another user signs in,
// UnknownPrincipal if no user has that name. With the profile Entra it is refused. The sign-in page has the Subject's
// login filled in, or the parameter login_hint of the sign-on address. Scoping, Extensions, ProviderName and
// AttributeConsumingServiceIndex are ignored, and the list of messages shows them. ForceAuthn, IsPassive and
// RequestedAuthnContext are supported; a class that needs a second factor is sent only if the user gave one
// ([User].SecondFactor).
//
// An app with [App].LogoutURL or LogoutSOAPURL, which registered metadata sets, has single logout by HTTP-Redirect,
// HTTP-POST and SOAP. A LogoutRequest must be signed. Through the browser it names the NameID and SessionIndex of
// the browser's session; by SOAP it ends all sessions that it names. The session's other apps are told as
// [App].LogoutChannel says: by SOAP, in hidden frames, or by the browser, one after another. The app that asked gets
// PartialLogout if an app failed or couldn't be told. “Sign out” on the pages does the same and shows what it ended,
// and [Server.Logout] does it for all sessions of a user. An app that doesn't answer keeps the browser; the sign-in
// page then leads back to the sign-out, which can go on without that app. An EncryptedID for a key of the app is
// decrypted, and [App].EncryptedNameIDs sends them. Logout by artifact isn't supported. EndSessions tells no app. With
// Compose, a composed answer belongs to no session, so a LogoutRequest about it ends nothing and is answered with
// Success.
//
// With [App].ResponseBinding the browser carries an artifact, and the service provider fetches the Response by SOAP, at
// [Server.ArtifactURL]: once, within [ArtifactLifetime], and only the one that the Response was made for. With
// AttributeQueries it asks for a user's attributes, at [Server.AttributesURL]; the answer is no sign-in.
//
// LOGOUT.md beside examples/mockidp has all of this, and its faults.
//
// [IdentityCenter] sets the list from the form of Okta's catalogue app "AWS IAM Identity Center". With the profile
// [Entra] the addresses are those of a tenant of Microsoft Entra ID: /TENANT/saml2 for the requests of all its apps,
// /TENANT/federationmetadata/2007-06/federationmetadata.xml?appid=APP for an app's metadata, and /api/signin/APP for
// its tile. [Server.SSOURL], [Server.MetadataURL] and [Server.TileURL] return them. A bookmark app is a link. Apps are
// assigned to users and groups; a user to whom an app isn't assigned sees no tile and gets 403.
//
// With [Config].Compose the sign-in page of a SAML app has no password: its user selects or makes up who signs in, and
// composes the answer. Parameters of the sign-on address do the same in one request. COMPOSE.md beside examples/mockidp
// has them.
//
// goxmldsig makes the signatures. This package doesn't use Meridian's other packages for messages, metadata and
// encryption, so that a mistake in one side of a test isn't hidden by the same mistake in the other.
//
// # Use in tests
//
// All settings can be changed while it serves, from several goroutines at once: users, groups, apps, keys
// ([Server.UpdateApp], [Server.UpdateUser], [Server.PutGroup], [Server.AddKey] and the like), and several at once by
// [Server.Update]. [Server.Snapshot] returns all of them at one moment. [Server.QueueUser] signs a user in instead of
// the next sign-in page. [Server.QueueError] makes the next answer an error status. [Server.Inject] adds a [Fault].
// [Server.Advance] moves the clock. [Server.Reset] restores the initial state. [Server.Messages] lists messages,
// [Server.WaitMessage] waits for one, and [Server.Deliver] posts a form as a browser would and records the answer.
//
// [Config].Mutate replaces valid answers with hostile ones. The mutation chosen on the sign-in page comes first, then
// the next one of [Server.QueueMutation], then that of [Server.SetMutation] or [Config].StandingMutations. A mutation
// changes the document, or how the browser sends it ([Mutated]). [Config].MutateMessage does the same for logout
// messages, artifacts and answers by SOAP ([MutatedMessage]). Package mockidp/hostile sets both to the catalogue of
// mockidp/attack. The attack tool of package mockidp/attack/run also sends attacks that no page can make a browser
// send. These are octets that aren't text (C24/junk-high, C24/nul), other methods, types and headers (D19, D48/head,
// put, override, no-type and json), and attacks with several messages or browsers (D01 to D07, D11, D47, D55).
//
// [Server.Tenant] returns one of several identity providers in one Server, each below /t/NAME with its own entity ID,
// users, sessions, messages and clock, so that tests can run at the same time. A request below /t/NAME/ makes one, too.
//
// [Config].Federation describes the metadata that the Server and its tenants publish as a federation: one signed
// document at [Server.FederationURL], and a metadata query service at [Server.FederationQueryURL]. Thousands of
// generated identity providers, and faults of both endpoints, test how a service provider fetches metadata.
//
// [New] signs with a published test key, so that making a Server takes no time and the certificate is always the same;
// see [Config].InsecureTestKey. Give Servers that must not be mistaken for each other keys of their own.
//
// There are no faults by default. With [Config].Seed, Key and Now the same calls in the same order yield the same
// bytes.
//
// [New], [NewUnstarted], [Server.Start], [Server.StartTLS], [Server.Close], URL and [Server.Client] are as in
// net/http/httptest, and misuse panics as there. [Open] and [Server.Handler] are for programs that have a listener
// already. A request whose Host is neither the host of [Config].BaseURL, one of Hosts nor a loopback name is refused
// with 421, which prevents DNS rebinding. GET /healthz returns 200 for any Host, for probes.
package mockidp
