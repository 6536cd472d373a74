package mockidp

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// pending is a sign-in that waits for the user. It holds the request, but never the URL of the answer: that is
// determined when the answer is made, by the app's settings at that time.
type pending struct {
	appID        string
	req          *authnRequest // nil: IdP-initiated
	relayState   string
	loginHint    string // fills in the sign-in page
	at           time.Time
	attack       string  // chosen on the sign-in page, or ""
	unregistered bool    // it was refused, and waits for its service provider to be registered
	target       *target // with Config.AnyServiceProvider, or nil
	freshIn      string  // the session that was opened for this sign-in, as ForceAuthn requires
}

func (p *pending) passive() bool { return p.req != nil && p.req.IsPassive }
func (p *pending) force(app *App) bool {
	return p.req != nil && p.req.ForceAuthn && !app.IgnoreForceAuthn
}

// bytes returns approximately how much memory a pending sign-in takes because of what its client sent.
func (p pending) bytes() int {
	n := 1<<10 + len(p.relayState) + len(p.loginHint)
	if p.target != nil {
		n += len(p.target.audience) + len(p.target.acs)
	}
	if p.req == nil {
		return n
	}
	n += len(p.req.Issuer) + len(p.req.Destination) + len(p.req.SPQualifier)
	for _, text := range []*string{p.req.ACSURL, p.req.NameIDFormat} {
		if text != nil {
			n += len(*text)
		}
	}
	if c := p.req.Context; c != nil {
		for _, class := range c.classes {
			n += len(class)
		}
	}
	if subject := p.req.Subject; subject != nil {
		n += len(subject.value) + len(subject.format) + len(subject.qualifier) + len(subject.spQualifier)
	}
	return n
}

const pendingLifetime = 30 * time.Minute

// storePending stores a pending sign-in, unless it already has a key, and returns its key for the pages.
func (s *Server) storePending(p pending, key string) (string, *Error) {
	if key != "" {
		return key, nil
	}
	key, err := s.token(16)
	if err == nil {
		s.pending.put(key, p)
	}
	return key, err
}

// pendingByKey returns a pending sign-in that hasn't expired.
func (s *Server) pendingByKey(key string) (pending, *Error) {
	p, err := s.storedPending(key)
	if err == nil && p.unregistered {
		return pending{}, errorf(ReasonRequestNotFound, "this sign-in was refused; start again at the app")
	}
	return p, err
}

// storedPending is pendingByKey for sign-ins that were refused, too.
func (s *Server) storedPending(key string) (pending, *Error) {
	p, ok := s.pending.get(key)
	if !ok || s.now().Sub(p.at) > pendingLifetime {
		err := errorf(ReasonRequestNotFound, "this sign-in is unknown or has expired; start again at the app")
		err.app = p.appID
		return pending{}, err
	}
	return p, nil
}

// pendingOf returns the pending sign-in of a form. The form names the app too, so that the page about a sign-in that is
// no longer known can lead back to it.
func (s *Server) pendingOf(form url.Values) (pending, *Error) {
	p, err := s.pendingByKey(form.Get("pending"))
	if err != nil {
		err.app = cmp.Or(err.app, form.Get("app"))
	}
	return p, err
}

// signIn is the data of the sign-in page.
type signIn struct {
	Pending string // key of the pending sign-in, or ""
	App     *App   // of the pending sign-in, or nil
	Login   string // the login that was entered
	User    *User  // who is signed in but must sign in again, or nil
	Hint    string

	Failed, Locked, SignedOut bool
	Unfinished                string // the path of a sign-out in which an app hasn't answered, or ""
	Cancel                    bool   // the service provider can be sent a status

	Attacks *attackList // offered for the answer, or nil
	Compose string      // the path of the page on which the answer is composed, or ""
}

