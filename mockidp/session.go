package mockidp

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"strings"
	"time"
)

// session is a browser that signed in.
type session struct {
	token   string
	login   string
	at      time.Time // AuthnInstant
	index   string    // SessionIndex
	factor  bool      // with a second factor
	expires time.Time
	apps    []participant // the apps that got an assertion; replaced, never written to
}

// sessionTable holds the sessions by token.
type sessionTable struct{ bounded[session] }

// end ends a user's sessions. A later user with this login, or the same one after reactivation, must sign in.
func (t *sessionTable) end(login string) {
	t.with(func(byToken map[string]session) {
		maps.DeleteFunc(byToken, func(_ string, s session) bool { return SameLogin(s.login, login) })
	})
}

// rename follows RenameUser.
func (t *sessionTable) rename(key, login string) {
	t.with(func(byToken map[string]session) {
		for token, s := range byToken {
			if loginKey(s.login) == key {
				s.login = login
				byToken[token] = s
			}
		}
	})
}

// EndSessions ends a user's sessions at the identity provider, as expiry does: the next sign-in asks for the password
// again. Service providers are not told, as they are by single logout, and pending sign-ins continue.
func (s *Server) EndSessions(login string) error {
	u := s.state.Load().user(login)
	if u == nil {
		return noSuchUser(login)
	}
	s.sessions.end(u.Login)
	return nil
}

// cookieName differs between servers, and so between tenants. Cookies ignore ports, so two mocks on 127.0.0.1 would
// otherwise overwrite each other's session cookies. Over https it is a __Host- cookie, or for a tenant, whose cookie
// has its path, a __Secure- one. Over http it can't be: some clients, such as Go's, don't send Secure cookies to
// loopback.
func (s *Server) cookieName() string {
	sum := sha256.Sum256([]byte(s.base()))
	name := "mockidp_" + hex.EncodeToString(sum[:4])
	switch {
	case !s.secure():
		return name
	case s.root != nil:
		return "__Secure-" + name
	}
	return "__Host-" + name
}

// cookiePath keeps the cookies of tenants out of each other's requests, of which they would grow the header.
func (s *Server) cookiePath() string {
	if s.root != nil {
		return s.prefix + "/"
	}
	return "/"
}

func (s *Server) secure() bool { return strings.HasPrefix(s.base(), "https:") }

func (s *Server) setCookie(w http.ResponseWriter, value string, maxAge int) {
	// Lax cookies are sent with every link and redirect, but not with another site's POST, so a POSTed AuthnRequest is
	// answered after a redirect to this Server. Host-only: no Domain.
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Value: value, Path: s.cookiePath(), MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode})
}

// sessionOf returns the browser's session and its user, or nils.
func (s *Server) sessionOf(r *http.Request, st *state) (*session, *User) {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return nil, nil
	}
	sess, ok := s.sessions.get(c.Value)
	if !ok || !s.now().Before(sess.expires) {
		return nil, nil
	}
	user := st.user(sess.login)
	if user == nil || user.deactivated() {
		return nil, nil
	}
	return &sess, user
}

// openSession signs the browser in, after all factors of the user. The token is new, against session fixation.
func (s *Server) openSession(w http.ResponseWriter, r *http.Request, u *User) (*session, *Error) {
	token, err := s.token(32)
	if err != nil {
		return nil, err
	}
	index, err := s.newID()
	if err != nil {
		return nil, err
	}
	now := s.now()
	sess := session{token: token, login: u.Login, at: now, index: index, factor: u.SecondFactor != "",
		expires: now.Add(s.config.SessionLifetime)}
	st := s.state.Load()
	if old, _ := s.sessionOf(r, st); old != nil {
		s.sessions.drop(old.token)
		if SameLogin(old.login, u.Login) { // they must still be told when the user signs out
			sess.apps = old.apps
		}
	}
	s.sessions.put(token, sess)
	if s.root != nil {
		s.root.tenants.signedIn(s)
	}
	s.setCookie(w, token, 0)
	s.failures.drop(loginKey(u.Login))
	if u := st.user(u.Login); u != nil {
		s.logins.put(u.ID, now)
	}
	s.config.Logger.Info("mockidp: signed in", "login", u.Login, "second factor", sess.factor)
	return &sess, nil
}
