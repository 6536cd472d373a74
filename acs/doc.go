// Package acs is the stateful edge of one Region: it takes SAML responses from
// browsers, has package saml verify them, and admits each assertion at most once.
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
// A response goes through four stages. [Consumer.ServeHTTP] reads the form and the browser's request cookies. Verify
// of package saml parses the message and checks every rule. Then the [Store] is asked: a response that answers a
// request consumes that request's record, which only the browser that made the request can name, and every assertion
// is recorded, and refused if it was recorded before. Last, OnLogin is called. A response that Verify refuses consumes
// nothing. If the store can't answer, the response is refused.
//
// A consumer serves exactly one ACS URL, and an assertion is valid at exactly one. So Regions need no
// common store, and sign-in makes no call that leaves the Region.
//
// The user sees one sentence, a reference and "Sign in again". The log has the cause under that
// reference. With [Config].RefusedPath, a signed-in user whose browser sent a response twice is sent on.
//
// # Limits for unauthenticated clients
//
// Starting a sign-in needs no authentication, so everything that it stores is bounded:
//
//   - Only a navigation of a window starts one ([CheckNavigation]). Fetches, images, frames and
//     prefetches get 403, and change no record and no cookie.
//   - One client address can have about a tenth of the store's quota waiting, and less while others have
//     many; beyond that it gets 429. Requests that no user is known to have begun get half of that, so a
//     foreign page in one browser can't lock out the others behind the same address. Behind a proxy, set
//     [Config].ClientAddr. Each node counts for itself: where n nodes share a store, one address can have
//     n times as much.
//   - A browser has at most 8 requests waiting, each in a cookie. A request that another site's page
//     begins replaces the newest of its own kind, or gets 429; it never replaces one that the user began.
//     Requests that a browser sends at the same time don't see each other's cookies and can leave more
//     than 8; each can be answered until the next request removes the surplus.
//
// The users behind one address share its part. An answered request no longer counts, so the part bounds
// the sign-ins that they have begun and not finished within RequestLifetime.
//
// Bodies of responses that are being read or verified take at most [Config].MaxBodies together (64 MiB),
// those of one client about a third of that. Beyond it a client gets 503 with Retry-After. Set timeouts
// on the http.Server too: they end a body that stalls.
package acs