func (s *Server) signInPage(w http.ResponseWriter, status int, body signIn) {
	body.Hint = s.config.Hint
	if body.Login == "" && body.User != nil {
		body.Login = body.User.Login
	}
	if body.App != nil && body.App.Kind == SAML && len(s.config.Mutations) > 0 {
		body.Attacks = &attackList{Families: s.families(""), Ordered: s.mutationOrdered(body.App.ID)}
	}
	if s.config.Compose && (body.App == nil || body.App.Kind == SAML) {
		body.Compose = s.prefix + pathCompose
		if body.Pending != "" {
			body.Compose += "?pending=" + url.QueryEscape(body.Pending)
		}
	}
	s.allowBookmark(w, body.App)
	s.render(w, status, "signin", page{Title: "Sign in", Script: scriptPage, Body: body})
}

// allowBookmark lets the page's form lead to a bookmark: browsers apply form-action to every redirect that follows.
func (s *Server) allowBookmark(w http.ResponseWriter, app *App) {
	if app != nil && app.Kind == Bookmark {
		w.Header().Set("Content-Security-Policy", policy(""))
	}
}

func (s *Server) handleSignInPage(w http.ResponseWriter, r *http.Request) *Error {
	st := s.state.Load()
	if key := r.URL.Query().Get("again"); key != "" {
		if again, ok := s.again.get(key); ok {
			return s.showAgain(w, st, again)
		}
	}
	if key := r.URL.Query().Get("pending"); key != "" { // from the page on which an answer is composed
		return s.showPending(w, st, key)
	}
	if _, user := s.sessionOf(r, st); user != nil {
		s.redirect(w, r, pathDashboard)
		return nil
	}
	if queued := s.takeUser(st); queued != nil {
		return s.signedIn(w, r, queued, "")
	}
	c, err := r.Cookie(s.cookieName())
	page := signIn{}
	if err == nil {
		var key string
		key, page.SignedOut = strings.CutPrefix(c.Value, signedOut)
		if l, err := s.logoutByKey(key); err == nil && len(l.waiting) > 0 && l.sent != "" {
			page.Unfinished = s.prefix + pathLogout + "?logout=" + url.QueryEscape(key)
		}
	}
	s.signInPage(w, http.StatusOK, page)
	return nil
}

func (s *Server) showPending(w http.ResponseWriter, st *state, key string) *Error {
	p, err := s.pendingByKey(key)
	if err != nil {
		return err
	}
	app, err := st.appOf(p)
	if err != nil {
		return err
	}
	return s.showSignIn(w, st, app, p, key, nil)
}

// signInAgain leads to the sign-in page with what was wrong. The page has an address of its own, so that a browser can
// go back to it.
func (s *Server) signInAgain(w http.ResponseWriter, r *http.Request, body signIn) *Error {
	key, err := s.token(16)
	if err != nil {
		return err
	}
	body.Login = cut(body.Login)
	s.again.put(key, body)
	s.redirect(w, r, pathSignIn+"?again="+key)
	return nil
}

func (s *Server) showAgain(w http.ResponseWriter, st *state, body signIn) *Error {
	if body.Pending != "" {
		p, err := s.pendingByKey(body.Pending)
		if err != nil {
			return err
		}
		body.App, _ = st.appOf(p)
	}
	status := http.StatusUnauthorized
	if body.Locked {
		status = http.StatusForbidden
	}
	s.signInPage(w, status, body)
	return nil
}

func (s *Server) handleSignIn(w http.ResponseWriter, r *http.Request, form url.Values) *Error {
	st, key := s.state.Load(), form.Get("pending")
	page := signIn{Login: form.Get("username"), Pending: key}
	if key != "" {
		p, err := s.pendingOf(form)
		if err != nil {
			return err
		}
		page.App, _ = st.appOf(p)
		page.Cancel = p.req != nil
	}
	user := st.user(page.Login)
	switch {
	case user == nil:
		s.config.Logger.Info("mockidp: sign-in failed", "login", cut(page.Login))
		page.Failed = true
	case user.Status != Active: // the password isn't checked, so the page doesn't confirm a guess
		page.Locked = true
	case !same(user.Password, form.Get("password")): // the same text as for an unknown login
		page.Failed = true
		page.Locked = s.failed(user).Status != Active
	}
	if page.App != nil && !page.Failed && !page.Locked {
		if err := s.chooseAttack(key, form.Get("attack")); err != nil {
			return malformed(err, "this attack can't be made")
		}
	}
	switch {
	case page.Locked:
		return s.locked(w, r, key, user, page)
	case page.Failed:
		return s.signInAgain(w, r, page)
	case user.SecondFactor != "":
		return s.askFactor(w, r, factor{login: user.Login, pending: key})
	}
	return s.signedIn(w, r, user, key)
}

