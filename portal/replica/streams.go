package replica

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A streamKind is one of the three streams that a Region owns. Followers keep copies under the same names, so a
// Region's server holds one set for each Region.
type streamKind string

const (
	// kindConfig is the log of transactions, in a KV bucket. Each part of a transaction has its own key.
	kindConfig streamKind = "config"
	// kindSessions holds sessions and codes, the last message of each subject.
	kindSessions streamKind = "sessions"
	// kindRevoked holds what ends sessions, the last message of each subject.
	kindRevoked streamKind = "revoked"
)

var streamKinds = []streamKind{kindConfig, kindSessions, kindRevoked}

// A regionStream is a stream of a Region.
type regionStream struct {
	region string
	kind   streamKind
}

// stream is the name of a Region's stream.
func (k streamKind) stream(region string) string {
	if k == kindConfig {
		return "KV_config_" + region
	}
	return string(k) + "_" + region
}

// prefix begins all subjects of a Region's stream.
func (k streamKind) prefix(region string) string {
	if k == kindConfig {
		return "$KV.config_" + region + "."
	}
	return "meridian." + string(k) + "." + region + "."
}

// token represents a key in a subject. Hashing makes it short, of safe characters, and hides its user. No two lists
// of parts hash the same bytes. Existing streams have these subjects, so they can't change.
func token(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// keyedToken is a token that only the owner of a key can make.
func keyedToken(key []byte, parts ...string) string {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// Keys in a stream's metadata.
const (
	storeID     = "meridian-store"    // an ID that changes if the stream is lost and created again
	formatID    = "meridian-format"   // what a version must read to use the stream. Absent: from before formats
	sealedID    = "meridian-sealed"   // the stream's messages are sealed. Absent: they may not be
	identityKey = "meridian-identity" // an Identity is beside the stream. Streams from before Identities get one
)

// Names and subjects.
const (
	ofCopy        = "copy"      // the store of an answer from a copy, whose messages have stores of their own
	unused        = "nothing"   // ends a subject that no message has
	everything    = "*"         // all streams of the embedded server
	deletedPrefix = "."         // of the directories of deleted streams, which the server removes later
	stagePrefix   = "recovery_" // of the stream in which a recovery is merged
)

// streamConfig configures a Region's own stream, or a copy. Copies of sessions are flushed in the background: what
// a crash takes from them is fetched again, as the position is read from the copy. All others are synced.
func (n *Node) streamConfig(k streamKind, region string) jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name:        k.stream(region),
		Description: "Meridian: " + string(k) + " of Region " + region,
		Subjects:    []string{k.prefix(region) + ">"},
		Storage:     jetstream.FileStorage,
		Replicas:    n.cfg.Replicas,
		AllowMsgTTL: true,
		Duplicates:  time.Second, // a copier uses each message ID once
		Metadata:    map[string]string{formatID: strconv.Itoa(n.cfg.writes)},
		// Subjects in config are used once; of the others the last message counts.
		MaxMsgsPerSubject: 1,
	}
	if k == kindConfig { // what clients expect of a KV bucket
		c.AllowRollup, c.DenyDelete, c.Discard = true, true, jetstream.DiscardNew
	}
	if region == n.cfg.Region {
		c.Metadata[storeID] = n.newStore()
		if n.cfg.Sealer != nil {
			c.Metadata[sealedID] = schema
		}
	} else if k == kindSessions && n.server != nil {
		c.PersistMode = jetstream.AsyncPersistMode
	}
	return c
}

func (n *Node) newStore() string { return fmt.Sprintf("%x-%s", n.cfg.Now().UnixNano(), rand.Text()) }

