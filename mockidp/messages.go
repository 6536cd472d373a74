package mockidp

import (
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
	Time       time.Time
	Direction  Direction
	App        string // the app's ID
	User       string // the login a Response is about; "" for requests and error statuses
	Binding    string // its URN
	ACS        string // Sent: where the Response goes. Received: what the request asked for by URL, or ""
	RelayState string
	XML        []byte // nil if the message couldn't be decoded
	Refused    *Error // why a request was refused, or nil
}

// keptMessages bounds the list: the oldest are forgotten.
const keptMessages = 200

// messageLog is a ring; it owns its messages, and hands out copies.
type messageLog struct {
	mu   sync.Mutex
	list []Message
}

func (l *messageLog) add(m Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == keptMessages {
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.list = append(l.list, m)
}

// Messages returns the last 200 messages, the oldest first.
func (s *Server) Messages() []Message {
	s.messages.mu.Lock()
	defer s.messages.mu.Unlock()
	out := slices.Clone(s.messages.list)
	for i := range out {
		out[i].XML = slices.Clone(out[i].XML)
	}
	return out
}