// failed counts a wrong password or code, and locks the user out after Config.MaxFailures. It returns the new user.
func (s *Server) failed(u *User) *User {
	s.config.Logger.Info("mockidp: sign-in failed", "login", u.Login)
	n := 0
	s.failures.with(func(inARow map[string]int) {
		inARow[loginKey(u.Login)]++
		n = inARow[loginKey(u.Login)]
	})
	if s.config.MaxFailures < 0 || n < s.config.MaxFailures {
		return u
	}
	err := s.UpdateUser(u.Login, func(u *User) error {
		if u.Status == Active {
			u.Status = LockedOut
		}
		return nil
	})
	if err == nil {
		s.config.Logger.Warn("mockidp: locked out", "login", u.Login)
	}
	if now := s.state.Load().user(u.Login); now != nil {
		return now
	}
	return u
}

// chooseAttack sets the mutation of the answer to this sign-in. It has precedence over those queued or switched on.
func (s *Server) chooseAttack(key, id string) error {
	if id != "" {
		if _, err := s.checkMutation(s.state.Load(), StandingMutation{ID: id}); err != nil {
			return err
		}
	}
	s.pending.update(key, func(p *pending) { p.attack = id })
	return nil
}

// locked reports a locked account: to the service provider if the app has RefuseByStatus, else to the user.
func (s *Server) locked(w http.ResponseWriter, r *http.Request, key string, u *User, page signIn) *Error {
	st := s.state.Load()
	if p, err := s.pendingByKey(key); err == nil {
		if app, err := st.appOf(p); err == nil && app.Refusals == RefuseByStatus && p.req != nil {
			return s.post(w, r, app, func() (posted, *Error) { return s.refusal(st, app, p, inactive(u)) })
		}
	}
	page.Failed = false
	return s.signInAgain(w, r, page)
}

// signedIn opens a session and continues the pending sign-in, if there is one.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request, u *User, key string) *Error {
	sess, err := s.openSession(w, r, u)
	if err != nil {
		return err
	}
	if key == "" {
		s.redirect(w, r, pathDashboard)
		return nil
	}
	s.pending.update(key, func(p *pending) { p.freshIn = sess.token })
	s.redirect(w, r, pathContinue+"?pending="+url.QueryEscape(key))
	return nil
}

// handleCancel tells the service provider that the user cancelled, as Keycloak and others do.
func (s *Server) handleCancel(w http.ResponseWriter, r *http.Request, form url.Values) *Error {
	p, err := s.pendingOf(form)
	if err != nil {
		return err
	}
	st := s.state.Load()
	app, err := st.appOf(p)
	if err == nil && p.req == nil {
		err = malformed(nil, "no service provider waits for this sign-in")
	}
	if err != nil {
		return err
	}
	return s.postStatus(w, r, st, app, p, Status{StatusResponder, StatusAuthnFailed, "The user cancelled the sign-in."})
}

// signedOut is the session cookie for a while after signing out, for the sign-in page. The key of a sign-out from apps
// may follow. Tokens are longer.
const signedOut = "signed-out"

func (s *Server) handleSignOut(w http.ResponseWriter, r *http.Request, _ url.Values) *Error {
	st := s.state.Load()
	sess, _ := s.sessionOf(r, st)
	if sess == nil {
		s.setCookie(w, signedOut, 60)
		s.redirect(w, r, pathSignIn)
		return nil
	}
	if !sess.tells(st) {
		s.endSession(w, sess, "")
		s.redirect(w, r, pathSignIn)
		return nil
	}
	key, err := s.storeLogout(logout{at: s.now(), login: sess.login, waiting: sess.apps})
	if err != nil {
		return err
	}
	s.endSession(w, sess, key)
	s.redirect(w, r, pathLogout+"?logout="+key)
	return nil
}
