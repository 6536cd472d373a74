package replica

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers of messages. They hold what a copier needs, which can't open what is
// sealed; what is believed about the instance or a session is in the body.
const (
	headerAt    = "Meridian-At"    // when it was written: Unix time in microseconds
	headerUntil = "Meridian-Until" // when it may be forgotten: Unix time in seconds
	headerPart  = "Meridian-Part"  // of a transaction: see parts
	headerSeq   = "Meridian-Seq"   // in copies: the sequence in the original
	headerStore = "Meridian-Store" // in copies: the original's storeID
	headerRead  = "Meridian-Read"  // in copies: how often the original was read from its start again
	headerProof = "Meridian-Proof" // in copies: by which the original's Region recognises what it wrote
)

// maxPayload is the largest message that the embedded server takes. Sealing
// and headers have to fit in beside merge.MaxPart.
const maxPayload = 1 << 20

// maxSealed is the largest body of a message. As base64 it has to fit into an
// answer: what doesn't would keep all that comes after it from other Regions.
const maxSealed = 600 << 10

// writeTimeout bounds every wait for the Region's own server, however patient
// the caller is: a cluster that has just lost a stream's leader loses requests,
// and nobody answers those, though the next one will be.
const writeTimeout = 5 * time.Second

// errConflict: another write came first.
var errConflict = errors.New("replica: another write came first")

// A write is one message to one of this Region's own streams.
type write struct {
	kind    streamKind
	subject string // what follows the stream's prefix
	body    any    // becomes JSON, and is sealed
	until   time.Time
	part    string
	// last and lastHere are the sequences that the stream, or the subject, must
	// be at. Nil: whatever it is at.
	last, lastHere *uint64
}

// publish is the only way out: all that this Node writes on behalf of its Region passes
// here, and only here. It returns when the Region's own server has the message
// on disk, and asks nobody else.
func (n *Node) publish(ctx context.Context, w write) (seq uint64, err error) {
	msg, opts, err := n.message(w)
	if err == nil {
		err = n.stalled(w.kind.stream(n.cfg.Region))
	}
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	began := time.Now()
	ack, err := n.js.PublishMsg(ctx, msg, opts...)
	n.writes.note(time.Since(began), err)
	if conflict(err) {
		return 0, errConflict
	} else if err != nil {
		return 0, unavailable("write to stream "+w.kind.stream(n.cfg.Region), err)
	}
	return ack.Sequence, nil
}

// publishAsync is publish for what may be lost: nobody waits for it.
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
		return nil, nil, &Error{Reason: ReasonTooLarge, Rule: "message " + w.subject, Want: fmt.Sprintf("at most %d bytes, sealed", maxSealed), Got: fmt.Sprint(len(msg.Data))}
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

// conflict says whether an expected sequence, or message, was not the last.
func conflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == wrongLastSequenceConstant || api.ErrorCode == wrongLastMessageID)
}

// Error codes of the server that the client has no names for: how clusters
// refuse an expected sequence, and how an expected message is refused.
const (
	wrongLastSequenceConstant = 10164
	wrongLastMessageID        = 10070
)

// An arrival is a message of some Region's stream, as the Region's own server
// gave it back.
type arrival struct {
	region  string // whose stream it is
	kind    streamKind
	seq     uint64 // in the original
	local   uint64 // in the Region's own server
	store   string // the original's storeID; "" for own streams
	subject string // what follows the prefix
	at      time.Time
	until   time.Time // when it may be forgotten, by its header; zero: never
	body    []byte
}

func (n *Node) arrived(region string, k streamKind, msg jetstream.Msg, seq uint64) (arrival, error) {
	h := msg.Headers()
	a := arrival{region: region, kind: k, seq: seq, local: seq, subject: msg.Subject()[len(k.prefix(region)):]}
	if region != n.cfg.Region {
		a.seq, a.store = number(h.Get(headerSeq)), h.Get(headerStore)
	}
	a.at = time.UnixMicro(int64(number(h.Get(headerAt))))
	a.until = untilOf(h.Get(headerUntil))
	if err := n.cfg.readable("message "+msg.Subject(), h); err != nil {
		return a, err
	}
	plain, err := n.cfg.Codec.Open(msg.Subject(), msg.Data())
	if err != nil {
		return a, &Error{Reason: ReasonCorrupt, Rule: "message " + msg.Subject(), Want: "one that opens", Err: err}
	}
	a.body = plain
	return a, nil
}

// number reads a header. What is no number counts as 0.
func number(s string) uint64 {
	v, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0
	}
	return v
}
