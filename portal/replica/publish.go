package replica

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers of messages, for copiers, which can't open sealed bodies. What is
// believed about the instance or a session is in the body.
const (
	headerAt    = "Meridian-At"    // when it was written: Unix time in microseconds
	headerUntil = "Meridian-Until" // when it may be forgotten: Unix time in seconds
	headerPart  = "Meridian-Part"  // of a transaction: see partHeader
	headerSeq   = "Meridian-Seq"   // in copies: the sequence in the original
	headerStore = "Meridian-Store" // in copies: the original's storeID
	headerRead  = "Meridian-Read"  // in copies: how often the original was read from its start again
	headerProof = "Meridian-Proof" // in copies: the proof by the original's Region
)

// maxPayload is the largest message that the embedded server takes: merge.MaxPart,
// sealed, with headers.
const maxPayload = 1 << 20

// maxSealed is the largest body of a message. As base64 it has to fit into an
// answer: a larger one would keep all later ones from other Regions.
const maxSealed = 600 << 10

// writeTimeout bounds every wait for the Region's own server, whatever the caller's
// context allows. A cluster that has just lost a stream's leader never answers some
// requests.
const writeTimeout = 5 * time.Second

// errConflict: another write came first.
var errConflict = errors.New("replica: another write came first")

// A write is one message to one of this Region's own streams.
type write struct {
	kind    streamKind
	subject string // without the stream's prefix
	body    any    // is encoded as JSON and sealed
	until   time.Time
	part    string
	// last and lastHere are the expected last sequences of the stream and of the
	// subject. Nil: any.
	last, lastHere *uint64
}

// publish makes every write of this Region that has to last. It returns when the
// Region's own server has the message on disk.
func (n *Node) publish(ctx context.Context, w write) (seq uint64, err error) {
	stream := w.kind.stream(n.cfg.Region)
	msg, opts, err := n.message(w)
	if err == nil {
		err = n.stalled(stream)
	}
	if err != nil {
		return 0, err
	}
	began := time.Now()
	seq, err = n.send(ctx, stream, msg, opts...)
	n.writes.note(time.Since(began), err)
	return seq, err
}

// publishAsync makes a write that may be lost, and doesn't wait for it.
func (n *Node) publishAsync(w write) error {
	msg, opts, err := n.message(w)
	if err != nil {
		return err
	}
	if _, err := n.js.PublishMsgAsync(msg, opts...); err != nil {
		return unavailable("write to stream "+w.kind.stream(n.cfg.Region), err)
	}
	return nil
}

func (n *Node) message(w write) (*nats.Msg, []jetstream.PublishOpt, error) {
	if at := n.removedAt.Load(); at > 0 {
		return nil, nil, removedError(n.cfg.Region, at)
	}
	if err := n.condemned(); err != nil {
		return nil, nil, err
	}
	msg := nats.NewMsg(w.kind.prefix(n.cfg.Region) + w.subject)
	plain, err := json.Marshal(w.body)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonConfig, Rule: "message", Want: "one that can be written as JSON", Err: err}
	}
	if msg.Data, err = n.cfg.Codec.Seal(msg.Subject, plain); err != nil {
		return nil, nil, &Error{Reason: ReasonUnavailable, Rule: "sealing", Want: "a sealed value", Err: err}
	}
	if len(msg.Data) > maxSealed {
		return nil, nil, &Error{Reason: ReasonTooLarge, Rule: "message " + w.subject,
			Want: fmt.Sprintf("at most %d bytes, sealed", maxSealed), Got: fmt.Sprint(len(msg.Data))}
	}
	now := n.cfg.Now()
	msg.Header.Set(headerAt, strconv.FormatInt(now.UnixMicro(), 10))
	msg.Header.Set(headerFormat, strconv.Itoa(n.cfg.writes))
	if w.part != "" {
		msg.Header.Set(headerPart, w.part)
	}
	var opts []jetstream.PublishOpt
	if !w.until.IsZero() {
		msg.Header.Set(headerUntil, strconv.FormatInt(w.until.Unix()+1, 10))
		opts = append(opts, jetstream.WithMsgTTL(ttl(w.until, now)))
	}
	if w.last != nil {
		opts = append(opts, jetstream.WithExpectLastSequence(*w.last))
	}
	if w.lastHere != nil {
		opts = append(opts, jetstream.WithExpectLastSequencePerSubject(*w.lastHere))
	}
	return msg, opts, nil
}

// ttl is how long a message lives, in whole seconds and at least one.
func ttl(until, now time.Time) time.Duration {
	return max(time.Second, until.Sub(now).Truncate(time.Second)+time.Second)
}

// conflict reports whether an expected sequence, or message, was not the last.
func conflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == wrongLastSequenceConstant || api.ErrorCode == wrongLastMessageID)
}

// Error codes of the server that the client has no names for: of clusters for an
// unexpected sequence, and for an unexpected message.
const (
	wrongLastSequenceConstant = 10164
	wrongLastMessageID        = 10070
)

// writes counts the writes to the Region's own streams since they were last
// observed.
type writes struct {
	mu           sync.Mutex
	done, failed uint64
	longest      time.Duration
}

// note counts a write. A conflict is no failure of the server.
func (w *writes) note(took time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, errConflict):
		return
	case err != nil:
		w.failed++
	default:
		w.done++
	}
	w.longest = max(w.longest, took)
}

// since returns the counts and resets them.
func (w *writes) since() (done, failed uint64, longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	done, failed, longest = w.done, w.failed, w.longest
	w.done, w.failed, w.longest = 0, 0, 0
	return done, failed, longest
}
