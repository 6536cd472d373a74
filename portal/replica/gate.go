package replica

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The gate is all that another Region can reach of this one: a question about
// one of the Region's own streams, answered by the Node. Peers get nothing of
// JetStream's own API. A consumer there delivers to whatever subject it is
// told, with the server's rights, so that a client that may only read could
// have messages written into a stream, in the wrong place.
func gateSubject(region string) string { return "meridian.follow." + region }

// A question asks for what follows a position.
type question struct {
	Line  line   `json:"line"`
	Store string `json:"store"` // of the copy; another one begins at its start
	After uint64 `json:"after"`
	// Wait is for how long to wait, in milliseconds, if there is nothing.
	Wait int64 `json:"wait"`
}

// An answer is a piece of the stream.
type answer struct {
	Store    string    `json:"store"`
	After    uint64    `json:"after"` // where the piece begins
	Messages []message `json:"messages,omitempty"`
	Pending  uint64    `json:"pending"` // how many follow
	// Last is the end of the stream. If nothing is pending, all up to there is
	// known, also where the last messages have expired.
	Last  uint64 `json:"last"`
	Error string `json:"error,omitempty"`
}

// A message is one message of the original stream, as it is there.
type message struct {
	Seq     uint64 `json:"seq"`
	Subject string `json:"subject"`
	At      string `json:"at"`
	Until   string `json:"until,omitempty"`
	Part    string `json:"part,omitempty"`
	Data    []byte `json:"data"`
}

// Bounds of an answer, and of how many questions are answered at once.
const (
	maxPiece    = 400 << 10
	maxMessages = 500
	maxAsking   = 1024
	maxWait     = 30 * time.Second
)

// serve opens the gate.
func (n *Node) serve() error {
	if n.cfg.URL == "" && n.cfg.Listen == "" {
		return nil
	}
	slots := make(chan struct{}, maxAsking)
	_, err := n.nc.QueueSubscribe(gateSubject(n.cfg.Region), "nodes", func(m *nats.Msg) {
		// The Node may publish anywhere. It answers where peers listen, and
		// nowhere else.
		if !strings.HasPrefix(m.Reply, inboxPeer+".") || strings.ContainsAny(m.Reply, "*> ") {
			return
		}
		select {
		case slots <- struct{}{}:
			n.start(func() {
				defer func() { <-slots }()
				n.answer(m)
			})
		default:
			n.reply(m, answer{Error: "too many questions at once"})
		}
	})
	if err != nil {
		return unavailable("opening of the gate", err)
	}
	return nil
}

func (n *Node) reply(m *nats.Msg, a answer) {
	b, err := json.Marshal(a)
	if err == nil {
		err = m.Respond(b)
	}
	if err != nil && n.ctx.Err() == nil {
		n.cfg.Logger.Warn("replica: question not answered", "region", n.cfg.Region, "error", err)
	}
}

func (n *Node) answer(m *nats.Msg) {
	var q question
	if err := json.Unmarshal(m.Data, &q); err != nil || q.Line != config && q.Line != sessions && q.Line != revoked {
		n.reply(m, answer{Error: "not a question"})
		return
	}
	a, err := n.piece(n.ctx, q)
	if err != nil {
		a = answer{Error: err.Error()}
	}
	n.reply(m, a)
}

// piece reads what a question asks for from the Region's own server.
func (n *Node) piece(ctx context.Context, q question) (answer, error) {
	name := q.Line.stream(n.cfg.Region)
	s, err := n.js.Stream(ctx, name)
	if err != nil {
		return answer{}, err
	}
	info := s.CachedInfo()
	a := answer{Store: info.Config.Metadata[storeID], After: q.After}
	// A follower that is ahead of its original follows one that lost its end.
	if q.Store != a.Store || q.After > info.State.LastSeq {
		a.After = 0
	}
	a.Last = info.State.LastSeq
	if a.Last == a.After {
		wait := min(time.Duration(q.Wait)*time.Millisecond, maxWait)
		if !n.marks.wait(ctx, name, position{seq: a.After + 1}, wait) {
			return a, nil
		}
	}
	err = n.read(ctx, name, &a)
	return a, err
}

// read fills an answer. The consumer that it makes is read from the stream's
// leader, where no acknowledged message is missing, and goes away again.
func (n *Node) read(ctx context.Context, stream string, a *answer) error {
	cons, err := n.js.CreateConsumer(ctx, stream, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: a.After + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 10 * time.Second,
	})
	if err != nil {
		return err
	}
	defer n.start(func() {
		ctx, cancel := context.WithTimeout(n.ctx, writeTimeout)
		defer cancel()
		_ = n.js.DeleteConsumer(ctx, stream, cons.CachedInfo().Name) // it goes by itself too
	})
	pending := cons.CachedInfo().NumPending
	a.Pending = pending
	for size := 0; pending > 0 && len(a.Messages) < maxMessages && size < maxPiece; {
		// A log's messages are large, others small.
		before := len(a.Messages)
		batch, err := cons.Fetch(int(min(pending, 64)), jetstream.FetchMaxWait(2*time.Second))
		if err != nil {
			return err
		}
		for msg := range batch.Messages() {
			meta, err := msg.Metadata()
			if err != nil {
				return err
			}
			if size > 0 && size+len(msg.Data()) > maxPiece {
				return nil // what was fetched in vain is asked for next, as it is pending
			}
			h := msg.Headers()
			size += len(msg.Data()) + 200
			pending = meta.NumPending
			a.Pending = pending
			a.Messages = append(a.Messages, message{meta.Sequence.Stream, msg.Subject(), h.Get(headerAt), h.Get(headerUntil), h.Get(headerPart), msg.Data()})
		}
		if err := batch.Error(); err != nil {
			return errors.Join(errGap, err)
		}
		if len(a.Messages) == before { // they expired, or the server is slow
			a.Pending = pending
			return nil
		}
	}
	return nil
}
