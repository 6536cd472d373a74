// Package acs implements the assertion consumer service of one Region. It receives SAML responses from browsers,
// verifies them with package saml, and accepts each assertion at most once.
//
//	region, err := acs.NewRegion(acs.Config{
//		SP:      sp, // the same saml.ServiceProvider in every Region
//		Region:  "eu-central-1",
//		Store:   acs.NewMemoryStore(acs.MemoryConfig{}), // or one that the Region's nodes share
//		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
//			startSession(w, l.Assertion.NameID().Value)
//			http.Redirect(w, r, cmp.Or(l.ReturnTo, "/"), http.StatusSeeOther)
//		},
//	})
//	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
//
// A response is handled in four stages. First, [Consumer.ServeHTTP] reads the form and the browser's request
// cookies. Second, Verify of package saml parses the message and checks every rule. Third, the [Store] is updated:
// if the response answers a request, the request's record is consumed, which only the browser that made the
// request can do. The assertion is recorded, and refused if it was recorded before. Last, OnLogin is called. A
// response that Verify refuses consumes nothing. If the store can't answer, the response is refused.
//
// A consumer serves exactly one ACS URL, and an assertion is valid at exactly one. So Regions need no common
// store, and sign-in needs no call to another Region.
//
// After a refusal the user sees a short message, a reference and the link "Sign in again". The log record with
// that reference has the cause. With [Config].RefusedPath, a signed-in user whose browser sent a response twice
// can be redirected instead.
//
// [Config].PageLook gives pages a name, a logo, colors and languages: package theme has one. Config.RenderPage shows
// all pages in the program's own design.
//
// Package middleware is this package with sessions. It protects the handlers of a program that has none of its own.
//
// A program that needs attributes decodes them in OnLogin ([saml.Decoder]). If one is missing,
// [Login.MissingAttributes] writes a page with the names of all that are, and whom the user can ask: the errorURL and
// the contact in the identity provider's metadata.
//
// # What a sign-in asks for
//
// [LoginOptions] are those of StartLogin, or of [Config].LoginOptions for the login page. What an answer can be held to
// is enforced: a new authentication, its context, the NameID's format, and the user ([LoginOptions].Subject). [Hints]
// passes login_hint on, which only fills in a form.
//
// # Several identity providers
//
// With saml.Config.IdPs, each sign-in is at one of several identity providers, and only that one can answer it.
// LoginOptions.IdP names it, or [Config].ChooseIdP, or the user at [Config].DiscoveryURL. The answer of that page
// counts once, and only in the browser that began the sign-in, so that another site can't choose for the user. An
// identity provider that is not in use yet may be fetched by [Config].FindIdP when a sign-in begins. A response never
// causes a fetch.
//
// # Single logout
//
// With saml.Config.Logout and Config.EndSessions, a LogoutRequest of an identity provider ends the sessions that it
// names ([Region.Logout]), and [Region.StartLogout] asks the identity provider to end its own after a user signed out
// here, by a request that [CheckSignOut] accepts. All messages of an identity provider go to one URL. An answer that
// belongs to another Region or host is sent on there with the browser. Without saml.Config.LogoutURL that URL is the
// first Region's: while it is lost, users can sign out in every Region, but no logout of an identity provider arrives.
//
//	EndSessions: func(ctx context.Context, l *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
//		_, err := store.EndSubject(ctx, logoutOf(l)) // a store of package sessions
//		return saml.LogoutSuccess, err
//	},
//
// Where the identity provider has no logout through the browser, StartLogout asks it by SOAP ([Config].SOAP), and the
// answer belongs to that call. If it can't be reached, the user is told so; the session here has ended before.
// Requests by SOAP are answered by SOAP: a refused one with the status Requester or Responder if a known identity
// provider signed it, and else with a Fault, which has the HTTP status 500 and a reference to the log.
//
// # Artifacts
//
// Where an endpoint has a saml.Endpoint.ArtifactIndex, an identity provider may send an artifact instead of the
// response (HTTP-Artifact). The node then gets the response by SOAP ([Config].SOAP): from the address in metadata that
// the artifact names, with a signed request, and a client certificate if there is one. It does so only for a pending
// request of this browser, which the RelayState names and which is consumed by that, or within a small budget if
// unsolicited responses are allowed. An artifact is recorded before it is resolved, so it is used once, even if that
// fails.
//
// # Attribute queries
//
// [Region.QueryAttributes] asks the user's identity provider for attributes that the assertion doesn't have, or for
// their values now.
//
// # Limits for unauthenticated clients
//
// Starting a sign-in needs no authentication, so what it stores is bounded:
//
//   - Only a navigation of a window starts a sign-in ([CheckNavigation]). Fetches, images, frames and prefetches
//     get 403, and change no record and no cookie.
//   - The pending requests of one client address can use about a tenth of the store's quota, and less while others
//     have many. After that the client gets 429. Requests that no user is known to have begun can use half of
//     that, so another site's page in one browser can't block the other users of the same address. Behind a proxy,
//     set [Config].ClientAddr. Each node counts separately: with n nodes, one address can have n times as many.
//   - A browser has at most 8 pending requests, each in a cookie. A request that another site's page begins
//     replaces the newest of the same kind, or gets 429. It never replaces one that the user began. Simultaneous
//     requests of a browser don't have each other's cookies and can leave more than 8. Each can be answered until
//     the next request removes the surplus.
//
// The users of one address share its limit. An answered request no longer counts, so the limit bounds their
// unfinished sign-ins within RequestLifetime.
//
// The bodies that a node is reading or verifying use at most [Config].MaxBodies (64 MiB) in total, and those of
// one client about a third of that. After that the client gets 503 with Retry-After. Set timeouts on the
// http.Server too, to end stalled bodies.
//
// Responses that arrive faster than the stores take them get 503 with Retry-After, before those that are admitted
// become slow. See [Config].MaxAtOnce, and [Region.Overloaded] for operators.
package acs
