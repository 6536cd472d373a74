package mockidp

import (
	"net/http"
	"net/url"
	"time"
)

// factor is a sign-in that has the password and lacks the second factor.
type factor struct {
	login   string
	pending string // key of the pending sign-in it belongs to, or ""
	at      time.Time
}

const factorLifetime = 5 * time.Minute

// secondFactor is the body of its page.
type secondFactor struct {
	Key            string
	Login          string
	App            *App // what it is for, or nil
	Failed, StepUp bool
}

// stepUp asks somebody who signed in with a password for the second factor
// that a request needs.
func (s *Server) stepUp(w http.ResponseWriter, r *http.Request, p pending, key string, u *User) *Error {
	key, err := s.hold(p, key)
	if err != nil {
		return err
	}
	return s.askFactor(w, r, factor{login: u.Login, pending: key})
}

func (s *Server) askFactor(w http.ResponseWriter, r *http.Request, f factor) *Error {
	key, err := s.token()
	if err != nil {
		return err
	}
	f.at = s.now()
	s.factors.put(key, f)
	s.factorPage(w, r, http.StatusOK, key, f, false)
	return nil
}

func (s *Server) factorPage(w http.ResponseWriter, r *http.Request, status int, key string, f factor, failed bool) {
	st := s.state.Load()
	_, user := s.sessionOf(r, st)
	body := secondFactor{Key: key, Login: f.login, Failed: failed, StepUp: user != nil}
	if p, err := s.held(f.pending); err == nil {
		body.App, _ = st.app(p.appID)
	}
	if body.App != nil && body.App.Kind == Bookmark {
		w.Header().Set("Content-Security-Policy", policy("")) // as on the sign-in page
	}
	s.render(w, status, "factor", page{Title: "Second factor", Body: body})
}

// handleFactor takes the code.
func (s *Server) handleFactor(w http.ResponseWriter, r *http.Request, form url.Values) *Error {
	key := form.Get("factor")
	f, ok := s.factors.get(key)
	if !ok || s.now().Sub(f.at) > factorLifetime {
		return &Error{Reason: ReasonRequestNotFound, Detail: "this sign-in is too old or was never begun; start again"}
	}
	user := s.state.Load().user(f.login)
	if user == nil || user.Status != Active {
		return s.lockedAtFactor(w, r, f, user)
	}
	if !same(user.SecondFactor, form.Get("code")) {
		if user = s.failed(user); user.Status != Active {
			return s.lockedAtFactor(w, r, f, user)
		}
		s.factorPage(w, r, http.StatusUnauthorized, key, f, true)
		return nil
	}
	s.factors.drop(key) // it opens one session
	return s.signedIn(w, r, user, true, f.pending)
}

func (s *Server) lockedAtFactor(w http.ResponseWriter, r *http.Request, f factor, u *User) *Error {
	if u == nil {
		return noSuchUser(f.login)
	}
	return s.locked(w, r, f.pending, u, signIn{Login: f.login, Locked: true})
}
