package replica

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// The gate is all that another Region can reach of this one: a question about
// one of the Region's own streams, answered by the Node. Peers get nothing of
// JetStream's own API. A consumer there delivers to whatever subject it is
// told, with the server's rights, so that a client that may only read could
// have messages written into a stream, in the wrong place.
func peerSubject(region string) string { return "meridian.follow." + region }

// A question asks for what follows a position.
type question struct {
	Line  streamKind `json:"line"`
	From  string     `json:"from"`  // the Region that asks
	Store string     `json:"store"` // of the copy; another one begins at its start
	After uint64     `json:"after"`
	// Proof shows the last message of the copy. Its Region can check it.
	Proof *integrity.Proof `json:"proof,omitempty"`
	// Differs says that the copy is at the end of the stream and holds something
	// else than the last answer said.
	Differs bool `json:"differs,omitempty"`
	// Heard is the number of the asked Region's last start that was heard of.
	Heard uint64 `json:"heard,omitempty"`
	// Of asks for the copy of the asking Region's own stream instead. After is
	// then a sequence in the copy.
	Of string `json:"of,omitempty"`
	// Nonce comes back with the answer. Only who asked and the Node that is
	// asked see it before that.
	Nonce string `json:"nonce"`
	// Wait is for how long to wait, in milliseconds, if there is nothing.
	Wait int64 `json:"wait"`
	merge.Formats
}

// An answer is a piece of the stream.
type answer struct {
	Nonce    string    `json:"nonce"` // the question's
	Store    string    `json:"store"`
	After    uint64    `json:"after"` // where the piece begins
	Messages []message `json:"messages,omitempty"`
	Pending  uint64    `json:"pending"` // how many follow
	// Last is the end of the stream. If nothing is pending, all up to there is
	// known, also where the last messages have expired.
	Last  uint64 `json:"last"`
	Error string `json:"error,omitempty"`

	// Listed is the stamp of the entry in the directory of the Region that asks.
	// Unlisted says that there is none, and so no answer; Removed is when it was
	// removed, if it was.
	Listed   uint64 `json:"listed,omitempty"`
	Unlisted bool   `json:"unlisted,omitempty"`
	Removed  uint64 `json:"removed,omitempty"`

	merge.Formats
	// Now is what time it is there, and Held how long the answer waited for
	// news, both in microseconds. 0: an older version, which doesn't say.
	Now  int64 `json:"now,omitempty"`
	Held int64 `json:"held,omitempty"`
	// Generation is the start of the Region's Node that answers. Versions before
	// there were any say nothing.
	Generation *integrity.Generation `json:"generation,omitempty"`
	// Latest is the number of the Region's last start, whichever Node's.
	Latest uint64 `json:"latest,omitempty"`
	// Vouched says that the Region knows that Store replaces an earlier one.
	Vouched bool `json:"vouched,omitempty"`
	// Digest is what the stream holds at its end, if that was known.
	Digest *integrity.Digest `json:"digest,omitempty"`
	// Again answers Differs: the copy was looked at and proves nothing, so that
	// it is what is wrong. It has to be read from the start.
	Again bool `json:"again,omitempty"`
	// Copy is the last message that the Region that answers has of the same
	// stream of the Region that asks.
	Copy *copyEnd `json:"copy,omitempty"`
	// Refused says why there is no piece, beside Error.
	Refused unanswered `json:"refused,omitempty"`
}

// unanswered is why a Region doesn't answer a question about its own stream.
type unanswered string

const (
	// refusedDamaged: the stream is not what the Region wrote.
	refusedDamaged unanswered = "damaged"
	// refusedAhead: the question's position is behind the end of the stream,
	// and nothing proves that the stream was ever there.
	refusedAhead unanswered = "ahead"
)

// A message is one message of the original stream, as it is there.
type message struct {
	Seq     uint64 `json:"seq"`
	Subject string `json:"subject"`
	At      string `json:"at"`
	Until   string `json:"until,omitempty"`
	Part    string `json:"part,omitempty"`
	Data    []byte `json:"data"`
	// More are other headers, by name, which a copier takes over as they are.
	More map[string]string `json:"more,omitempty"`
	// Proof is what its Region recognises the message by.
	Proof string `json:"proof,omitempty"`
	// Store and Orig are where the message was in the original, where a copy is
	// asked for.
	Store string `json:"store,omitempty"`
	Orig  uint64 `json:"orig,omitempty"`
}

