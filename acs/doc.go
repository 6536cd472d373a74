// Package acs is the stateful edge of one Region: it takes SAML responses from
// browsers, has package saml verify them, and lets each in at most once.
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
// A response goes through four stages. [Consumer.ServeHTTP] takes the form and
// this browser's request cookies. Verify of package saml reads the message and
// checks every rule. Then the [Store] is asked: a response that answers a
// request uses up that request's record, which only the browser that made the
// request can name; and every assertion is recorded, and refused if it was
// recorded before. Then OnLogin is called. A response that Verify refuses uses
// up nothing, and if the store can't answer, the response is refused.
//
// A consumer serves exactly one ACS URL, and an assertion is good for exactly
// one. So no two Regions need share a store, and sign-in makes no call that
// leaves the Region.
//
// The person sees one sentence, a reference and "Sign in again". Why a
// response was refused is in the log, under that reference. A user who
// cancelled at the identity provider is told that, and the log has it as
// cancelled. With [Config].RefusedPath a user who is signed in, and whose
// browser sent a response twice, is led home instead.
//
// # What an unauthenticated client can do
//
// Starting a sign-in needs no proof of anything, so everything that it stores is
// bounded:
//
//   - Only a navigation of a window starts one ([CheckNavigation]). What a page
//     does by itself, unseen (a fetch, an image, a frame, a page loaded ahead of
//     time), is refused with 403: nothing is stored and no cookie changes.
//   - One client address can have about a tenth of the store's quota waiting, and
//     less while others have many; beyond that it gets 429. What no user is known to have
//     begun gets half of that at most: a foreign page in one browser can't lock
//     out the others of an office behind one address. Behind a proxy,
//     [Config].ClientAddr has to say what the address is. Each node counts
//     for itself, in memory of a fixed size: where n nodes share a store, one
//     address can have n times as much.
//   - A browser has at most 8 requests waiting, each in a cookie. What another
//     site's page begins never pushes out what the user began, nor what was there
//     before: it takes the place of the newest of its own kind, or gets 429. The
//     user can always begin. Requests that a browser sends at the same time don't
//     see each other's cookies and can leave more than 8 together; each can be
//     answered, until the next request takes those beyond 8 back.
//
// The users of an office behind one address share its part. A request that was
// answered doesn't count any more, so the part bounds how many sign-ins they have
// begun, and not finished, within RequestLifetime.
//
// The bodies of responses are bounded by client, too: those that are being read
// or verified take at most [Config].MaxBodies together (64 MiB), and of one
// client about a third of that. What exceeds it gets 503 with Retry-After. Put
// timeouts on the http.Server all the same: they end a body that doesn't go on.
package acs
