package mockidp

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Single logout (SAML Profiles 4.4). The apps of the back channel are told first, by SOAP, then those in hidden frames.
// At last the browser carries a LogoutRequest to one app after another, and each answers with a LogoutResponse. An app
// that doesn't answer keeps the browser.

// participant is an app that got an assertion in a session, and what its LogoutRequests name.
type participant struct{ app, nameID, format, index string }

const maxParticipants = 100 // of a session; the oldest is forgotten

// join adds a participant to a session.
func (t *sessionTable) join(token string, p participant) {
	t.update(token, func(s *session) {
		apps := slices.DeleteFunc(slices.Clone(s.apps), func(q participant) bool { return q == p })
		apps = append(apps, p)
		s.apps = apps[max(0, len(apps)-maxParticipants):]
	})
}

// tells reports whether an app of the session has single logout.
func (sess *session) tells(st *state) bool {
	return slices.ContainsFunc(sess.apps, func(p participant) bool {
		app, err := st.samlApp(p.app)
		return err == nil && app.hasLogout()
	})
}

// hasLogout reports whether the app has single logout by any binding.
func (a *App) hasLogout() bool { return a.LogoutURL != "" || a.LogoutSOAPURL != "" }

// channel returns how the app is told.
func (a *App) channel() LogoutChannel {
	if a.LogoutURL == "" && a.LogoutSOAPURL != "" {
		return BackChannel
	}
	return a.LogoutChannel
}

// logout is a sign-out that isn't complete, or whose last page wasn't replaced yet.
type logout struct {
	at      time.Time
	login   string
	asking  asking        // the app that began it; zero: it began at this Server
	waiting []participant // the apps that aren't told yet, in order; replaced, never written to
	sent    string        // the ID of the LogoutRequest to the first of them, which hasn't answered; "" if there is none
	frames  []framed      // the apps that are told in frames; replaced, never written to
	told    []ToldApp     // replaced, never written to
}

// asking is what a LogoutResponse needs of the LogoutRequest.
type asking struct {
	app, relayState string
	request         *logoutMessage
	received        int64 // the ID of its Message
	begun           bool  // the session was looked for
}

// ToldApp is an app whose session was to end.
type ToldApp struct {
	App, Label string
	Problem    string // why it may still have a session; "" if it signed the user out
}

// bytes returns approximately how much memory a pending sign-out takes because of what its client sent.
func (l logout) bytes() int {
	n := 1<<10 + len(l.asking.relayState)
	if l.asking.request != nil {
		n += l.asking.request.bytes()
	}
	return n
}

// told returns the outcome for an app of the state.
func (st *state) told(p participant, problem string) ToldApp {
	t := ToldApp{App: p.app, Label: p.app, Problem: problem}
	if app, err := st.samlApp(p.app); err == nil {
		t.Label = app.Label
	}
	return t
}

// settle records the outcome of the first app that waits.
func (l *logout) settle(st *state, problem string) {
	t := st.told(l.waiting[0], problem)
	l.waiting, l.sent = l.waiting[1:], ""
	l.told = append(slices.Clip(l.told), t)
}

// partial reports whether an app may still have a session.
func partial(told []ToldApp) bool {
	return slices.ContainsFunc(told, func(t ToldApp) bool { return t.Problem != "" })
}

// storeLogout stores a sign-out and returns its key.
func (s *Server) storeLogout(l logout) (string, *Error) {
	key, err := s.token(16)
	if err == nil {
		s.logouts.put(key, l)
	}
	return key, err
}

func (s *Server) logoutByKey(key string) (logout, *Error) {
	l, ok := s.logouts.get(key)
	if !ok || s.now().Sub(l.at) > pendingLifetime {
		return logout{}, errorf(ReasonLogoutNotFound, "this sign-out is unknown or has expired")
	}
	return l, nil
}

// endSession signs the browser out of the Server. The sign-in page then leads to the sign-out with a key, because the
// browser doesn't get back there from an app that doesn't answer.
func (s *Server) endSession(w http.ResponseWriter, sess *session, key string) {
	s.sessions.drop(sess.token)
	if key == "" {
		s.setCookie(w, signedOut, 60)
	} else {
		s.setCookie(w, signedOut+key, int(pendingLifetime.Seconds()))
	}
	s.config.Logger.Info("mockidp: signed out", "login", sess.login)
}

// appAt returns the app of an address below /app/NAME/KEY/.
func (st *state) appAt(r *http.Request) (*App, *Error) {
	for _, a := range st.apps {
		if a.Kind == SAML && a.ExternalKey == r.PathValue("key") && a.Name == r.PathValue("name") {
			return a, nil
		}
	}
	return nil, errorf(ReasonNoSuchApp, "no app has this address")
}

// handleSLO serves an app's single logout address: LogoutRequests, and LogoutResponses to the Server's own.
func (s *Server) handleSLO(w http.ResponseWriter, r *http.Request) *Error {
	app, err := s.state.Load().appAt(r)
	if err != nil {
		return err
	}
	if app.LogoutURL == "" {
		return errorf(ReasonNoLogout, "the app %s has no single logout: register metadata with a SingleLogoutService, or "+
			"set its LogoutURL", quote(app.Label))
	}
	in, err := readLogout(w, r)
	if err != nil {
		return err
	}
	if in.param == "SAMLResponse" {
		return s.logoutAnswered(w, r, app, in)
	}
	msg, id, err := s.readLogoutMessage(app, in)
	if err != nil {
		return err
	}
	l := logout{at: s.now(), asking: asking{app.ID, in.relayState, msg, id, false}}
	key, err := s.storeLogout(l)
	if err != nil {
		return err
	}
	if in.binding == bindingRedirect {
		return s.beginLogout(w, r, key)
	}
	// The session cookie isn't sent with another site's POST, but it is with the redirect that follows.
	s.redirect(w, r, pathLogout+"?logout="+key)
	return nil
}

