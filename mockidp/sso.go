package mockidp

import (
	"net/http"
	"net/url"
)

// success answers for a user; it is where assignment and the ACS list are
// checked for the last time. sess is the user's sign-in.
func (s *Server) success(st *state, p pending, u *User, sess *session) (posted, *Error) {
	app, err := st.samlApp(p.appID)
	if err != nil {
		return posted{}, err
	}
	if status, wrong := p.wrongSubject(st, app, u); wrong {
		return s.statusAnswer(st, p, status)
	}
	if !app.openTo(u) {
		return s.refusal(st, p, notAssigned(app, u))
	}
	class := app.classFor(p.req, strengthOf(sess.factor))
	if class == "" {
		return s.statusAnswer(st, p, noContext)
	}
	a, err := s.answerOf(app, p)
	if err != nil {
		return posted{}, err
	}
	a.user, a.authnInstant, a.sessionIndex, a.class, a.attack = u, sess.at, sess.index, class, p.attack
	if a.nameID, a.format, err = s.nameFor(app, p.req, u); err != nil {
		return posted{}, err
	}
	return s.respond(st, a)
}

// answerOf is what a success and a failure have in common.
func (s *Server) answerOf(app *App, p pending) (answer, *Error) {
	acs, err := app.resolve(p.req)
	a := answer{app: app, acs: acs, relayState: p.relayState, now: s.now()}
	if p.req != nil {
		a.inResponseTo = p.req.ID
	}
	return a, err
}

// refusal is an error, or for an app with RefuseByStatus the answer that says so.
func (s *Server) refusal(st *state, p pending, err *Error) (posted, *Error) {
	status, told := statusFor(err)
	app, aerr := st.samlApp(p.appID)
	if aerr != nil || !told || p.req == nil || app.Refusals != RefuseByStatus {
		return posted{}, err
	}
	return s.statusAnswer(st, p, status)
}

// statusAnswer answers a request with no assertion (SAML Core 3.2.2).
func (s *Server) statusAnswer(st *state, p pending, status Status) (posted, *Error) {
	app, err := st.samlApp(p.appID)
	if err != nil {
		return posted{}, err
	}
	a, err := s.answerOf(app, p)
	if err != nil {
		return posted{}, err
	}
	a.failure = &status
	return s.respond(st, a)
}

func notAssigned(app *App, u *User) *Error {
	if app.Inactive {
		return &Error{Reason: ReasonNotAssigned, Detail: "the app " + quote(app.Label) + " is switched off"}
	}
	return &Error{Reason: ReasonNotAssigned, Detail: "the user " + quote(u.Login) + " isn't assigned to the app " + quote(app.Label)}
}

// proceed takes a pending sign-in as far as it goes: an answer, a page that
// says no, or the sign-in page. key is "" while it isn't stored.
func (s *Server) proceed(w http.ResponseWriter, r *http.Request, p pending, key string) *Error {
	st := s.state.Load()
	app, err := st.app(p.appID)
	if err != nil {
		return err
	}
	if status, wrong := p.wrongSubject(st, app, nil); wrong { // no password would help
		return s.post(w, r, app, func() (posted, *Error) { return s.statusAnswer(st, p, status) })
	}
	sess, user := s.sessionOf(r, st)
	other := !p.isFor(app, user) // the request is about another user, who may sign in
	if user == nil || (p.force(app) || other) && p.freshIn != sess.token {
		if p.passive() {
			return s.post(w, r, app, func() (posted, *Error) { return s.statusAnswer(st, p, noPassive) })
		}
		if !p.canBe(app, withFactor) { // by nobody: no need to ask for a password
			return s.post(w, r, app, func() (posted, *Error) { return s.statusAnswer(st, p, noContext) })
		}
		queued := s.queue.takeUser(st)
		if queued == nil {
			return s.ask(w, r, p, key, p.page(st, app, user))
		}
		opened, err := s.newSession(queued, queued.SecondFactor != "")
		if err != nil {
			return err
		}
		s.openSession(w, r, st, opened)
		sess, user = &opened, queued
	}
	if !p.canBe(app, strengthOf(sess.factor)) && p.canBe(app, withFactor) && user.SecondFactor != "" && !p.passive() {
		return s.stepUp(w, r, p, key, user)
	}
	return s.finish(w, r, st, app, p, sess, user)
}

