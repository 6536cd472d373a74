package mockidp

import (
	"net/http"
	"net/url"
	"time"
)

// factor is a sign-in with the right password that lacks the second factor.
type factor struct {
	login   string
	pending string // key of the pending sign-in, or ""
	at      time.Time
}

const factorLifetime = 5 * time.Minute

func (s *Server) askFactor(w http.ResponseWriter, r *http.Request, f factor) *Error {
	key, err := s.token(16)
	if err != nil {
		return err
	}
	f.at = s.now()
	s.factors.put(key, f)
	s.redirect(w, r, pathFactor+"?factor="+key)
	return nil
}

func (s *Server) factorByKey(key string) (factor, *Error) {
	f, ok := s.factors.get(key)
	if !ok || s.now().Sub(f.at) > factorLifetime {
		return f, errorf(ReasonRequestNotFound, "this sign-in is unknown or has expired; start again")
	}
	return f, nil
}

// handleFactorPage asks for the code, at an address of its own, so that a browser can go back to it.
func (s *Server) handleFactorPage(w http.ResponseWriter, r *http.Request) *Error {
	key, status := r.URL.Query().Get("factor"), http.StatusOK
	f, err := s.factorByKey(key)
	if err != nil {
		return err
	}
	failed := r.URL.Query().Has("wrong")
	if failed {
		status = http.StatusUnauthorized
	}
	st := s.state.Load()
	var app *App // of the pending sign-in, or nil
	if p, err := s.pendingByKey(f.pending); err == nil {
		app, _ = st.appOf(p)
	}
	s.allowBookmark(w, app)
	_, user := s.sessionOf(r, st)
	s.render(w, status, "factor", page{Title: "Second factor", Body: struct {
		Key            string
		Login          string
		App            *App
		Failed, StepUp bool
	}{key, f.login, app, failed, user != nil}})
	return nil
}

func (s *Server) handleFactor(w http.ResponseWriter, r *http.Request, form url.Values) *Error {
	key := form.Get("factor")
	f, err := s.factorByKey(key)
	if err != nil {
		return err
	}
	user := s.state.Load().user(f.login)
	if user == nil {
		return noSuchUser(f.login)
	}
	failed := user.Status == Active && !same(user.SecondFactor, form.Get("code"))
	if failed {
		user = s.failed(user)
	}
	switch {
	case user.Status != Active:
		return s.locked(w, r, f.pending, user, signIn{Login: f.login, Locked: true})
	case failed:
		s.redirect(w, r, pathFactor+"?factor="+url.QueryEscape(key)+"&wrong=")
		return nil
	}
	s.factors.drop(key) // a second factor opens one session only
	return s.signedIn(w, r, user, f.pending)
}
