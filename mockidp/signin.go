package mockidp

import (
	"net/http"
	"net/url"
)

func (s *Server) handleSignInPage(w http.ResponseWriter, r *http.Request) *Error {
	st := s.state.Load()
	if _, user := s.sessionOf(r, st); user != nil {
		s.redirect(w, r, pathDashboard)
		return nil
	}
	if queued := s.queue.takeUser(st); queued != nil {
		return s.signedIn(w, r, queued, queued.SecondFactor != "", "")
	}
	c, err := r.Cookie(s.cookieName())
	s.signInPage(w, r, http.StatusOK, signIn{SignedOut: err == nil && c.Value == signedOut})
	return nil
}

// handleSignIn takes the username and the password.
func (s *Server) handleSignIn(w http.ResponseWriter, r *http.Request, form url.Values) *Error {
	st, key := s.state.Load(), form.Get("pending")
	page := signIn{Login: form.Get("username"), Pending: key}
	if key != "" {
		p, err := s.held(key)
		if err != nil {
			return err
		}
		page.App, _ = st.app(p.appID)
		page.Cancel = p.req != nil
	}
	user := st.user(page.Login)
	switch {
	case user == nil:
		s.config.Logger.Info("mockidp: sign-in failed", "login", cut(page.Login))
		page.Failed = true
	case user.Status != Active: // whatever the password is: trying costs nothing and gains nothing
		page.Locked = true
	case !same(user.Password, form.Get("password")):
		// One sentence, as for a login that doesn't exist.
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
		s.signInPage(w, r, http.StatusUnauthorized, page)
		return nil
	case user.SecondFactor != "":
		return s.askFactor(w, r, factor{login: user.Login, pending: key})
	}
	return s.signedIn(w, r, user, false, key)
}

// chooseAttack is for the answer to this sign-in alone, and goes before what
// was ordered elsewhere.
func (s *Server) chooseAttack(key, id string) error {
	if id != "" {
		if _, err := s.checkMutation(s.state.Load(), StandingMutation{ID: id}); err != nil {
			return err
		}
	}
	s.pending.update(key, func(p *pending) { p.attack = id })
	return nil
}

// locked says so: to the service provider, if the app wants it to know, else
// to the person.
func (s *Server) locked(w http.ResponseWriter, r *http.Request, key string, u *User, page signIn) *Error {
	st := s.state.Load()
	if p, err := s.held(key); err == nil {
		if app, err := st.samlApp(p.appID); err == nil && app.Refusals == RefuseByStatus && p.req != nil {
			return s.post(w, r, app, func() (posted, *Error) { return s.refusal(st, p, inactive(u)) })
		}
	}
	page.Failed = false
	s.signInPage(w, r, http.StatusForbidden, page)
	return nil
}

// signedIn opens a session and goes on to what the person came for.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request, u *User, factor bool, key string) *Error {
	sess, err := s.newSession(u, factor)
	if err != nil {
		return err
	}
	s.openSession(w, r, s.state.Load(), sess)
	if key == "" {
		s.redirect(w, r, pathDashboard)
		return nil
	}
	s.pending.update(key, func(p *pending) { p.freshIn = sess.token })
	s.redirect(w, r, pathContinue+"?pending="+url.QueryEscape(key))
	return nil
}

// handleCancel is for those who would rather not sign in: the service provider
// is told, as Keycloak and others do.
func (s *Server) handleCancel(w http.ResponseWriter, r *http.Request, form url.Values) *Error {
	p, err := s.held(form.Get("pending"))
	if err != nil {
		return err
	}
	st := s.state.Load()
	app, err := st.samlApp(p.appID)
	if err == nil && p.req == nil {
		err = malformed(nil, "no service provider waits for this sign-in")
	}
	if err != nil {
		return err
	}
	return s.post(w, r, app, func() (posted, *Error) {
		return s.statusAnswer(st, p, Status{StatusResponder, StatusAuthnFailed, "The person chose not to sign in."})
	})
}

// signedOut stands in the session's cookie for a minute after signing out, so
// that the sign-in page can say so. It is no token: those are longer.
const signedOut = "signed-out"

func (s *Server) handleSignOut(w http.ResponseWriter, r *http.Request, _ url.Values) *Error {
	if sess, _ := s.sessionOf(r, s.state.Load()); sess != nil {
		s.sessions.drop(sess.token)
	}
	s.setCookie(w, signedOut, 60)
	s.redirect(w, r, pathSignIn)
	return nil
}
