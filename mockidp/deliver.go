package mockidp

import (
	"io"
	"net/http"
	"slices"
	"time"
)

// ACSAnswer is the answer of an assertion consumer service to a Response.
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

const keptAnswer = 64 << 10 // bytes of an answer's body

// Deliver posts a form to its assertion consumer service, as a browser would, and records the answer with the message.
// The Server doesn't see answers to a browser's own posts; RecordAnswer records them. client holds the browser's cookie
// jar; nil is a new Client. Redirects aren't followed.
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
	s.messages.setAnswer(a, func(m *Message) bool {
		return m.Form.URL == f.URL && m.Form.SAMLResponse == f.SAMLResponse
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

// RecordAnswer records the answer of an assertion consumer service to a sent message, for callers that drive a browser
// and see its answer.
func (s *Server) RecordAnswer(messageID int64, a ACSAnswer) error {
	a.Body = a.Body[:min(len(a.Body), keptAnswer)]
	if a.Time.IsZero() {
		a.Time = s.now()
	}
	if !s.messages.setAnswer(a, func(m *Message) bool { return m.ID == messageID }) {
		return errorf(ReasonNoSuchMessage, "no sent message has the ID %d", messageID)
	}
	return nil
}
