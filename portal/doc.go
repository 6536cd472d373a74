// Package portal is the access portal of one Region. Users sign in to it through SAML, see the accounts, permission
// sets and applications that are assigned to them in any Region, and find the other Regions' portals.
//
// A [Portal] is an http.Handler that serves the Region's assertion consumers, its sign-in and metadata paths, and the
// pages:
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
//		Addr: ":443", Handler: p, // the zero Server has no timeouts
//		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
//		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
//	}
//	err = server.ListenAndServeTLS(certFile, keyFile)
//
// # Who can sign in
//
// The assertion's NameID must equal the userName of an active user byte for byte. Signing in creates no user. Sign-ins
// may begin here or at the identity provider. If one that began at the identity provider would replace another user's
// session, the browser's user is asked first. [Config].Unsolicited can refuse such sign-ins, or start them again from
// here.
//
// No user can sign in at a Region that the directory doesn't have as active. Users who are signed in at a Region that
// is being removed stay signed in until it is removed.
//
// # Sessions
//
// A session's identifier is 256 random bits in a cookie for this host only (__Host-, Secure, HttpOnly, SameSite=Lax).
// The store has its hash. A session ends at the earliest of [Config].SessionLifetime, IdleTimeout and the assertion's
// SessionNotOnOrAfter, when it is revoked, and when the directory no longer has the user as active.
//
// Signing in makes a new session and ends the browser's earlier one, even if that is idle. The same user's new session
// counts as the same sign-in, so that signing out once is enough; but one that was handed off from another sign-in
// ends the earlier sign-in. Another user's session ends with all sessions of its sign-in, unless it is idle and the
// new sign-in is unsolicited.
//
// The session keeps the NameID, the identity provider's entity ID, the assertion's IssueInstant and the SessionIndex,
// which a logout at the identity provider names. A SessionIndex longer than 1 KiB is dropped.
//
// The identity provider's form is posted from another site, so the consumer doesn't receive the session's cookie.
// Therefore a sign-in has two steps: the consumer stores what was proved under a secret in a short-lived cookie, and
// /continue, which receives the session's cookie, finishes the sign-in.
//
// After a refused response (most often a replay: a double click, the back button, a restored tab) the browser goes to
// /refused, which receives the session's cookie. A signed-in user is led home in the same session, other clients read
// that sign-in did not work. A different answer would tell which messages are genuine.
//
// Tabs of one browser that sign in at the same time make one session. A browser that begins to sign in gets a name,
// 256 random bits in a cookie for 15 minutes. The first tab with a response claims that name for its user, for a
// minute. The other tabs show a page that looks for the first tab's session every two seconds. After three times, one
// of them makes the session. So a user who signs in again within a minute keeps the session, unless the sign-in began
// at the identity provider. Signing out clears the name. A name gives no access, and only a proved sign-in stores
// anything by it. The same holds for handoffs of one sign-in. Several sessions are still possible, of which the
// browser keeps the last and the others become idle: after concurrent unsolicited sign-ins in a browser without a
// name, if a tab's first response takes longer than another tab's whole sign-in, and if a handoff and a sign-in finish
// at the same instant.
//
// # Revocation
//
// Every request asks [Config].Sessions, so a session that was ended in another Region ends here as soon as this Region
// hears of it. Signing out ends every session of the same sign-in, at every portal and in every Region. At
// [PathSessions] users see their sessions of all Regions and end one or all of them. Ending a session of another
// sign-in ends all sessions of that sign-in. At [PathOperator] an operator ends all sessions of a user. Ending all
// raises the user's [sessions.Epoch], which also ends sessions that are being made elsewhere at that moment. A request
// with a session of a disabled or removed user does the same; without such a request, the user's sessions are valid
// again if the user becomes active again.
//
// A Region that is cut off can't know what was ended elsewhere. Its pages say how old the data is, and
// [Config].MaxStaleness can bound the age. A user who signs in there after a sign-out elsewhere has to sign in again
// when the Region hears of the sign-out.
//
// # One sign-in, all Regions
//
// A visit without a session starts a sign-in at the identity provider, which is silent while the user has a session
// there. It asks no other Region. A link that names a Region (?from=us-east-1, as in the portals' own links) gets the
// session from that Region's portal first, if Codes are shared and the Region is not known to be unreachable: the
// browser goes there and returns with a code. The code has 256 random bits and is valid for a minute, once, for this
// origin, and only together with the cookie that this origin set before. A code that arrives in another browser is
// dropped. Any failure leads to the normal sign-in; but a user who is signed in here as another user sees a page that
// says so, and must sign out first. A session that was handed off shares the sign-in and ends no later.
//
// A process gives a sign-in at most 20 codes a minute, because each is copied to every Region. Handoffs that no user
// is known to have begun get at most 10 of them. A sign-in has at most 64 sessions, or 20 more if many begin at the
// same moment. Codes are refused if they name a Region that the directory doesn't have as active, or another Region
// than the one they came from, if [Codes] can tell.
//
// The same handoff gives a session to a portal whose origin has no consumer (if its PortalURLs and the Region's ACS
// URLs differ in host): the sign-in starts on the consumer's origin. Both hosts must reach the same Portal with the
// browser's Host header. Origins come from the directory and the service provider's list, never from a request.
//
// # Health
//
// [PathHealth] answers 200 while users can sign in here and 503 otherwise, whatever the state of other Regions. It
// says nothing else, because any client can ask. The Regions' state is on the operators' page.
//
// The answer is the last result of a probe, so a request writes nothing and costs little. Every [Config].ProbeEvery
// the probe does what a sign-in does: it adds a record to Store and takes it, writes to Sessions that are a
// [sessions.Prober] (those of package replica are), and reads. A probe fails after five seconds. Without a result for
// four intervals and five seconds more, the answer is 503. The probe ends with [Config].Context. The answer is 503,
// and no session begins, also if the data is older than MaxStaleness or the directory doesn't have the Region as
// active.
//
// A Region whose clock is wrong refuses every response. The probe compares the clock with those of the other Regions,
// if Replication knows them, and with the issue instants of verified assertions. If both differ from it by more than
// the service provider's skew, in the same direction, the answer is 503. If only one differs, that is logged and the
// answer is 200: one Region or identity provider with a wrong clock must not take others out of use.
//
// The probe doesn't measure how full the stores are. If clients at thousands of addresses use up the store's quota of
// pending requests (acs.MemoryConfig.MaxRequests), sign-in answers 503 and [PathHealth] still 200. Otherwise any
// client could have a load balancer take the Region out of use, and then the next one. A single address can use about
// a tenth of the quota, and then gets 429 (see package acs). Behind a proxy this needs [Config].ClientAddr. A rate
// limit by client address in front of the portal helps further. It must cover [PathLogin] and /handoff; no other path
// stores anything for a client without a session or a genuine response.
//
// # Pages
//
// All pages work without JavaScript and by keyboard, and have a content security policy that allows only the portal's
// own style sheet. The portal provides no cloud credentials: the page of a permission set says which role was chosen,
// and is where a product built on the portal takes over.
package portal
