package replica

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Another Region can use only this subject: it sends a question about one of the Region's own streams, and a Node
// answers. Peers have no access to JetStream's API. A consumer there delivers to any subject with the server's
// permissions, so a client with read access could have messages written into a stream.
func peerSubject(region string) string { return "meridian.follow." + region }

// A question requests the messages after a position in a stream.
type question struct {
	Line    streamKind       `json:"line"`
	From    string           `json:"from"`  // the Region that asks
	Store   string           `json:"store"` // of the copy; for another one the answer begins at its start
	After   uint64           `json:"after"`
	Proof   *integrity.Proof `json:"proof,omitempty"`   // of the last message of the copy
	Differs bool             `json:"differs,omitempty"` // the copy is at the end, and has another digest than was stated
	Heard   uint64           `json:"heard,omitempty"`   // highest known number of a start of the asked Region
	Of      string           `json:"of,omitempty"`      // From: asks for the copy of its stream. After is in the copy then
	Nonce   string           `json:"nonce"`             // repeated in the answer; no third party knows it before that
	Wait    int64            `json:"wait"`              // in milliseconds, if nothing follows
	Also    []question       `json:"also,omitempty"`    // about the other streams, if the peer Joins
	Copied  uint64           `json:"copied,omitempty"`  // elements of the initial replication that have arrived
	ToCopy  uint64           `json:"to_copy,omitempty"` // all elements of it, as far as known
	merge.Formats
}

func (q question) wait() time.Duration {
	return min(time.Duration(q.Wait)*time.Millisecond, maxWait)
}

// An answer is a part of the stream. Older versions omit the fields after Formats.
type answer struct {
	Nonce    string    `json:"nonce"` // the question's
	Store    string    `json:"store"`
	After    uint64    `json:"after"` // where the piece begins
	Messages []message `json:"messages,omitempty"`
	Pending  uint64    `json:"pending"` // how many follow
	// Last is the end of the stream. If nothing is pending, all up to there is known, or has expired.
	Last  uint64 `json:"last"`
	Error string `json:"error,omitempty"`

	Listed   uint64 `json:"listed,omitempty"`   // the stamp, in the directory, of the Region that asks
	Unlisted bool   `json:"unlisted,omitempty"` // it has none, and gets no piece
	Removed  uint64 `json:"removed,omitempty"`  // when it was removed, if it was

	merge.Formats
	Now        int64                 `json:"now,omitempty"`        // the time of the Node that answers, in microseconds
	Held       int64                 `json:"held,omitempty"`       // how long the answer waited, in microseconds
	Generation *integrity.Generation `json:"generation,omitempty"` // of the Node that answers
	Latest     uint64                `json:"latest,omitempty"`     // number of the last start of any Node of the Region
	Vouched    bool                  `json:"vouched,omitempty"`    // Store replaces an earlier one on purpose
	Digest     *integrity.Digest     `json:"digest,omitempty"`     // of the stream at its end, if that was known
	Again      bool                  `json:"again,omitempty"`      // answers Differs: the copy is wrong
	Copy       *copyEnd              `json:"copy,omitempty"`       // of the same stream of the Region that asks
	Refused    refusedReason         `json:"refused,omitempty"`    // why there is no piece, beside Error
	Joins      bool                  `json:"joins,omitempty"`      // this version takes a question with others in Also
	Also       []answer              `json:"also,omitempty"`       // to those
}

// A refusedReason is the reason why a Region doesn't answer a question about its own stream.
type refusedReason string

const (
	refusedDamaged refusedReason = "damaged" // the stream is not what the Region wrote
	refusedAhead   refusedReason = "ahead"   // the stream ends before the question's position, and nothing proves more
)

