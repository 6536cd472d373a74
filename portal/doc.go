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
// The assertion's NameID must equal the userName of an active user of its identity provider byte for byte. Signing in
// creates no user. A sign-in may begin at the portal or at the identity provider. If one that began at the identity
// provider would replace another user's session, the portal asks the user first. [Config].Unsolicited can refuse such
// sign-ins, or restart them from the portal. A restarted sign-in of another identity provider than the session's user
// has is asked about, too.
//
// With several identity providers, a user belongs to one of them, and no other can sign the user in. [Config].ChooseIdP
// or a discovery service chooses the identity provider of a sign-in. A user who signs in again after the session went
// idle returns to the same one. PROVIDERS.md, in this directory, says how to add a second one.
//
// Sign-in requires that the directory lists the Region as active. While a Region is being removed, its existing
// sessions stay valid.
//
// # Sessions
//
// A session's identifier is 256 random bits in a cookie for this host only (__Host-, Secure, HttpOnly, SameSite=Lax).
// The store holds only its hash. A session ends at the earliest of [Config].SessionLifetime, IdleTimeout and the
// assertion's SessionNotOnOrAfter. It ends earlier if it is revoked, or if its user is disabled or removed.
//
// Signing in makes a new session and ends the browser's earlier one, even if that is idle. If the user is the same, the
// new session joins the earlier sign-in, so that signing out once is enough. A session that was handed off from another
// sign-in doesn't join: it ends the earlier sign-in. If the user is another one, all sessions of the earlier sign-in
// end, unless the session is idle and the new sign-in is unsolicited, or restarted at another identity provider.
//
// The session keeps the NameID with its attributes, the identity provider's entity ID, the assertion's IssueInstant and
// every SessionIndex, and a handoff copies them. A LogoutRequest refers to them. SessionIndexes of more than 1 KiB are
// dropped. If the user moves to another identity provider, the session ends.
//
// The identity provider's form is posted from another site, so the consumer doesn't receive the session's cookie.
// Therefore a sign-in has two steps. The consumer stores the verified subject under a secret, and sets the secret in a
// short-lived cookie. Then /continue, which receives the session's cookie, finishes the sign-in.
//
// After a refused response, the browser is redirected to /refused, which receives the session's cookie. Most such
// responses are replays: a double click, the back button, a restored tab. A signed-in user is redirected to the home
// page and keeps the session. Other clients see a page that says that sign-in failed. The page is the same for all
// refused responses, so an attacker can't learn which messages are genuine.
//
// Tabs of one browser that sign in at the same time make one session. The portal names a browser that begins to sign
// in: it sets a cookie with 256 random bits for 15 minutes. The first tab with a response claims that name for its
// user, for a minute. The other tabs show a page that looks for the first tab's session every two seconds. After three
// attempts, one of them makes the session. So a user who signs in again within a minute keeps the session, unless the
// sign-in began at the identity provider. Signing out clears the name. A name gives no access, and only a verified
// sign-in stores a record under it. The same applies to handoffs of one sign-in. In three cases a browser can still
// make several sessions: concurrent unsolicited sign-ins in a browser without a name, a tab whose first response takes
// longer than another tab's whole sign-in, and a handoff that finishes at the same instant as a sign-in. The browser
// then keeps the last session, and the others become idle.
//
// # Revocation
//
// Every request looks the session up in [Config].Sessions. So a session that was ended in another Region ends here when
// the change arrives. Signing out ends every session of the same sign-in, at every portal and in every Region. At
// [PathSessions] users see their sessions of all Regions and end one or all of them. Ending a session of another
// sign-in ends all sessions of that sign-in. At [PathPeople] an operator finds a user and ends one sign-in, one
// program's session, or all sessions of the user, after a question. Ending all sessions raises the user's
// [sessions.Epoch], which also ends sessions that are being made elsewhere at that moment. A request with a session of
// a disabled or removed user does the same. If there is no such request, the sessions are valid again when the user
// becomes active again.
//
// A Region that is cut off from the others doesn't know which sessions were ended there. Its pages show the age of the
// data, and [Config].MaxStaleness can bound it. A user who signs out elsewhere and then signs in at such a Region has
// to sign in again when the sign-out arrives.
//
// # Single logout
//
// With saml.Config.Logout, a LogoutRequest of the identity provider ends the sessions that it names in every Region. An
// assertion that it names and that arrives later is refused in every Region that knows the LogoutRequest, with
// [ReasonLoggedOut] (SAML Core 3.7.3.1). The answer is PartialLogout if Replication knows a Region that is unreachable
// or behind. The portal doesn't wait for other Regions, so after a Success too, a session there can live until the
// change arrives, and a Region that was lost a moment ago is not known to be.
//
// The page after a sign-out says what ended where. If the identity provider has single logout through the browser, it
// has a button that asks the identity provider to end its session too. The session here has ended before. The result is
// on the same page: also that sessions at other services may live on, and that the identity provider didn't confirm.
// The answer needs a cookie of the host that asked, so list a logout URL for each of the portal's hosts. Otherwise the
// page has the link of [Config].SignOutURLs, or advice. A session that ends by idleness or age sends nothing. Signing
// out everywhere ends all sessions of the user, after a question.
//
// With [Config].ForceAuthnAfterSignOut the next sign-in asks for a new authentication.
//
// # One sign-in, all Regions
//
// A request without a session starts a sign-in at the identity provider. If the user has a session there, the user sees
// no form. No other Region takes part. The portals' own links to each other name the Region that the user comes from
// (?from=us-east-1). With such a link, the portal tries a handoff first, if Codes are shared and that Region is not
// known to be unreachable: it sends the browser to that Region's portal, and the browser returns with a code. The code
// has 256 random bits. It is valid once, for a minute, for this origin, and only with the cookie that this origin set
// before. A code that arrives in another browser is dropped. If a handoff fails, the normal sign-in starts. But if the
// browser is signed in here as another user, a page explains this, and the user must sign out first. The new session
// belongs to the same sign-in, and ends no later than the session that it comes from.
//
// A process makes at most 20 codes a minute for one sign-in, because each code is copied to every Region. At most 10 of
// them are for handoffs that may have been begun by another site. A sign-in has at most 64 sessions, or 20 more if many
// begin at the same moment. A code is refused if the Region that it names is not active in the directory. If [Codes]
// report the Region that put a code, it must be the Region that the code names.
//
// The same handoff serves a portal whose origin has no consumer, because its PortalURLs and the Region's ACS URLs have
// different hosts. The sign-in then starts on the consumer's origin. Both hosts must reach the same Portal with the
// browser's Host header. Origins come from the directory and the service provider's list, never from a request.
//
// # Health
//
// [PathHealth] answers 200 while users can sign in here and the Region is in rotation, and 503 otherwise, whatever the
// state of other Regions. The answer has no details, because any client can request it. The operators' page shows the
// state of the Regions.
//
// The answer is the last result of a probe, so a request writes nothing and costs little. Every [Config].ProbeEvery the
// probe does what a sign-in does: it adds a record to Store and takes it, writes to Sessions if they implement
// [sessions.Prober] (as those of package replica do), and reads. A probe fails after five seconds. If there is no
// result for four intervals and five seconds, the answer is 503. The probe ends with [Config].Context. The answer is
// also 503, and no session begins, if the data is older than MaxStaleness or if the directory doesn't list the Region
// as active.
//
// A Region whose clock is wrong refuses every response. The probe compares the clock with those of the other Regions,
// if Replication knows them, and with the issue instants of verified assertions. If both differ from it by more than
// the service provider's skew, in the same direction, the answer is 503. If only one differs, the probe logs this and
// the answer is 200: a wrong clock in one Region or identity provider must not take other Regions out of use.
//
// An operator takes a Region out of rotation on the Region's page, in its own portal, and puts it back. Meanwhile the
// answer is {"status":"drained"} with the status 503, and everything else works as before. The directory keeps that as
// a record of the Region itself, so it survives a restart and needs no other Region. It needs a [Directory] with the
// method Update of *center.View. OPERATING.md of package replica has more.
//
// The answer is {"status":"ok"}. While more sign-ins arrive than the stores take, and some are refused with 503 (see
// acs.Config.MaxAtOnce), it is {"status":"overloaded"} with the status 200: a redirector would otherwise move all users
// to the next Region, and overload it too.
//
// The probe doesn't measure how full the stores are. If clients at thousands of addresses use up the store's quota of
// pending requests (acs.MemoryConfig.MaxRequests), sign-in answers 503 and [PathHealth] still 200. Otherwise any client
// could make a load balancer take one Region after the other out of use. A single address can use about a tenth of the
// quota; after that it receives 429 (see package acs). Behind a proxy this needs [Config].ClientAddr. A rate limit by
// client address in front of the portal also helps. It must cover [PathLogin] and /handoff; no other path stores
// anything for a client without a session or a genuine response.
//
// # Events
//
// With [Config].Audit sign-ins, refusals, sessions and what ends them are events on this Region's disk: see package
// audit. A sign-in and the end of a session wait for their event, together with all others of that moment; refusals
// don't. If an event can't be written, nothing else fails: an alert begins. With audit.Config.Required, no session
// begins then, and the answer is 503. At [PathAudit] operators search the events.
//
// # Programs
//
// With [Portal.WithClients], users can let programs act for them, such as a command line. A program's request arrives
// through the browser, at [PathClient], or as a code that the program shows, which the user enters at [PathDevice].
// The page says what the program asks for, as whom, and in which Region. Requesting a page allows nothing. The answer
// is a POST with a proof for this browser, this session and this request, which is accepted once. If the browser's
// user has changed since the page was shown, the new user is asked. No answer is remembered.
//
// An [Authorization] is a session of its own kind. It lets the program in in this Region only. It belongs to the
// sign-in in which the user allowed it, so it ends in every Region with that sign-in, with all sessions of the user,
// or alone at [PathSessions]. It lasts as long as that sign-in's session could, and IdleTimeout doesn't apply. Nodes
// of earlier versions list it at [PathSessions] without the program's name, and only while it isn't idle; they end it
// like any other session.
//
// Package portal/awsapi/oidc implements [Clients] for AWS's command line.
//
// # Pages
//
// All pages work without JavaScript and by keyboard. Their content security policy allows the portal's own style sheet,
// images and one script, and nothing inline. The script copies texts, shows instants in the user's time zone, and opens
// links such as "/#/console?account_id=...": a GET of "/" without a session answers a page on which it turns the part
// after "#" into a path, because a sign-in would lose that part. Without a script, that page begins the sign-in.
//
// [Config].Theme sets the name, logo, colors, support link and notice, and adds languages: see package theme. The
// browser chooses the language. [Config].Templates replaces templates one by one: see TEMPLATES.md in this directory.
//
// The page of a permission set shows the chosen role, the links of [Config].Actions, access keys if Config.Credentials
// issues them, and, with programs and Config.AWS, how AWS's command line gets its own. Without Config.AWS no page names
// AWS.
//
// The home page finds accounts by name, number, address and permission set, and applications, on the server. An account
// whose name begins with the query comes first. Pages of lists are below 100 kB and cost about the same however much a
// user has. What a user opened last and marked as a favorite is kept in [Config].Shortcuts, in all Regions. A shortcut
// gives no access, and is shown only while its target is assigned to the user. A process writes at most 30 marks of a
// user in a minute, and 30 targets that the user opened: more marks are refused with 429.
//
// A deep link is [PathConsole] with the parameters account_id and role_name. It survives the sign-in and leads to the
// first of Config.Actions, with its parameter destination, or to the page of the permission set. Without the permission
// set, a page says so.
//
// At [PathPeople] operators find users by name, userName, address, UUID, ID and externalId, and see their groups,
// access and sessions in all Regions. IDs and whole addresses come from indexes; names are looked for in parts of
// 10,000 users a page. It needs a [Directory] that lists users, as *center.View does. Sessions are also found by their
// ID and by an IP address, with Config.Audit: a store lists sessions by user, so the newest events of this Region say
// which users. Older ones, and those of other Regions, lead there through the events' page.
//
// [PathSessions] shows the browser, the system and the address with which a session began. The portal keeps them in the
// session's Data, as fixed names: no text of the client's. In the last 15 minutes of a session, or its last quarter,
// pages say that it ends, and link to a sign-in. It joins the earlier one.
package portal
