package oktaapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// action carries out a button's action and shows the page again.
func (s *API) action(w http.ResponseWriter, r *http.Request) {
	v, err := readForm(w, r)
	if err != nil {
		s.errorPage(w, http.StatusBadRequest, "The form can't be read.")
		return
	}
	attack, app, user := v.Get("attack"), v.Get("app"), v.Get("user")
	do, known := map[string]func() error{
		"reset":        func() error { s.idp.Reset(); return nil },
		"advance":      func() error { return s.advance(v.Get("by")) },
		"queue-user":   func() error { return s.idp.QueueUser(user) },
		"queue-error":  func() error { return s.idp.QueueError(app, mockidp.Status{SubCode: v.Get("status")}) },
		"queue-attack": func() error { return s.idp.QueueMutation(attack, app, user) },
		"queue-clear":  func() error { s.idp.ClearQueue(); return nil },
		"attack-on":    func() error { return s.idp.SetMutation(attack, app, user) },
		"attack-off":   func() error { return s.idp.SetMutation("", app, user) },
		"fault":        func() error { return s.inject(mockidp.FaultKind(v.Get("kind")), app) },
		"fault-clear":  func() error { s.idp.ClearFaults(""); return nil },
		"deliver":      func() error { return s.replay(v.Get("message")) },
	}[r.PathValue("action")]
	if !known {
		s.errorPage(w, http.StatusNotFound, "There is no such action.")
		return
	}
	if err := do(); err != nil {
		text := cut(err.Error())
		s.errorPage(w, http.StatusBadRequest, strings.ToUpper(text[:1])+text[1:]+".")
		return
	}
	to := "/"
	if id := v.Get("message"); id != "" {
		to = "/messages/" + url.PathEscape(id)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *API) advance(by string) error {
	d, err := time.ParseDuration(by)
	if err != nil {
		return fmt.Errorf("want a duration such as 90m or -1h, got %s", quote(by))
	}
	s.idp.Advance(d)
	return nil
}

// inject injects a fault into the next response.
func (s *API) inject(kind mockidp.FaultKind, app string) error {
	durations := map[mockidp.FaultKind]time.Duration{mockidp.Delay: 3 * time.Second, mockidp.ClockSkew: time.Hour}
	return s.idp.Inject(mockidp.Fault{Kind: kind, App: app, Count: 1, For: durations[kind]})
}

// replay posts a message again, without a browser.
func (s *API) replay(id string) error {
	m, ok := s.findMessage(id)
	if !ok || m.Direction != mockidp.Sent {
		return &mockidp.Error{Reason: mockidp.ReasonNoSuchMessage, Detail: "no message that was sent has this ID"}
	}
	s.deliver(m.Form)
	return nil
}