// ofCopy stands for the store where a copy is asked for: each of its messages
// says of which it was.
const ofCopy = "copy"

// Bounds of questions and answers. Many may wait for news, which costs little;
// few are answered at the same time.
const (
	maxPiece    = 400 << 10
	maxMessages = 500
	maxFetch    = 64
	maxQuestion = 1 << 10
	maxAsking   = 256
	maxReading  = 8
	maxWait     = 30 * time.Second
)

// serve opens the gate.
func (n *Node) serve() error {
	if n.cfg.URL == "" && n.cfg.Listen == "" {
		return nil
	}
	slots, turns := make(chan struct{}, maxAsking), make(chan struct{}, maxReading)
	gate, err := n.nc.QueueSubscribe(peerSubject(n.cfg.Region), "nodes", func(m *nats.Msg) {
		// The Node may publish anywhere. It answers where peers listen, and
		// nowhere else.
		if !strings.HasPrefix(m.Reply, inboxPeer+".") || strings.ContainsAny(m.Reply, "*> ") {
			return
		}
		q, ok := readQuestion(m.Data)
		if !ok {
			n.reply(m, answer{Nonce: q.Nonce, Error: "not a question"})
			return
		}
		if err := n.cfg.meets("that asks", q.Formats); err != nil {
			n.refuses(err)
			n.reply(m, answer{Nonce: q.Nonce, Error: err.Error()})
			return
		}
		select {
		case slots <- struct{}{}:
			n.start(func() {
				defer func() { <-slots }()
				n.answer(m, q, turns)
			})
		default:
			n.reply(m, answer{Nonce: q.Nonce, Error: "too many questions at once"})
		}
	})
	if err != nil {
		return unavailable("opening of the gate", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gate = gate
	return nil
}

func readQuestion(b []byte) (q question, ok bool) {
	if len(b) > maxQuestion || json.Unmarshal(b, &q) != nil {
		return q, false
	}
	return q, (q.Line == kindConfig || q.Line == kindSessions || q.Line == kindRevoked) && (q.Of == "" || q.Of == q.From && regionName.MatchString(q.Of))
}

func (n *Node) reply(m *nats.Msg, a answer) {
	a.Formats = n.cfg.formats
	b, err := json.Marshal(a)
	if err == nil {
		err = m.Respond(b)
	}
	if err != nil && n.ctx.Err() == nil {
		n.cfg.Logger.Warn("replica: question not answered", "region", n.cfg.Region, "error", err)
	}
}

// answer answers a question. It takes its turn before it reads, and keeps it
// until what was read is on its way: that is what takes memory.
func (n *Node) answer(m *nats.Msg, q question, turns chan struct{}) {
	begun := time.Now()
	n.awaitList(n.ctx, q)
	if a, refused := n.denies(q); refused {
		a = n.hearsDenied(n.ctx, q, a)
		a.Nonce = q.Nonce
		n.reply(m, a)
		return
	}
	s, a, more, err := n.look(n.ctx, q)
	standing, refused := n.denies(q) // it may have been removed meanwhile
	if refused {
		more, err, a = false, nil, standing
	}
	a.Listed = standing.Listed
	if err == nil && more {
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-n.ctx.Done():
			return
		}
	}
	if err == nil && !refused {
		end := n.agree(n.ctx, s, q, more)
		if more {
			err = n.read(n.ctx, s, q.Line.prefix(cmp.Or(q.Of, n.cfg.Region)), &a)
		}
		end.bound(&a)
	}
	if err == nil && !refused && q.Of == "" {
		n.prove(q.Line, &a)
		err = n.state(n.ctx, s, q, &a)
	}
	if err != nil {
		a = answer{Error: err.Error(), Refused: a.Refused}
	}
	if a.Nonce = q.Nonce; !refused {
		a.Copy = n.contents.copyEnd(q.Line.stream(q.From))
	}
	n.tellClock(&a, time.Since(begun))
	n.reply(m, a)
}

// look finds out where the piece that a question asks for begins, and whether
// there is anything in it. It waits as long as the question says.
func (n *Node) look(ctx context.Context, q question) (s jetstream.Stream, a answer, more bool, err error) {
	name := q.Line.stream(cmp.Or(q.Of, n.cfg.Region))
	if s, err = n.stream(ctx, name); err != nil {
		return s, a, false, err
	}
	info := s.CachedInfo()
	a = answer{Store: info.Config.Metadata[storeID], After: q.After, Last: info.State.LastSeq}
	if q.Of != "" {
		a.Store = ofCopy
		return s, a, a.Last > a.After, nil
	}
	if a.Refused, err = n.checkProof(ctx, q, info); err != nil {
		return s, a, false, err
	}
	if q.Store != a.Store {
		a.After = 0
	}
	if a.Last > a.After {
		return s, a, true, n.readFirst(ctx, q, a)
	}
	wait := min(time.Duration(q.Wait)*time.Millisecond, maxWait)
	return s, a, n.progress.wait(ctx, name, position{seq: a.After + 1}, wait), nil
}

// read fills an answer. It says that nothing is pending only where the stream's
// leader says so too: the end that a consumer sees may be that of a server
// which lags, and whoever asks would skip what it lacks.
func (n *Node) read(ctx context.Context, s jetstream.Stream, prefix string, a *answer) error {
	cons, err := s.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: a.After + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 10 * time.Second,
	})
	if err != nil {
		return err
	}
	defer n.start(func() {
		ctx, cancel := context.WithTimeout(n.ctx, writeTimeout)
		defer cancel()
		_ = s.DeleteConsumer(ctx, cons.CachedInfo().Name) // it goes by itself too
	})
	a.Pending = cons.CachedInfo().NumPending
	if err := a.fill(cons); err != nil || a.Pending > 0 {
		return err
	}
	more, err := next(ctx, s, prefix, a.end())
	if more > 0 {
		a.Pending = 1 // at least
		if len(a.Messages) == 0 {
			pause(ctx, 20*time.Millisecond) // the server that lags gets there
		}
	}
	return err
}

