package oktaapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// action does what a button says, and shows the page again.
func (s *API) action(w http.ResponseWriter, r *http.Request) {
	v, err := readForm(w, r)
	if err != nil {
		s.says(w, http.StatusBadRequest, "The form can't be read.")
		return
	}
	do, known := map[string]func(url.Values) error{
		"reset":      func(url.Values) error { s.idp.Reset(); return nil },
		"advance":    s.actAdvance,
		"queue-user": func(v url.Values) error { return s.idp.QueueUser(v.Get("user")) },
		"queue-error": func(v url.Values) error {
			return s.idp.QueueError(v.Get("app"), mockidp.Status{SubCode: v.Get("status")})
		},
		"queue-attack": func(v url.Values) error { return s.idp.QueueMutation(v.Get("attack"), v.Get("app"), v.Get("user")) },
		"queue-clear":  func(url.Values) error { s.idp.ClearQueue(); return nil },
		"attack-on":    func(v url.Values) error { return s.idp.SetMutation(v.Get("attack"), v.Get("app"), v.Get("user")) },
		"attack-off":   func(v url.Values) error { return s.idp.SetMutation("", v.Get("app"), v.Get("user")) },
		"fault":        s.actFault,
		"fault-clear":  func(url.Values) error { s.idp.ClearFaults(""); return nil },
		"deliver":      s.actDeliver,
	}[r.PathValue("action")]
	if !known {
		s.says(w, http.StatusNotFound, "There is no such button.")
		return
	}
	if err := do(v); err != nil {
		s.says(w, http.StatusBadRequest, sentence(err))
		return
	}
	to := "/"
	if id := v.Get("message"); id != "" {
		to = "/messages/" + url.PathEscape(id)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *API) actAdvance(v url.Values) error {
	d, err := time.ParseDuration(v.Get("by"))
	if err != nil {
		return fmt.Errorf("%s isn't a duration such as 90m or -1h", quote(v.Get("by")))
	}
	s.idp.Advance(d)
	return nil
}

func (s *API) actFault(v url.Values) error {
	f := mockidp.Fault{Kind: mockidp.FaultKind(v.Get("kind")), App: v.Get("app"), Count: 1}
	switch f.Kind {
	case mockidp.Delay:
		f.For = 3 * time.Second
	case mockidp.ClockSkew:
		f.For = time.Hour
	}
	return s.idp.Inject(f)
}

// actDeliver posts a message once more, without a browser: a replay.
func (s *API) actDeliver(v url.Values) error {
	m, ok := s.message(v.Get("message"))
	if !ok || m.Direction != mockidp.Sent {
		return &mockidp.Error{Reason: mockidp.ReasonNoSuchMessage, Detail: "no message that was sent has this ID"}
	}
	s.deliverBounded(m.Form)
	return nil
}

func sentence(err error) string {
	s := cut(err.Error())
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
