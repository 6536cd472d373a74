package mockidp

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// Single logout in hidden frames: one page shows a frame for each app, in which the LogoutRequest goes there and the
// LogoutResponse comes back, all at once. The page goes on when all have answered, after ten seconds, or by its button.

// framed is an app that is told in a frame.
type framed struct {
	participant
	sent     string // the ID of its LogoutRequest
	answered bool
	problem  string // of its answer
}

const (
	pathLogoutFrame = "/login/logout/frame"
	scriptFrames    = "frames.js"
)

// openFrames moves the apps that are told in frames from those that wait, and reports whether there are any.
func (s *Server) openFrames(key string) (opened bool) {
	st := s.state.Load()
	s.logouts.update(key, func(l *logout) {
		isFramed := func(p participant) bool {
			app, err := st.samlApp(p.app)
			return err == nil && app.LogoutURL != "" && app.channel() == HiddenFrame
		}
		if opened = l.sent == "" && slices.ContainsFunc(l.waiting, isFramed); !opened {
			return
		}
		frames := slices.Clone(l.frames)
		for _, p := range l.waiting {
			if isFramed(p) {
				frames = append(frames, framed{participant: p})
			}
		}
		l.frames, l.waiting = frames, slices.DeleteFunc(slices.Clone(l.waiting), isFramed)
	})
	return opened
}

// closeFrames records the outcomes of all frames.
func (s *Server) closeFrames(key string) {
	st := s.state.Load()
	s.logouts.update(key, func(l *logout) {
		told := slices.Clone(l.told)
		for _, f := range l.frames {
			told = append(told, st.told(f.participant, f.outcome()))
		}
		l.told, l.frames = told, nil
	})
}

// outcome returns why the app may still have a session, or "".
func (f framed) outcome() string {
	if !f.answered {
		return "it didn't answer in its frame"
	}
	return f.problem
}

// handleLogoutFrame sends a frame to its app.
func (s *Server) handleLogoutFrame(w http.ResponseWriter, r *http.Request) *Error {
	q := r.URL.Query()
	key := q.Get("logout")
	l, err := s.logoutByKey(key)
	if err != nil {
		return err
	}
	n, nerr := strconv.Atoi(q.Get("frame"))
	if nerr != nil || n < 0 || n >= len(l.frames) || l.frames[n].answered {
		return errorf(ReasonLogoutNotFound, "this sign-out has no such frame, or its app has answered")
	}
	st, p := s.state.Load(), l.frames[n].participant
	app, err := st.samlApp(p.app)
	if err != nil {
		return err
	}
	sent := func(id string) {
		s.logouts.update(key, func(l *logout) {
			if l.frames = slices.Clone(l.frames); n < len(l.frames) {
				l.frames[n].sent = id
			}
		})
	}
	return s.sendLogoutRequest(w, r, st, app, logoutTo{participant: p, login: l.login, framed: true, sent: sent})
}

// answerFrame records the LogoutResponse that a frame of a sign-out waits for, and reports whether one does.
func (l *logout) answerFrame(app *App, msg *logoutMessage, problem string) bool {
	i := slices.IndexFunc(l.frames, func(f framed) bool {
		return f.sent == msg.inResponseTo && f.sent != "" && f.app == app.ID && !f.answered
	})
	if i < 0 {
		return false
	}
	l.frames = slices.Clone(l.frames)
	l.frames[i].answered, l.frames[i].problem = true, problem
	return true
}

// showFrameAnswered ends a frame. The script of the page around it reads data-logout.
func showFrameAnswered(w http.ResponseWriter, problem string) {
	text := html.EscapeString(told(problem))
	w.Header().Set("Content-Security-Policy", framedPolicy(""))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Single logout</title>`+
		`</head><body data-logout="`+text+`"><p>`+text+`</p></body></html>`)
}

// told says an outcome to a user.
func told(problem string) string {
	if problem == "" {
		return "Signed out."
	}
	return "Not signed out: " + problem + "."
}

// showFrames shows the page with the frames.
func (s *Server) showFrames(w http.ResponseWriter, key string, l logout) {
	type frame struct{ ID, Label, Source, Text string }
	var frames []frame
	st := s.state.Load()
	for i, f := range l.frames {
		shown := frame{ID: "app-" + itoa(i), Label: st.told(f.participant, "").Label, Text: "No answer yet."}
		if f.answered {
			shown.Text = told(f.problem)
		} else {
			shown.Source = s.prefix + pathLogoutFrame + "?" + url.Values{"logout": {key}, "frame": {itoa(i)}}.Encode()
		}
		frames = append(frames, shown)
	}
	w.Header().Set("Content-Security-Policy", policy("")+"; frame-src *")
	s.render(w, http.StatusOK, "frames", page{Title: "Signing out of your apps", Script: scriptFrames, Body: struct {
		Key    string
		Frames []frame
	}{key, frames}})
}
