package replica

import (
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// contents are the streams on the Region's own server, its own and copies, as their
// readers have seen them.
type contents struct {
	mu   sync.Mutex
	of   map[string]*integrity.Content // by stream
	ends map[string]copyEnd            // of copies, by stream
}

func newContents() *contents {
	return &contents{of: map[string]*integrity.Content{}, ends: map[string]copyEnd{}}
}

// with calls look with the Content of a stream, which must not keep it.
func (c *contents) with(stream string, look func(*integrity.Content)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[stream] == nil {
		c.of[stream] = integrity.NewContent()
	}
	look(c.of[stream])
}

// drop forgets a stream that is no longer read.
func (c *contents) drop(stream string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, stream)
	delete(c.ends, stream)
}

// forget drops what expired before an instant.
func (c *contents) forget(before int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.of {
		one.Forget(before)
	}
}

// copyEnd returns the last message of a copy, or nil.
func (c *contents) copyEnd(stream string) *copyEnd {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.ends[stream]; ok {
		return &e
	}
	return nil
}

// copied notes the last message of a copy that has a proof.
func (c *contents) copied(stream string, e copyEnd) {
	if e.Proof.Token == "" {
		return // from an older version, or padding
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends[stream] = e
}

// note adds a message that was read to the content of its stream. opened is false if it
// could not be opened.
func (n *Node) note(a arrival, h nats.Header, subject string, sealed []byte, opened bool) {
	m := n.messageOf(a, h, subject, sealed, opened)
	n.contents.with(a.kind.stream(a.region), func(c *integrity.Content) { c.Add(m) })
	n.contents.copied(a.kind.stream(a.region), copyEnd{m.Store, integrity.Proof{Seq: m.Seq, Item: m.Item, Token: h.Get(headerProof)}})
}

// messageOf describes a message to a Content.
func (n *Node) messageOf(a arrival, h nats.Header, subject string, sealed []byte, opened bool) integrity.Message {
	m := integrity.Message{
		Store: a.store, Read: number(h.Get(headerRead)), Seq: a.seq, Subject: subject, Until: int64(number(h.Get(headerUntil))),
	}
	if a.region == n.cfg.Region {
		m.Store, m.Read = n.identity.Load().Stores[string(a.kind)], 0
	}
	m.Item = itemOf(subject, m.Until, a.body, sealed, opened)
	if p, ok := readPartHeader(h.Get(headerPart)); ok && p.full == 1 && p.part == p.of-1 {
		m.Replaces = integrity.ReplacedBy(subject)
	}
	return m
}

// itemOf hashes a message. One that doesn't open is hashed as it is: a Region that opens
// it has another hash then, which is reported.
func itemOf(subject string, until int64, plain, sealed []byte, opened bool) integrity.Item {
	if !opened {
		return integrity.HashItem(subject, until, append([]byte("sealed: "), sealed...))
	}
	return integrity.HashItem(subject, until, plain)
}
