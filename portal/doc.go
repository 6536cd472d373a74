// Package portal is the access portal of one Region: people sign in to it
// through SAML, see the accounts, permission sets and applications that are
// assigned to them in any Region, and find the other Regions' portals.
//
// A [Portal] is an http.Handler that serves the Region's assertion consumers,
// its sign-in and metadata paths, and the pages:
//
//	inst, err := center.New(data)
//	frankfurt, err := inst.In("eu-central-1")
//	p, err := portal.New(portal.Config{
//		Region:    "eu-central-1",
//		SP:        sp, // one *saml.ServiceProvider for all Regions
//		Directory: frankfurt,
//	})
//	http.ListenAndServeTLS(":443", cert, key, p)
//
// # Who gets in
//
// The assertion's NameID must equal the userName of an active user byte for
// byte. Nobody is created by signing in. Both kinds of sign-in are accepted,
// the one that began here and the one that began at the identity provider; a
// browser in which somebody else is signed in already is asked first when the
// identity provider starts on its own.
//
// # Sessions
//
// A session's identifier is 256 random bits in a cookie that only this host
// sees (__Host-, Secure, HttpOnly, SameSite=Lax); the Region keeps its hash.
// It ends at the earliest of [Config].SessionLifetime, IdleTimeout and the
// assertion's SessionNotOnOrAfter, at sign-out, and as soon as the directory
// no longer has the user as active. Signing in always makes a new identifier
// and ends the session that the browser had.
//
// The cookie does not reach the consumer, because the identity provider's form
// is posted from another site. So a sign-in has two steps: the consumer keeps
// what was proved under a secret that goes into a short-lived cookie, and
// [PathContinue], which does see the session, finishes it.
//
// # Pages
//
// All pages work without JavaScript and by keyboard alone, and carry a content
// security policy that allows nothing but the portal's own style sheet. The
// portal hands out no cloud credentials: the page of a permission set says
// which role was chosen, and is where a product built on it takes over.
package portal
