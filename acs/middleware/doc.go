// Package middleware protects the handlers of a program: only signed-in users reach them, and each handler gets the
// user's session. It is package acs with sessions, for programs that have none of their own.
//
//	guard, err := middleware.New(middleware.Config{
//		Config: acs.Config{
//			SP:     sp, // with saml.Config.Logout, so that users are signed out at the identity provider, too
//			Region: "eu-central-1",
//			Store:  acs.NewMemoryStore(acs.MemoryConfig{}), // or one that the Region's nodes share, as Sessions
//		},
//		Sessions: sessions.NewMemoryStore(sessions.MemoryConfig{}),
//	})
//	if err != nil {
//		return err
//	}
//	guard.Mount(mux)                       // the ACS and logout URLs, and the pages of Config.Paths
//	own := http.NewCrossOriginProtection() // refuses forms of other sites
//	mux.Handle("/", own.Handler(guard.Require(app)))
//	mux.Handle("/admin/", own.Handler(guard.RequireWith(middleware.Requirement{MaxAuthnAge: 5 * time.Minute})(admin)))
//
// Put only the program's own handlers behind http.CrossOriginProtection. Around the whole mux it refuses the forms that
// the identity provider's pages post to the ACS URL, and with them every sign-in.
//
// A handler finds the user by From, and signs out with a form that posts to /saml/logout:
//
//	user := middleware.From(r.Context())
//	fmt.Fprintf(w, `<p>%s</p><form method="post" action="/saml/logout"><button>Sign out</button></form>`,
//		html.EscapeString(user.UserName))
//
// # Sessions
//
// The session's cookie has the prefix __Host-, and is Secure, HttpOnly and SameSite=Lax. It is a random identifier: the
// session is in Config.Sessions, so that it can be ended from elsewhere. Each sign-in makes a new identifier. A session
// ends by sign-out, by idleness, at its maximum age, at the SessionNotOnOrAfter of the assertion, and when the identity
// provider ends it (single logout), also if the LogoutRequest arrives before the sign-in is finished.
//
// Browsers don't send a Lax cookie with the form that the identity provider's page posts. So the sign-in is finished by
// a GET of Paths.Continue, in the browser that began it. If a browser is signed in and another user signs in, nothing
// changes before the user has agreed.
//
// A handler that runs long is not stopped when its session ends. One of a WebSocket or another stream should end at the
// session's Expires.
package middleware