// end is the sequence of the last message of an answer.
func (a *answer) end() uint64 {
	if len(a.Messages) == 0 {
		return a.After
	}
	return a.Messages[len(a.Messages)-1].Seq
}

// batches are what an answer is filled from: a consumer.
type batches interface {
	Fetch(batch int, opts ...jetstream.FetchOpt) (jetstream.MessageBatch, error)
}

// fill takes messages until the answer is full or nothing is pending. A client
// that gives up on a batch drops what was on its way, and the consumer goes on
// behind that: nothing but its own count shows what went missing.
func (a *answer) fill(from batches) error {
	next, large := uint64(1), merge.MaxPart
	for size := 0; a.Pending > 0 && len(a.Messages) < maxMessages && size < maxPiece; {
		// The first few messages show how many of their like are not too much.
		before, seen := len(a.Messages), 1
		want := min(a.Pending, maxFetch, uint64(max(1, (maxPiece-size)/large)))
		batch, err := from.Fetch(int(want), jetstream.FetchMaxWait(2*time.Second))
		if err != nil {
			return err
		}
		for msg := range batch.Messages() {
			meta, err := msg.Metadata()
			if err != nil {
				return err
			}
			if meta.Sequence.Consumer != next {
				return errGap
			}
			next++
			if size > 0 && size+len(msg.Data()) > maxPiece {
				return nil // what was fetched in vain is asked for next, as it is pending
			}
			h := msg.Headers()
			size += len(msg.Data()) + 200
			seen = max(seen, len(msg.Data())+200)
			a.Pending = meta.NumPending
			a.Messages = append(a.Messages, message{
				Seq: meta.Sequence.Stream, Subject: msg.Subject(), At: h.Get(headerAt), Until: h.Get(headerUntil), Part: h.Get(headerPart), Data: msg.Data(),
				More: passedOn(h), Proof: h.Get(headerProof), Store: h.Get(headerStore), Orig: number(h.Get(headerSeq)),
			})
		}
		if err := batch.Error(); err != nil {
			return errors.Join(errGap, err)
		}
		if len(a.Messages) == before { // they expired, or the server is slow
			return nil
		}
		large = seen
	}
	return nil
}
