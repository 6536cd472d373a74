package mockidp

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// adminAction does what a button says, and shows the page again.
func (s *Server) adminAction(w http.ResponseWriter, r *http.Request) {
	v, err := readForm(w, r)
	if err != nil {
		s.adminSays(w, http.StatusBadRequest, sentence(err.Detail))
		return
	}
	do, known := map[string]func(url.Values) error{
		"reset":        func(url.Values) error { s.Reset(); return nil },
		"advance":      s.actAdvance,
		"queue-user":   func(v url.Values) error { return s.QueueUser(v.Get("user")) },
		"queue-error":  func(v url.Values) error { return s.QueueError(v.Get("app"), Status{SubCode: v.Get("status")}) },
		"queue-attack": func(v url.Values) error { return s.QueueMutation(v.Get("attack"), v.Get("app"), v.Get("user")) },
		"queue-clear":  func(url.Values) error { s.ClearQueue(); return nil },
		"attack-on":    func(v url.Values) error { return s.SetMutation(v.Get("attack"), v.Get("app"), v.Get("user")) },
		"attack-off":   func(v url.Values) error { return s.SetMutation("", v.Get("app"), v.Get("user")) },
		"fault":        s.actFault,
		"fault-clear":  func(url.Values) error { s.ClearFaults(""); return nil },
		"deliver":      s.actDeliver,
	}[r.PathValue("action")]
	if !known {
		s.adminSays(w, http.StatusNotFound, "There is no such button.")
		return
	}
	if err := do(v); err != nil {
		s.adminSays(w, http.StatusBadRequest, sentence(cut(err.Error())))
		return
	}
	to := "/"
	if id := v.Get("message"); id != "" {
		to = "/messages/" + url.PathEscape(id)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Server) actAdvance(v url.Values) error {
	d, err := time.ParseDuration(v.Get("by"))
	if err != nil {
		return badConfig("%s isn't a duration such as 90m or -1h", quote(v.Get("by")))
	}
	s.Advance(d)
	return nil
}

func (s *Server) actFault(v url.Values) error {
	f := Fault{Kind: FaultKind(v.Get("kind")), App: v.Get("app"), Count: 1}
	switch f.Kind {
	case Delay:
		f.For = 3 * time.Second
	case ClockSkew:
		f.For = time.Hour
	}
	return s.Inject(f)
}

// actDeliver posts a message once more, without a browser: a replay.
func (s *Server) actDeliver(v url.Values) error {
	id, err := strconv.ParseInt(v.Get("message"), 10, 64)
	m, ok := s.message(id)
	if err != nil || !ok || m.Direction != Sent {
		return &Error{Reason: ReasonNoSuchMessage, Detail: "no message that was sent has this ID"}
	}
	s.deliverBounded(m.Form)
	return nil
}
