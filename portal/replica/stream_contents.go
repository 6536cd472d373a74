package replica

import (
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// contents are what the Region's own server holds of each stream, as its reader
// has seen it: the Region's own streams and the copies of others'.
type contents struct {
	mu   sync.Mutex
	of   map[string]*integrity.Content // by stream
	ends map[string]copyEnd            // of copies, by stream
}

func newContents() *contents {
	return &contents{of: map[string]*integrity.Content{}, ends: map[string]copyEnd{}}
}

// with lets look at a stream's Content, which is gone when it returns.
func (c *contents) with(stream string, look func(*integrity.Content)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[stream] == nil {
		c.of[stream] = integrity.NewContent()
	}
	look(c.of[stream])
}

// drop lets go of a stream that is read no longer.
func (c *contents) drop(stream string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, stream)
	delete(c.ends, stream)
}

// forget lets go of what expired before an instant.
func (c *contents) forget(before int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.of {
		one.Forget(before)
	}
}

// note takes a message that was read into the content of its stream. opened is
// false where it could not be opened.
func (n *Node) note(a arrival, h nats.Header, subject string, sealed []byte, opened bool) {
	m := n.messageOf(a, h, subject, sealed, opened)
	n.contents.with(a.kind.stream(a.region), func(c *integrity.Content) { c.Add(m) })
	n.contents.copied(a.kind.stream(a.region), copyEnd{m.Store, integrity.Proof{Seq: m.Seq, Item: m.Item, Token: h.Get(headerProof)}})
}

// messageOf is what a Content takes of a message.
func (n *Node) messageOf(a arrival, h nats.Header, subject string, sealed []byte, opened bool) integrity.Message {
	m := integrity.Message{Store: a.store, Read: number(h.Get(headerRead)), Seq: a.seq, Subject: subject, Until: int64(number(h.Get(headerUntil)))}
	if a.region == n.cfg.Region {
		m.Store, m.Read = n.identity.Load().Stores[string(a.kind)], 0
	}
	m.Item = itemOf(subject, m.Until, a.body, sealed, opened)
	if p, ok := readPartHeader(h.Get(headerPart)); ok && p.full == 1 && p.part == p.of-1 {
		m.Replaces = integrity.ReplacedBy(subject)
	}
	return m
}

// itemOf hashes what a message says. One that doesn't open is hashed as it is:
// then a Region that opens it has another hash, which is reported.
func itemOf(subject string, until int64, plain, sealed []byte, opened bool) integrity.Item {
	if !opened {
		return integrity.HashItem(subject, until, append([]byte("sealed: "), sealed...))
	}
	return integrity.HashItem(subject, until, plain)
}