// beginLogout ends the browser's session, which a LogoutRequest must name, and tells the session's other apps. Without
// a session there is nothing to end: it was ended before, or expired, and the answer is a success.
func (s *Server) beginLogout(w http.ResponseWriter, r *http.Request, key string) *Error {
	var l logout
	first := false
	s.logouts.update(key, func(stored *logout) {
		first, stored.asking.begun = !stored.asking.begun, true
		l = *stored
	})
	if !first {
		return errorf(ReasonLogoutNotFound, "this sign-out is unknown or has begun already")
	}
	st := s.state.Load()
	app, err := st.samlApp(l.asking.app)
	if err != nil {
		return err
	}
	if sess, _ := s.sessionOf(r, st); sess != nil {
		if err := sess.named(app, l.asking.request, s.config.Strict); err != nil {
			s.messages.refuse(l.asking.received, err)
			s.logouts.drop(key)
			return err
		}
		s.endSession(w, sess, key)
		waiting := slices.DeleteFunc(slices.Clone(sess.apps), func(p participant) bool { return p.app == app.ID })
		s.logouts.update(key, func(l *logout) { l.login, l.waiting = sess.login, waiting })
	}
	return s.continueLogout(w, r, key)
}

// continueLogout sends the browser to the next app, back to the app that asked, or to the last page.
func (s *Server) continueLogout(w http.ResponseWriter, r *http.Request, key string) *Error {
	s.tellBackChannel(r.Context(), key)
	if s.openFrames(key) {
		s.redirect(w, r, pathLogout+"?logout="+url.QueryEscape(key))
		return nil
	}
	s.closeFrames(key)
	for {
		l, err := s.logoutByKey(key)
		if err != nil {
			return err
		}
		if len(l.waiting) == 0 {
			return s.finishLogout(w, r, key, l)
		}
		st := s.state.Load()
		app, err := st.samlApp(l.waiting[0].app)
		problem := ""
		switch {
		case err != nil:
			problem = "the app was removed"
		case app.LogoutURL == "":
			problem = "the app has no single logout"
		default:
			sent := func(id string) { s.logouts.update(key, func(l *logout) { l.sent = id }) }
			to := logoutTo{participant: l.waiting[0], login: l.login, sent: sent}
			if err = s.sendLogoutRequest(w, r, st, app, to); err == nil {
				return nil
			}
			problem = err.Detail
		}
		s.logouts.update(key, func(now *logout) {
			if len(now.waiting) == len(l.waiting) {
				now.settle(st, problem)
			}
		})
	}
}

// finishLogout answers the app that asked, at its registered address, or shows the last page.
func (s *Server) finishLogout(w http.ResponseWriter, r *http.Request, key string, l logout) *Error {
	if l.asking.app == "" {
		s.redirect(w, r, pathLogout+"?logout="+url.QueryEscape(key))
		return nil
	}
	s.logouts.drop(key)
	st := s.state.Load()
	app, err := st.samlApp(l.asking.app)
	if err == nil && app.LogoutURL == "" {
		err = errorf(ReasonNoLogout, "the app %s has no single logout any more", quote(app.Label))
	}
	if err != nil {
		return err
	}
	return s.sendLogoutResponse(w, r, st, app, l)
}

// logoutAnswered reads a LogoutResponse. A wrong one counts as a failure of its app, and the sign-out goes on.
func (s *Server) logoutAnswered(w http.ResponseWriter, r *http.Request, app *App, in incoming) *Error {
	msg, id, bad := s.readLogoutMessage(app, in)
	if msg == nil {
		return bad
	}
	key, problem, st, inFrame := "", msg.problem(bad), s.state.Load(), false
	s.logouts.with(func(all map[string]logout) {
		for k, l := range all {
			if s.now().Sub(l.at) <= pendingLifetime && l.answerFrame(app, msg, problem) {
				inFrame, key, all[k] = true, k, l
			}
			if l.sent == msg.inResponseTo && l.sent != "" && l.waiting[0].app == app.ID && s.now().Sub(l.at) <= pendingLifetime {
				l.settle(st, problem)
				key, all[k] = k, l
			}
		}
	})
	if key == "" && bad == nil {
		bad = errorf(ReasonLogoutNotFound, "no sign-out waits for the LogoutResponse to %s", quote(msg.inResponseTo))
		s.messages.refuse(id, bad)
	}
	if key == "" {
		return bad
	}
	if inFrame {
		showFrameAnswered(w, problem)
		return nil
	}
	return s.continueLogout(w, r, key)
}

// problem returns why an app whose LogoutResponse this is may still have a session, or "". bad is why it was refused.
func (m *logoutMessage) problem(bad *Error) string {
	switch {
	case bad != nil:
		return "its answer was refused: " + bad.Detail
	case m.status != StatusSuccess || m.subStatus != "":
		return "it answered with the status " + quote(lastPart(m.status)+" "+lastPart(m.subStatus))
	}
	return ""
}