// A message is one message of the original stream.
type message struct {
	Seq     uint64            `json:"seq"`
	Subject string            `json:"subject"`
	At      string            `json:"at"`
	Until   string            `json:"until,omitempty"`
	Part    string            `json:"part,omitempty"`
	Data    []byte            `json:"data"`
	More    map[string]string `json:"more,omitempty"`  // other headers, which a copier takes over unchanged
	Proof   string            `json:"proof,omitempty"` // by the Region that wrote the message
	Store   string            `json:"store,omitempty"` // if a copy is asked for: of the original
	Orig    uint64            `json:"orig,omitempty"`  // and Seq there
}

func (m message) size() int { return len(m.Subject) + len(m.Data) + 200 }

// servePeers starts to answer questions.
func (n *Node) servePeers() error {
	if n.cfg.URL == "" && n.cfg.Listen == "" {
		return nil
	}
	slots, turns := make(chan struct{}, maxAsking), make(chan struct{}, maxReading)
	questions, err := n.nc.QueueSubscribe(peerSubject(n.cfg.Region), "nodes", func(m *nats.Msg) {
		// The Node may publish anywhere. It answers only where peers listen.
		if !strings.HasPrefix(m.Reply, inboxPeer+".") || strings.ContainsAny(m.Reply, "*> ") {
			return
		}
		q, ok := readQuestion(m.Data)
		if !ok {
			n.reply(m, answer{Nonce: q.Nonce, Error: "not a question"})
			return
		}
		if err := n.cfg.checkFormats("that asks", q.Formats); err != nil {
			// The Region that asks may be too old to log this.
			if count, _ := n.refusals.count("", time.Now()); count == 1 {
				n.cfg.Logger.Error("replica: question refused", "error", err)
			}
			n.reply(m, answer{Nonce: q.Nonce, Error: err.Error()})
			return
		}
		all := append([]question{q}, q.Also...)
		to := &replies{n: n, m: m, left: len(all)}
		for _, one := range all {
			select {
			case slots <- struct{}{}:
				n.start(func() {
					defer func() { <-slots }()
					n.answer(to, one, turns)
				})
			default:
				to.add(answer{Nonce: one.Nonce, Error: "too many questions at once"}, time.Now())
			}
		}
	})
	if err != nil {
		return unavailable("subscription to questions", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.questions = questions
	return nil
}

func readQuestion(b []byte) (q question, ok bool) {
	if len(b) > maxQuestion*len(streamKinds) || json.Unmarshal(b, &q) != nil {
		return q, false
	}
	if len(b) > maxQuestion*(1+len(q.Also)) || len(q.Also) >= len(streamKinds) || !q.valid() {
		return q, false
	}
	for _, one := range q.Also {
		if !one.valid() || one.From != q.From || one.Formats != q.Formats || one.Also != nil {
			return q, false
		}
	}
	return q, true
}

func (q question) valid() bool {
	return slices.Contains(streamKinds, q.Line) && (q.Of == "" || q.Of == q.From && regionName.MatchString(q.Of))
}

func (n *Node) reply(m *nats.Msg, a answer) {
	a.Formats, a.Joins = n.cfg.formats, true
	for i := range a.Also {
		a.Also[i].Formats = n.cfg.formats
	}
	b, err := json.Marshal(a)
	if err == nil {
		err = m.Respond(b)
	}
	if err != nil && n.ctx.Err() == nil {
		n.cfg.Logger.Warn("replica: question not answered", "error", err)
	}
}

// answer answers a question. It holds one of the turns from the read until the answer is sent, to bound the memory.
func (n *Node) answer(to *replies, q question, turns chan struct{}) {
	begun := time.Now()
	n.awaitList(n.ctx, q)
	if a, denied := n.denyUnlisted(q); denied {
		a = n.checkUnlisted(n.ctx, q, a)
		a.Nonce = q.Nonce
		to.add(a, begun)
		return
	}
	s, a, more, err := n.look(n.ctx, q)
	standing, denied := n.denyUnlisted(q) // it may have been removed meanwhile
	if denied {
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
	if err == nil && !denied {
		end := n.agree(n.ctx, s, q, more)
		if more {
			err = n.read(n.ctx, s, q.Line.prefix(cmp.Or(q.Of, n.cfg.Region)), &a)
		}
		if a.Pending == 0 && end > max(a.Last, a.end()) {
			a.Pending = 1 // at least
		}
	}
	if err == nil && !denied && q.Of == "" {
		if err = n.prove(q.Line, &a); err == nil {
			err = n.state(n.ctx, s, q, &a)
		}
	}
	if err != nil {
		a = answer{Error: err.Error(), Refused: a.Refused}
	}
	if !denied {
		n.noteCopied(q)
		a.Copy = n.contents.copyEnd(q.Line.stream(q.From))
	}
	a.Nonce = q.Nonce
	to.add(a, begun)
}

// look finds where an answer begins. If there are no messages, it waits for some as long as the question says.
func (n *Node) look(ctx context.Context, q question) (_ jetstream.Stream, a answer, more bool, err error) {
	name := q.Line.stream(cmp.Or(q.Of, n.cfg.Region))
	s, checked := n.looked.quiet(q, n.progress)
	if s == nil {
		writes, until := n.looked.begun(q.Line), time.Now().Add(lookUpsLast*n.cfg.Heartbeat)
		if s, err = n.stream(ctx, name); err != nil {
			return s, a, false, err
		}
		if n.server != nil && q.Of == "" {
			n.looked.note(q.Line, s, writes, until)
		}
	}
	info := s.CachedInfo()
	a = answer{Store: info.Config.Metadata[storeID], After: q.After, Last: info.State.LastSeq}
	if q.Of != "" {
		a.Store = ofCopy
		return s, a, a.Last > a.After, nil
	}
	if !checked || n.damage.Load() != nil {
		if a.Refused, err = n.checkProof(ctx, q, info); err != nil {
			return s, a, false, err
		}
		n.looked.passed(q, s)
	}
	if q.Store != a.Store {
		a.After = 0
	}
	if a.Last > a.After {
		return s, a, true, n.readFirst(ctx, q, a)
	}
	return s, a, n.progress.wait(ctx, name, position{seq: a.After + 1}, q.wait()), nil
}

// read fills an answer. It reports that nothing is pending only if the stream's leader agrees: a consumer may be on a
// server that lags, and the follower would skip the messages that this server lacks.
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
		_ = s.DeleteConsumer(ctx, cons.CachedInfo().Name) // otherwise it expires
	})
	a.Pending = cons.CachedInfo().NumPending
	if err := a.fill(cons); err != nil || a.Pending > 0 {
		return err
	}
	more, err := nextSeq(ctx, s, prefix, a.end())
	if more > 0 {
		a.Pending = 1 // at least
		if len(a.Messages) == 0 {
			pause(ctx, 20*time.Millisecond) // the server that lags catches up
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

// batches is a consumer.
type batches interface {
	Fetch(batch int, opts ...jetstream.FetchOpt) (jetstream.MessageBatch, error)
}

// fill reads messages until the answer is full or nothing is pending. If the client stops waiting for a batch, messages
// on the way are dropped and the consumer continues after them: only the consumer's own count shows the gap.
func (a *answer) fill(from batches) error {
	next, large := uint64(1), merge.MaxPart
	for size := 0; a.Pending > 0 && len(a.Messages) < maxMessages && size < maxPiece; {
		// The first few messages show how many such messages fit.
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
				return nil // it is pending, and asked for next
			}
			h := msg.Headers()
			size += len(msg.Data()) + 200
			seen = max(seen, len(msg.Data())+200)
			a.Pending = meta.NumPending
			a.Messages = append(a.Messages, message{
				Seq: meta.Sequence.Stream, Subject: msg.Subject(), Data: msg.Data(), More: passedOn(h),
				At: h.Get(headerAt), Until: h.Get(headerUntil), Part: h.Get(headerPart),
				Proof: h.Get(headerProof), Store: h.Get(headerStore), Orig: number(h.Get(headerSeq)),
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
