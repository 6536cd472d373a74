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
//		Store:     acs.NewMemoryStore(acs.MemoryConfig{}), // or one that the Region's nodes share
//	})
//	server := &http.Server{
//		Addr: ":443", Handler: p, // the zero Server lets slow clients wait for ever
//		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
//		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
//	}
//	err = server.ListenAndServeTLS(certFile, keyFile)
//
// # Who gets in
//
// The assertion's NameID must equal the userName of an active user byte for
// byte. Signing in creates no user. Both kinds of sign-in are accepted, the one
// that began here and the one that began at the identity provider. If another
// user is signed in in the browser and the identity provider began the sign-in,
// the browser's user is asked first. [Config].Unsolicited can refuse the second
// kind, or start it again from here.
//
// No user can sign in at a Region that the directory does not have as active.
// Users who are signed in at a Region that is being removed stay signed in until
// it is gone.
//
// # Sessions
//
// A session's identifier is 256 random bits in a cookie that only this host
// sees (__Host-, Secure, HttpOnly, SameSite=Lax); the Region keeps its hash.
// It ends at the earliest of [Config].SessionLifetime, IdleTimeout and the
// assertion's SessionNotOnOrAfter, when it is revoked, and as soon as the
// directory no longer has the user as active. Signing in makes a new
// identifier and ends the session that the browser had: with all that came from
// the same sign-in if it was another user's; if it was the same user's, the
// new one counts as the same sign-in, so that signing out once is enough. (One
// that was handed on has its own, and ends the other.) The same holds where that
// session has gone idle, which others from the same sign-in need not have; only
// an unsolicited sign-in of another user leaves those alone then.
//
// The NameID, the identity provider's entity ID, the assertion's IssueInstant and
// the SessionIndex are kept with the session: a logout at the identity provider
// names them. A SessionIndex of more than 1 KiB is dropped and the user let in.
//
// The cookie does not reach the consumer, because the identity provider's form
// is posted from another site. So a sign-in has two steps: the consumer keeps
// what was proved under a secret that goes into a short-lived cookie, and
// /continue, which does see the session, finishes it.
//
// A response that comes a second time (a double click, the back button, a
// restored tab) is refused as every replay is. Its browser then goes on to
// /refused, which sees the session: a user who is signed in is led home, in
// the session that there is, and others read that sign-in did not work. So it is
// with every response that is refused, or the answer would tell which messages are
// genuine.
//
// Tabs of one browser that sign in at the same time, as when it restores them,
// make one session. A browser that begins to sign in gets a name (256 random bits
// in a cookie like the session's, for 15 minutes). The first response that a tab
// brings claims that name for its user, for a minute. The other tabs wait on a page
// that looks again every two seconds, and go on with the session of the first. If
// there still is none, one of them makes it, after three times each. So who is
// signed in and within a minute signs in again as the same user keeps the session;
// a tile makes a new one. Signing out takes the name back. A name gives no
// access, and a client that proved no user stores nothing by it. The same holds for
// handoffs of one sign-in.
//
// This needs the cookie: tiles that a browser without a name opens at the same
// instant each make a session, of which the browser keeps the last. So it is with a
// tab whose first answer takes longer than another tab's whole sign-in, and with a
// handoff at the same instant as a sign-in. The others end when idle.
//
// # Revocation
//
// [Config].Sessions is asked at every request, so what ends a session anywhere ends
// it here as soon as this Region hears of it. Signing out ends every session
// that came from the same sign-in, at every portal and in every Region. At
// [PathSessions] people see their sessions of all Regions and end one or all;
// one of another sign-in takes all of that sign-in with it, which would hand it
// back. At [PathOperator] an operator ends all of a user's. Ending all raises
// the user's [sessions.Epoch], so a session that is being made elsewhere at that moment
// does not survive it either. A session that is used while its user is disabled
// or gone raises it too, and then none of the user's comes back with the user;
// if none was used meanwhile they do, unless an operator ends them.
//
// A Region that is cut off can't know what was ended elsewhere meanwhile. Pages
// say how old the data is, and [Config].MaxStaleness can bound it. A user who
// signed out elsewhere, and signs in again in a Region that has not heard of it,
// has to do so once more when it hears.
//
// # One sign-in, all Regions
//
// A cold visit to a portal signs in at the identity provider from there, which
// is silent while the person has a session with it, and asks no other Region.
// A link that names a Region (?from=us-east-1, as the portals' own links to
// each other do) gets the session from that Region's portal first, if Codes are
// shared and the Region is not known to be unreachable: the browser goes there
// and comes back with a code of 256 bits that is good for a minute, once, for
// this origin, and only together with a cookie that this origin set when it
// began. A code that comes through another browser is dropped. Whatever goes
// wrong on the way ends in the sign-in that a cold visit would have had; only
// a user who is signed in as another user here is told so instead, and
// signs out first. What was handed off shares the sign-in and ends no later.
//
// A sign-in gets at most 20 codes a minute from one process, because each is
// copied to every Region, and has at most 64 sessions (up to 20 more where many
// begin at the same moment). Handoffs that no user is known to have begun get at
// most 10 of the codes. Codes of Regions that the directory does not have as
// active are refused, and so are those that did not come from the Region that
// they name, where [Codes] can tell.
//
// The same handoff brings a session to a portal whose origin has no consumer
// (its PortalURLs and the Region's ACS URLs differ in host): sign-in starts on
// the consumer's origin. Both must reach the same Portal with the Host that the
// browser sent. Origins always come from the directory and the service
// provider's list, so nothing that a request says leads anywhere else.
//
// # Health
//
// [PathHealth] answers 200 while users can sign in here and 503 otherwise,
// whatever the state of other Regions. It says nothing else, because any client
// can ask. The state of the Regions is on the operators' page.
//
// The answer is the last result of a probe, so a request writes nothing and costs
// little. Every three seconds ([Config].ProbeEvery) the probe does what a sign-in
// does: it adds a record to Store and takes it, writes to Sessions that are a
// [sessions.Prober], and reads. The Sessions of package replica are a Prober. They write a
// message that replaces the one before, wait until it is read, and check that
// messages heard of other Regions are applied here. A probe fails after five
// seconds. If there is no result for four intervals and five seconds more, the
// probe itself hangs and the answer is 503. The probe ends with [Config].Context.
//
// A Region whose clock is wrong refuses every response. The probe compares the
// clock with those of the other Regions, where Replication knows them, and with
// the freshest of the last verified assertions. If both differ from it by more
// than the service provider's skew, in the same direction, the answer is 503. If
// only one differs, that is logged and the answer stays 200: one Region, or one
// identity provider, with a wrong clock must not take others out of use.
//
// If data is older than MaxStaleness, or the directory does not have the Region as
// active, the answer is 503, and a sign-in is refused before it makes a session.
//
// The probe does not measure how full the stores are. While thousands of client
// addresses together use up the store's quota of pending requests
// (acs.MemoryConfig.MaxRequests), sign-in answers 503 and [PathHealth] still 200.
// This is intended: otherwise any client could have a load balancer take the
// Region out of use, and then the next one.
//
// One address can't do that. It can have about a tenth of the quota waiting, and
// then gets 429 (package acs says how it is counted). Behind a proxy this needs
// [Config].ClientAddr. A rate limit by client address in front of the portal helps
// further, because each start costs a signature where requests are signed. It must
// cover [PathLogin] and /handoff, which also starts a sign-in. It can leave out
// the rest: no other path stores anything for a client without a session or a
// genuine response.
//
// # Pages
//
// All pages work without JavaScript and by keyboard alone, and carry a content
// security policy that allows nothing but the portal's own style sheet. The
// portal hands out no cloud credentials: the page of a permission set says
// which role was chosen, and is where a product built on it takes over.
package portal
