package mockidp

import (
	"context"
	"net/url"
	"slices"
	"sync"
)

// LogoutResult tells what a Logout did.
type LogoutResult struct {
	// Told are the apps that were told by SOAP.
	Told []ToldApp
	// URL is the page on which the user's browser goes on with the other apps; "" if there are none. Its script tells
	// them one after another: a test opens it with testkit.Browser.Open and then calls Continue. It is valid for as long
	// as a sign-out may take.
	URL string
}

// Logout ends all sessions of a user at the Server and tells their apps, as “Sign out” does in a browser: those of the
// BackChannel at once, the others when a browser goes through LogoutResult.URL. EndSessions tells no app.
func (s *Server) Logout(ctx context.Context, login string) (LogoutResult, error) {
	st := s.state.Load()
	u := st.user(login)
	if u == nil {
		return LogoutResult{}, noSuchUser(login)
	}
	l := logout{at: s.now(), login: u.Login}
	s.sessions.with(func(byToken map[string]session) {
		for token, sess := range byToken {
			if !SameLogin(sess.login, u.Login) {
				continue
			}
			delete(byToken, token)
			for _, p := range sess.apps {
				if !slices.Contains(l.waiting, p) {
					l.waiting = append(l.waiting, p)
				}
			}
		}
	})
	key, err := s.storeLogout(l)
	if err != nil {
		return LogoutResult{}, err
	}
	s.config.Logger.Info("mockidp: signed out", "login", u.Login)
	s.tellBackChannel(ctx, key)
	l, err = s.logoutByKey(key)
	if err != nil {
		return LogoutResult{}, err
	}
	out := LogoutResult{Told: l.told}
	if len(l.waiting) > 0 {
		out.URL = s.base() + pathLogout + "?logout=" + url.QueryEscape(key)
	}
	return out, nil
}

// tellBackChannel tells the apps of a sign-out that the browser needn't visit: by SOAP, all at once.
func (s *Server) tellBackChannel(ctx context.Context, key string) {
	st := s.state.Load()
	var login string
	var now []participant
	s.logouts.update(key, func(l *logout) {
		isBack := func(p participant) bool {
			app, err := st.samlApp(p.app)
			return err == nil && app.channel() == BackChannel
		}
		if l.sent != "" {
			return // the browser's turn
		}
		for _, p := range l.waiting {
			if isBack(p) {
				now = append(now, p)
			}
		}
		login, l.waiting = l.login, slices.DeleteFunc(slices.Clone(l.waiting), isBack)
		l.told = slices.Clip(l.told)
		for _, p := range now { // until they answer
			l.told = append(l.told, st.told(p, "it hasn't answered yet"))
		}
	})
	if len(now) == 0 {
		return
	}
	outcome := s.tellBySOAP(ctx, st, login, now)
	s.logouts.update(key, func(l *logout) {
		l.told = slices.Clone(l.told)
		for _, t := range outcome {
			i := slices.IndexFunc(l.told, func(was ToldApp) bool {
				return was.App == t.App && was.Problem == "it hasn't answered yet"
			})
			if i >= 0 {
				l.told[i] = t
			}
		}
	})
}

// tellBySOAP sends each participant a LogoutRequest by SOAP, and returns the outcomes in order. A browser that
// disconnects doesn't end the calls.
func (s *Server) tellBySOAP(ctx context.Context, st *state, login string, list []participant) []ToldApp {
	ctx = context.WithoutCancel(ctx)
	out := make([]ToldApp, len(list))
	atOnce := make(chan struct{}, 10)
	var wg sync.WaitGroup
	for i, p := range list {
		wg.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			out[i] = st.told(p, s.endBySOAP(ctx, st, login, p))
		})
	}
	wg.Wait()
	return out
}

// endBySOAP tells one app, and returns the problem or "".
func (s *Server) endBySOAP(ctx context.Context, st *state, login string, p participant) string {
	app, err := st.samlApp(p.app)
	switch {
	case err != nil:
		return "the app was removed"
	case app.LogoutSOAPURL == "":
		return "the app has no single logout by SOAP"
	}
	id, doc, err := s.logoutRequest(app, p, app.LogoutSOAPURL)
	if err != nil {
		return err.Detail
	}
	faults := s.takeLogoutFaults(app, "SAMLRequest")
	raw, err := s.signedBySOAP(st, app, doc, faults, Message{User: login, ACS: app.LogoutSOAPURL})
	if err != nil {
		return err.Detail
	}
	in, err := s.callSOAP(ctx, app.LogoutSOAPURL, raw, "SAMLResponse")
	if err != nil {
		s.config.Logger.Warn("mockidp: a logout by SOAP failed", "app", app.ID, "error", err.Error())
		return err.Error()
	}
	msg, at, err := s.readLogoutMessage(app, in)
	if err == nil && msg.inResponseTo != id {
		err = mismatch(ReasonLogoutNotFound, id, msg.inResponseTo, "the InResponseTo is not the LogoutRequest's ID")
		s.messages.refuse(at, err)
	}
	return msg.problem(err)
}