// page is the sign-in page for a user who has to prove who they are again, or
// nil. A user whom the request asks about is filled in.
func (p *pending) page(st *state, app *App, user *User) signIn {
	out := signIn{App: app, User: user}
	if expected := p.expected(st, app); expected != nil {
		out.Login = expected.Login
	}
	return out
}

// ask shows the sign-in page for a pending sign-in.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, p pending, key string, page signIn) *Error {
	key, err := s.hold(p, key)
	if err != nil {
		return err
	}
	page.Pending, page.Cancel = key, p.req != nil
	s.signInPage(w, r, http.StatusOK, page)
	return nil
}

// finish lets a signed-in user through to the app.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, st *state, app *App, p pending, sess *session, u *User) *Error {
	if app.Kind == Bookmark {
		if !app.openTo(u) {
			return notAssigned(app, u)
		}
		http.Redirect(w, r, app.URL, http.StatusFound)
		return nil
	}
	return s.post(w, r, app, func() (posted, *Error) { return s.success(st, p, u, sess) })
}

// handleSSO is the single sign-on service of an app: both bindings, and
// without a SAMLRequest the start of IdP-initiated sign-in.
func (s *Server) handleSSO(w http.ResponseWriter, r *http.Request) *Error {
	app := s.state.Load().byKey(r.PathValue("key"))
	if app == nil || app.Name != r.PathValue("name") {
		return &Error{Reason: ReasonNoSuchApp, Detail: "no app has this sign-on address"}
	}
	in, err := readHTTP(w, r)
	if err != nil {
		return err
	}
	p, err := s.read(app, in)
	return s.begin(w, r, app, in, p, err)
}

// begin goes on with a request that was read, or with what is wrong with it.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, app *App, in incoming, p pending, err *Error) *Error {
	if err != nil {
		return s.post(w, r, app, func() (posted, *Error) { return s.refusal(s.state.Load(), p, err) })
	}
	if in.binding == bindingRedirect {
		return s.proceed(w, r, p, "")
	}
	// The session cookie isn't sent with another site's POST; it is with the
	// redirect that follows.
	key, err := s.hold(p, "")
	if err != nil {
		return err
	}
	s.redirect(w, r, pathContinue+"?pending="+key)
	return nil
}

// readHTTP takes the parameters of a GET (HTTP-Redirect) or a POST (HTTP-POST).
func readHTTP(w http.ResponseWriter, r *http.Request) (incoming, *Error) {
	if r.Method != http.MethodPost {
		if len(r.URL.RawQuery) > 2*maxRequest { // percent-encoding may triple what xml() caps
			return incoming{}, tooLarge("the query")
		}
		v, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return incoming{}, malformed(err, "the query can't be read")
		}
		in, perr := readParams(bindingRedirect, v)
		in.query = r.URL.RawQuery
		return in, perr
	}
	v, err := readForm(w, r)
	if err != nil {
		return incoming{}, err
	}
	in, err := readParams(bindingPOST, v)
	if err == nil && !in.has {
		err = malformed(nil, "the form has no SAMLRequest")
	}
	return in, err
}

func (s *Server) handleContinue(w http.ResponseWriter, r *http.Request) *Error {
	key := r.URL.Query().Get("pending")
	p, err := s.held(key)
	if err != nil {
		return err
	}
	return s.proceed(w, r, p, key)
}

// handleBookmark is where a bookmark's tile leads.
func (s *Server) handleBookmark(w http.ResponseWriter, r *http.Request) *Error {
	app, err := s.state.Load().app(r.PathValue("id"))
	if err == nil && app.Kind != Bookmark {
		err = &Error{Reason: ReasonNoSuchApp, Detail: "no bookmark has this address"}
	}
	if err != nil {
		return err
	}
	return s.proceed(w, r, pending{appID: app.ID, at: s.now()}, "")
}
