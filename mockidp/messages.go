package mockidp

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Direction is the direction of a Message.
type Direction string

// The directions.
const (
	Received Direction = "received" // an AuthnRequest or a logout message from a service provider
	Sent     Direction = "sent"     // a Response to one, or a logout message
)

// Message is a SAML message that was received or sent, decoded.
type Message struct {
	ID         int64 // counts up from 1, also across Reset
	Time       time.Time
	Direction  Direction
	App        string // the app's ID
	User       string // the login a Response is about; "" for requests and error statuses
	Binding    string // its URN
	ACS        string // Sent: where the message goes. Received: the URL that the request names, or ""
	RelayState string
	XML        []byte      // nil if the message couldn't be decoded
	Refused    *Error      // why a request was refused, or nil
	Status     *Status     // Sent: the status of a Response without an assertion; nil for a success
	Faults     []FaultKind // Sent: the faults that affected it
	Attack     string      // Sent: the ID of the mutation that it became, or "" for a valid answer
	Edited     bool        // Sent: its XML was edited on the page where it was composed
	Form       Form        // Sent: the form that the browser gets
	Answer     *ACSAnswer  // Sent: the answer of the ACS, if known (Deliver, RecordAnswer); else nil
}

func (m Message) clone() Message {
	m.XML, m.Faults, m.Status, m.Form = slices.Clone(m.XML), slices.Clone(m.Faults), clonePtr(m.Status), m.Form.clone()
	if m.Answer != nil {
		m.Answer = new(m.Answer.clone())
	}
	return m
}

// size returns approximately how many bytes a message takes.
func (m Message) size() int {
	n := len(m.XML) + len(m.Form.SAMLResponse)
	for _, x := range m.Form.Fields {
		n += len(x.Value)
	}
	return n
}

// Bounds of the list. The oldest messages are dropped.
const (
	keptMessages = 200
	keptBytes    = 64 << 20 // for attacks, some of which are megabytes
)

type messageLog struct {
	mu    sync.Mutex
	list  []Message
	bytes int // of all on the list
	// mostBytes bounds bytes. A larger message is alone on the list.
	mostBytes int
	last      int64     // ID of the newest
	changed   broadcast // wakes when one was added or updated
}

// add returns the message's ID.
func (l *messageLog) add(m Message) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.list) > 0 && (len(l.list) == keptMessages || l.bytes+m.size() > l.mostBytes) {
		l.bytes -= l.list[0].size()
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.bytes += m.size()
	l.last++
	m.ID = l.last
	l.list = append(l.list, m)
	l.changed.wake()
	return m.ID
}

// refuse records why a received message was refused after it was added.
func (l *messageLog) refuse(id int64, err *Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.list {
		if l.list[i].ID == id {
			l.list[i].Refused = err
			l.changed.wake()
		}
	}
}

// ClearMessages removes all messages. IDs continue.
func (s *Server) ClearMessages() { s.messages.reset() }

func (l *messageLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list, l.bytes = nil, 0
}

// setAnswer records an answer with the newest sent message that matches, and reports whether there is one.
func (l *messageLog) setAnswer(a ACSAnswer, matches func(*Message) bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.list) - 1; i >= 0; i-- {
		if m := &l.list[i]; m.Direction == Sent && matches(m) {
			m.Answer = new(a.clone())
			l.changed.wake()
			return true
		}
	}
	return false
}

// otherRelayState returns the RelayState of the newest request for the app that has another one.
func (l *messageLog) otherRelayState(app, own string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range slices.Backward(l.list) {
		if m.Direction == Received && m.App == app && m.RelayState != "" && m.RelayState != own {
			return m.RelayState
		}
	}
	return ""
}

// Messages returns the last 200 messages, the oldest first; fewer if large ones, which only Config.Mutate makes, would
// exceed 64 MiB together, or in a tenant 1 MiB.
func (s *Server) Messages() []Message {
	s.messages.mu.Lock()
	defer s.messages.mu.Unlock()
	out := slices.Clone(s.messages.list)
	for i := range out {
		out[i] = out[i].clone()
	}
	return out
}

// WaitMessage returns the oldest message that matches, as soon as there is one; messages are matched again when an
// Answer becomes known. The error is ctx's. match is called without a lock, and may be called twice for one message.
func (s *Server) WaitMessage(ctx context.Context, match func(Message) bool) (Message, error) {
	for {
		changed := s.messages.changed.wait()
		for _, m := range s.Messages() {
			if match(m) {
				return m, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Message{}, ctx.Err()
		}
	}
}

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
// The Server doesn't see answers to a browser's own posts; RecordAnswer records them. client holds the browser's
// cookie jar; nil is a new Client. Redirects aren't followed.
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
		return m.Form.URL == f.URL && m.Form.SAMLResponse == f.SAMLResponse && slices.Equal(m.Form.Fields, f.Fields)
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
