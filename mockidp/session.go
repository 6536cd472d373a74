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
	factor  bool      // a second factor was given
	expires time.Time
}

// keptSessions bounds the table. A session takes a password, so no stranger fills it.
const keptSessions = 10000

// sessionTable has the sessions by token.
type sessionTable struct{ table[session] }

func (t *sessionTable) open(s session, now time.Time) {
	t.with(func(byToken map[string]session) {
		if len(byToken) >= keptSessions {
			makeRoom(byToken, now)
		}
		byToken[s.token] = s
	})
}

// makeRoom drops what has expired and, if nothing has, the session that ends first.
func makeRoom(byToken map[string]session, now time.Time) {
	oldest := ""
	for token, s := range byToken {
		if !now.Before(s.expires) {
			delete(byToken, token)
		} else if oldest == "" || s.expires.Before(byToken[oldest].expires) {
			oldest = token
		}
	}
	if len(byToken) >= keptSessions {
		delete(byToken, oldest)
	}
}

// end ends a user's sessions: whoever gets the login later, or the status back,
// has to sign in.
func (t *sessionTable) end(login string) {
	t.with(func(byToken map[string]session) {
		maps.DeleteFunc(byToken, func(_ string, s session) bool { return SameLogin(s.login, login) })
	})
}

// rename goes with RenameUser.
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

// cookieName differs between servers: cookies ignore ports, and two mocks on
// 127.0.0.1 would otherwise sign each other's browsers out. Over https it is a
// __Host- cookie. Over http it can't be: Chromium takes Secure cookies from
// loopback, other clients, Go's among them, don't send them back.
func (s *Server) cookieName() string {
	sum := sha256.Sum256([]byte(s.base()))
	name := "mockidp_" + hex.EncodeToString(sum[:4])
	if s.secure() {
		return "__Host-" + name
	}
	return name
}

func (s *Server) secure() bool { return strings.HasPrefix(s.base(), "https:") }

func (s *Server) setCookie(w http.ResponseWriter, value string, maxAge int) {
	// Lax reaches every page by link or redirect. It is absent from another
	// site's POST, which is why a POSTed AuthnRequest is answered after a
	// redirect to ourselves. Host-only: no Domain.
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode})
}

// sessionOf finds the browser's session and its user, or nils. A user who was
// removed, suspended or deprovisioned has no session.
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
	if user == nil || user.gone() {
		return nil, nil
	}
	return &sess, user
}

// newSession opens a session. The token is always new: one that was planted
// before sign-in is worth nothing after it.
func (s *Server) newSession(u *User, factor bool) (session, *Error) {
	b, err := s.random(32)
	if err != nil {
		return session{}, err
	}
	index, err := s.newID()
	if err != nil {
		return session{}, err
	}
	now := s.now()
	return session{token: hex.EncodeToString(b), login: u.Login, at: now, index: index, factor: factor, expires: now.Add(s.config.SessionLifetime)}, nil
}

// openSession gives the browser its session, in place of any it had.
func (s *Server) openSession(w http.ResponseWriter, r *http.Request, st *state, sess session) {
	if old, _ := s.sessionOf(r, st); old != nil {
		s.sessions.drop(old.token)
	}
	s.sessions.open(sess, sess.at)
	s.setCookie(w, sess.token, 0)
	s.failures.drop(loginKey(sess.login))
	if u := st.user(sess.login); u != nil {
		s.logins.put(u.ID, sess.at)
	}
	s.config.Logger.Info("mockidp: signed in", "login", sess.login, "second factor", sess.factor)
}
