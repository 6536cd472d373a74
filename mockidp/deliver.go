package mockidp

import (
	"io"
	"net/http"
	"slices"
	"time"
)

// ACSAnswer is what an assertion consumer service answered to a Response.
type ACSAnswer struct {
	Time     time.Time
	Status   int    // the HTTP status; 0 if there was no answer
	Location string // where it redirects, or ""
	Body     []byte // at most the first 64 KiB
	Err      string // why there was no answer, or ""
}

func (a ACSAnswer) clone() ACSAnswer {
	a.Body = slices.Clone(a.Body)
	return a
}

// keptAnswer is how much of an answer is kept.
const keptAnswer = 64 << 10

// Deliver posts a form to its assertion consumer service, as a browser would,
// and keeps the answer with the message. A browser's own post passes this
// server by: whoever sees its answer can tell RecordAnswer. client's jar is
// the browser's; nil is a new Client. Redirects aren't followed.
func (s *Server) Deliver(client *http.Client, f Form) (ACSAnswer, error) {
	if client == nil {
		client = s.Client()
	}
	once := *client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a, err := f.deliver(&once)
	if err != nil {
		a.Err = cut(err.Error())
	}
	a.Time = s.now()
	s.messages.update(func(m *Message) bool {
		if m.Direction != Sent || m.Form.URL != f.URL || m.Form.SAMLResponse != f.SAMLResponse {
			return false
		}
		kept := a.clone()
		m.Answer = &kept
		return true
	})
	return a, err
}

func (f Form) deliver(client *http.Client) (a ACSAnswer, err error) {
	req, err := f.request()
	if err != nil {
		return a, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	a.Status, a.Location = resp.StatusCode, resp.Header.Get("Location")
	a.Body, err = io.ReadAll(io.LimitReader(resp.Body, keptAnswer))
	return a, err
}

// RecordAnswer notes what an assertion consumer service answered to a message
// that was sent: for those who drive a browser, and see what it saw.
func (s *Server) RecordAnswer(messageID int64, a ACSAnswer) error {
	a = a.clone()
	a.Body = a.Body[:min(len(a.Body), keptAnswer)]
	if a.Time.IsZero() {
		a.Time = s.now()
	}
	found := s.messages.update(func(m *Message) bool {
		if m.ID != messageID || m.Direction != Sent {
			return false
		}
		m.Answer = &a
		return true
	})
	if !found {
		return &Error{Reason: ReasonNoSuchMessage, Detail: "no message that was sent has the ID " + itoa(int(messageID))}
	}
	return nil
}
