package replica

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// A peerConn is a connection to another Region with its questions. All answers arrive at one subscription, whose queue
// is as long as what has arrived: a subscription for each question would cost half a megabyte each time.
//
// While nothing changes, the questions about all streams are sent as one message, and answered by one. For this they
// wait for each other briefly, and all end their wait at the same ticks. A question after news is sent at once and
// alone. A peer of an older version, which doesn't say that it takes several questions, gets single ones.
type peerConn struct {
	*nats.Conn
	subject, inbox string
	every          time.Duration // the heartbeat
	began          time.Time     // the ticks count from here
	lost           func(error)

	mu      sync.Mutex
	joins   bool // the peer takes several questions in one message
	waiting map[string]chan answer
	quiet   map[streamKind]int // how many of the last answers about the stream had nothing new
	held    []question         // to be sent together
}

// Bounds of joining. A question that waits for others is late by at most a tenth of a heartbeat.
const (
	gatherWait = 10 * time.Millisecond
	joinWait   = 20 * time.Millisecond
)

// After manyQuiet answers without news, a question waits for quietTicks heartbeats. News are answered at once anyway.
const (
	manyQuiet  = 3
	quietTicks = 2
)

// Bounds of answers that have arrived and are not read. There are at most as many as questions, but a client that
// knows Secret could make the peer send others here.
const (
	maxUnread      = 256
	maxUnreadBytes = 32 << 20
)

// newPeerConn prepares a connection for questions. lost is called with the error that ends it.
func (f *follower) newPeerConn(nc *nats.Conn, inbox string, lost func(error)) (*peerConn, error) {
	c := &peerConn{
		Conn: nc, subject: peerSubject(f.region), inbox: inbox, every: f.n.cfg.Heartbeat, began: time.Now(), lost: lost,
		waiting: map[string]chan answer{}, quiet: map[streamKind]int{},
	}
	sub, err := nc.Subscribe(inbox, c.receive)
	if err != nil {
		return nil, err
	}
	return c, sub.SetPendingLimits(maxUnread, maxUnreadBytes)
}

// ask sends a question and waits for its answer. A client that knows Secret could make the peer send other answers
// here, so an answer counts only if it has the question's Nonce.
func (c *peerConn) ask(ctx context.Context, q question) (answer, error) {
	arrived := make(chan answer, 1)
	c.mu.Lock()
	c.waiting[q.Nonce] = arrived
	err := c.put(q)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiting, q.Nonce)
	}()
	if err != nil {
		return answer{}, err
	}
	select {
	case a := <-arrived:
		return a, nil
	case <-ctx.Done():
		return answer{}, errors.Join(ctx.Err(), context.Cause(ctx))
	}
}

// put sends a question, or holds it until it can be sent with the others. The caller holds mu.
func (c *peerConn) put(q question) error {
	if !c.joins || q.Of != "" || q.Wait == 0 {
		return c.send([]question{q})
	}
	every := c.every
	if c.quiet[q.Line] >= manyQuiet {
		every *= quietTicks
	}
	q.Wait = untilTick(time.Since(c.began), every).Milliseconds()
	if c.quiet[q.Line] == 0 {
		return c.send([]question{q})
	}
	c.held = append(c.held, q)
	switch len(c.held) {
	case len(streamKinds):
		return c.sendHeld()
	case 1:
		time.AfterFunc(min(gatherWait, c.every/10), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			_ = c.sendHeld() // a closed connection ends the session
		})
	}
	return nil
}

// untilTick is the time until the next tick that is at least half an interval away.
func untilTick(passed, every time.Duration) time.Duration {
	left := every - passed%every
	if left < every/2 {
		left += every
	}
	return left
}

func (c *peerConn) sendHeld() error {
	if len(c.held) == 0 {
		return nil
	}
	all := c.held
	c.held = nil
	return c.send(all)
}

// send sends questions as one message.
func (c *peerConn) send(all []question) error {
	q := all[0]
	q.Also = all[1:]
	b, err := json.Marshal(q)
	if err != nil {
		return err
	}
	return c.PublishRequest(c.subject, c.inbox, b)
}

// receive passes answers on to the callers that wait for them.
func (c *peerConn) receive(m *nats.Msg) {
	var a answer
	if err := json.Unmarshal(m.Data, &a); err != nil {
		c.lost(&Error{Reason: ReasonCorrupt, Rule: "answer of a peer", Want: "JSON", Err: err})
		return
	}
	also := a.Also
	a.Also = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range append([]answer{a}, also...) {
		if arrived := c.waiting[one.Nonce]; arrived != nil {
			c.joins = a.Joins
			arrived <- one
			delete(c.waiting, one.Nonce)
		}
	}
}

// noteQuiet notes whether an answer had nothing new.
func (c *peerConn) noteQuiet(k streamKind, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.quiet[k]++; !a.quiet() {
		c.quiet[k] = 0
	}
}

// quiet reports whether an answer says only that nothing is new.
func (a answer) quiet() bool {
	return len(a.Messages) == 0 && a.Pending == 0 && a.Error == "" && a.Refused == ""
}

// replies sends the answers to the questions of one message. Those without news are sent together.
type replies struct {
	n *Node
	m *nats.Msg

	mu   sync.Mutex
	left int // questions that are not answered yet
	held []reply
}

// A reply is an answer and when its question arrived.
type reply struct {
	answer
	begun time.Time
}

func (r *replies) add(a answer, begun time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left--
	if one := (reply{a, begun}); a.quiet() {
		if r.held = append(r.held, one); len(r.held) == 1 && r.left > 0 {
			time.AfterFunc(joinWait, func() {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.flush()
			})
		}
	} else {
		r.n.reply(r.m, one.now(r.n))
	}
	if r.left == 0 {
		r.flush()
	}
}

// flush sends the answers that are held. The caller holds mu.
func (r *replies) flush() {
	if len(r.held) == 0 {
		return
	}
	a := r.held[0].now(r.n)
	for _, one := range r.held[1:] {
		a.Also = append(a.Also, one.now(r.n))
	}
	r.held = nil
	r.n.reply(r.m, a)
}

// now returns the answer with the time at which it is sent.
func (r reply) now(n *Node) answer {
	r.Now, r.Held = n.cfg.Now().UnixMicro(), time.Since(r.begun).Microseconds()
	return r.answer
}