// ensure creates a stream if it doesn't exist, and checks one that does.
func (n *Node) ensure(ctx context.Context, k streamKind, region string) error {
	s, err := n.openStream(ctx, n.streamConfig(k, region))
	if err != nil {
		return err
	}
	c := s.CachedInfo().Config
	if format := number(c.Metadata[formatID]); format > uint64(n.cfg.formats.Speaks) {
		return needsVersion("stream "+c.Name, fmt.Sprintf("format %d", format),
			fmt.Sprintf("format %d", n.cfg.formats.Speaks))
	}
	if c.Metadata[sealedID] != "" && region == n.cfg.Region && n.cfg.Sealer == nil {
		return newError(ReasonConfig, "Sealer", "one: stream "+c.Name+" is sealed", "none")
	}
	if region != n.cfg.Region && c.Metadata[storeID] != "" {
		return newError(ReasonDamaged, "stream "+c.Name, "a copy: is another Region's directory in its place?",
			"Region "+region+"'s own")
	}
	if c.Replicas < n.cfg.Replicas {
		return newError(ReasonConfig, "Replicas of stream "+c.Name, fmt.Sprint("at least ", n.cfg.Replicas),
			fmt.Sprint(c.Replicas))
	}
	return nil
}

// streamsToRead returns the Region's own streams, and its copies: of revoked alone if a Region was removed.
func (n *Node) streamsToRead(ctx context.Context) (map[string][]streamKind, error) {
	out := map[string][]streamKind{n.cfg.Region: streamKinds}
	names, err := n.streamNames(ctx, "meridian."+string(kindRevoked)+".>")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		region, ok := strings.CutPrefix(name, kindRevoked.stream(""))
		if !ok || region == n.cfg.Region {
			continue
		}
		out[region] = streamKinds
		for _, k := range streamKinds {
			if _, err := n.stream(ctx, k.stream(region)); errors.Is(err, jetstream.ErrStreamNotFound) {
				out[region] = []streamKind{kindRevoked}
			} else if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// recreate replaces a stream by an empty one.
func (n *Node) recreate(ctx context.Context, k streamKind, region string) error {
	if err := n.deleteStream(ctx, k.stream(region)); err != nil {
		return err
	}
	return n.ensure(ctx, k, region)
}

// Headers of messages, for copiers, which can't open bodies. Only the body determines the state of the instance.
const (
	headerAt    = "Meridian-At"    // when it was written: Unix time in microseconds
	headerUntil = "Meridian-Until" // when it may be forgotten: Unix time in seconds
	headerPart  = "Meridian-Part"  // of a transaction: see partHeader
	headerSeq   = "Meridian-Seq"   // in copies: the sequence in the original
	headerStore = "Meridian-Store" // in copies: the original's storeID
	headerRead  = "Meridian-Read"  // in copies: how often the original was read from its start again
	headerProof = "Meridian-Proof" // in copies: the proof by the original's Region
)

// A write is one message to one of this Region's own streams.
type write struct {
	kind    streamKind
	subject string // without the stream's prefix
	body    any    // is encoded as JSON and sealed
	until   time.Time
	part    string
	// last and lastHere are the expected last sequences of the stream and of the subject. Nil: any.
	last, lastHere *uint64
}

// publish makes every durable write of this Region. It returns when the write is on disk.
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
	n.looked.wrote(w.kind)
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
	if err := n.damageFound(); err != nil {
		return nil, nil, err
	}
	msg := nats.NewMsg(w.kind.prefix(n.cfg.Region) + w.subject)
	plain, err := json.Marshal(w.body)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonConfig, Rule: "message", Want: "one that can be written as JSON", Err: err}
	}
	if msg.Data, err = n.cfg.sealed(msg.Subject, plain); err != nil {
		return nil, nil, err
	}
	if len(msg.Data) > maxSealed {
		return nil, nil, newError(ReasonTooLarge, "message "+w.subject, fmt.Sprintf("at most %d bytes, sealed", maxSealed),
			fmt.Sprint(len(msg.Data)))
	}
	now := n.cfg.Now()
	msg.Header.Set(headerAt, strconv.FormatInt(now.UnixMicro(), 10))
	msg.Header.Set(headerFormat, strconv.Itoa(n.cfg.writes))
	if n.cfg.Sealer != nil {
		msg.Header.Set(headerBound, schema)
	}
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

// writes counts the writes to the Region's own streams since they were last observed.
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
