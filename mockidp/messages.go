package mockidp

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Direction is which way a Message went.
type Direction string

// The directions.
const (
	Received Direction = "received" // an AuthnRequest from a service provider
	Sent     Direction = "sent"     // a Response for one
)

// Message is a SAML message that passed, decoded.
type Message struct {
	ID         int64 // counts up from 1, also across Reset
	Time       time.Time
	Direction  Direction
	App        string // the app's ID
	User       string // the login a Response is about; "" for requests and error statuses
	Binding    string // its URN
	ACS        string // Sent: where the Response goes. Received: what the request asked for by URL, or ""
	RelayState string
	XML        []byte      // nil if the message couldn't be decoded
	Refused    *Error      // why a request was refused, or nil
	Status     *Status     // Sent: the status of a Response without an assertion; nil for a success
	Faults     []FaultKind // Sent: what was made to go wrong with it
	Attack     string      // Sent: the ID of the mutation that it became, or "" for a good answer
	Form       Form        // Sent: what the browser gets to send
	Answer     *ACSAnswer  // Sent: what the ACS answered, if anybody said so (Deliver, RecordAnswer); else nil
}

func (m Message) clone() Message {
	m.XML, m.Faults, m.Status, m.Form = slices.Clone(m.XML), slices.Clone(m.Faults), clonePtr(m.Status), m.Form.clone()
	if m.Answer != nil {
		a := m.Answer.clone()
		m.Answer = &a
	}
	return m
}

// size is what a message takes, more or less.
func (m Message) size() int {
	n := len(m.XML) + len(m.Form.SAMLResponse)
	for _, x := range m.Form.Fields {
		n += len(x.Value)
	}
	return n
}

// They bound the list: the oldest are forgotten.
const (
	keptMessages = 200
	keptBytes    = 64 << 20 // of attacks, some of which are megabytes
)

// messageLog is a ring; it owns its messages, and hands out copies.
type messageLog struct {
	mu      sync.Mutex
	list    []Message
	bytes   int   // of all on the list
	last    int64 // ID of the newest
	changed bell  // rings when one was added or updated
}

func (l *messageLog) add(m Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.list) > 0 && (len(l.list) == keptMessages || l.bytes+m.size() > keptBytes) {
		l.bytes -= l.list[0].size()
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.bytes += m.size()
	l.last++
	m.ID = l.last
	l.list = append(l.list, m)
	l.changed.wake()
}

// ClearMessages forgets all messages. IDs count on.
func (s *Server) ClearMessages() { s.messages.reset() }

func (l *messageLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list, l.bytes = nil, 0
}

// update changes the newest message that f takes, and says whether there was one.
func (l *messageLog) update(f func(*Message) bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.list) - 1; i >= 0; i-- {
		if f(&l.list[i]) {
			l.changed.wake()
			return true
		}
	}
	return false
}

// otherRelayState is the newest that another request for the app came with.
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

// Messages returns the last 200 messages, the oldest first; fewer where large
// ones, which only Config.Mutate makes, would be over 64 MiB together.
func (s *Server) Messages() []Message {
	s.messages.mu.Lock()
	defer s.messages.mu.Unlock()
	out := slices.Clone(s.messages.list)
	for i := range out {
		out[i] = out[i].clone()
	}
	return out
}

// WaitMessage returns the oldest message that matches, as soon as there is
// one; a message counts again when its Answer becomes known. The error is
// ctx's. match is called without a lock, and may be called twice for one message.
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
