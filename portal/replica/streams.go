package replica

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A streamKind is one of the three streams that a Region owns. Followers keep copies
// under the same names, so a Region's server holds one set for each Region.
type streamKind string

const (
	// kindConfig is the log of transactions, in a KV bucket: a key for each part of
	// each. Its order is the order of what happened.
	kindConfig streamKind = "config"
	// kindSessions holds sessions and codes, the last message of each subject.
	kindSessions streamKind = "sessions"
	// kindRevoked holds what ends sessions, the last message of each subject.
	kindRevoked streamKind = "revoked"
)

var streamKinds = []streamKind{kindConfig, kindSessions, kindRevoked}

// stream is the name of a Region's stream.
func (k streamKind) stream(region string) string {
	if k == kindConfig {
		return "KV_config_" + region
	}
	return string(k) + "_" + region
}

// prefix is what all subjects of a Region's stream begin with.
func (k streamKind) prefix(region string) string {
	if k == kindConfig {
		return "$KV.config_" + region + "."
	}
	return "meridian." + string(k) + "." + region + "."
}

// token stands for a key in a subject. Hashing makes it short, of safe
// characters, and silent about whom it is about. No two lists of parts are the
// same bytes. Streams that exist have these subjects, so they can't change.
func token(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// storeID is the key in a stream's metadata of what tells it from another one
// of the same name: a stream that was lost and made again.
const storeID = "meridian-store"

// streamConfig says how a Region's stream is kept, its own or a copy of
// another's. Copies of sessions are flushed in the background: what a crash
// takes from them is fetched again, as the position is read from the copy
// itself. A Region's own streams, and all that ends sessions, are synced.
func (n *Node) streamConfig(k streamKind, region string) jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name:        k.stream(region),
		Description: "Meridian: " + string(k) + " of Region " + region,
		Subjects:    []string{k.prefix(region) + ">"},
		Storage:     jetstream.FileStorage,
		Replicas:    n.cfg.Replicas,
		AllowMsgTTL: true,
		Duplicates:  time.Second, // a copier's message IDs never come twice
		Metadata:    map[string]string{formatID: strconv.Itoa(n.cfg.writes)},
		// One message a subject: config's subjects never come twice, and of
		// the others only the last says what holds.
		MaxMsgsPerSubject: 1,
	}
	if k == kindConfig { // what clients expect of a KV bucket
		c.AllowRollup, c.DenyDelete, c.Discard = true, true, jetstream.DiscardNew
	}
	if region == n.cfg.Region {
		c.Metadata[storeID] = n.newStore()
	} else if k == kindSessions && n.server != nil {
		c.PersistMode = jetstream.AsyncPersistMode
	}
	return c
}

func (n *Node) newStore() string { return fmt.Sprintf("%x-%s", n.cfg.Now().UnixNano(), rand.Text()) }

// ensure makes the stream if it isn't there. One that is there stays as it
// is, whatever made it so.
func (n *Node) ensure(ctx context.Context, k streamKind, region string) error {
	s, err := n.stream(ctx, k.stream(region))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		c := n.streamConfig(k, region)
		s, err = asking(ctx, func(ctx context.Context) (jetstream.Stream, error) { return n.js.CreateStream(ctx, c) })
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node of the Region was faster
			s, err = n.stream(ctx, k.stream(region))
		}
	}
	if err != nil {
		return unavailable("making of stream "+k.stream(region), err)
	}
	if format := number(s.CachedInfo().Config.Metadata[formatID]); format > uint64(n.cfg.formats.Speaks) {
		return needsVersion("stream "+k.stream(region), fmt.Sprintf("format %d", format), fmt.Sprintf("format %d", n.cfg.formats.Speaks))
	}
	if region != n.cfg.Region && s.CachedInfo().Config.Metadata[storeID] != "" {
		return &Error{Reason: ReasonDamaged, Rule: "stream " + k.stream(region), Want: "a copy: is another Region's directory in its place?", Got: "Region " + region + "'s own"}
	}
	if got := s.CachedInfo().Config.Replicas; got < n.cfg.Replicas {
		return &Error{Reason: ReasonConfig, Rule: "Replicas of stream " + k.stream(region), Want: fmt.Sprint("at least ", n.cfg.Replicas), Got: fmt.Sprint(got)}
	}
	return nil
}

// has says whether the Region's own server has copies of another Region's
// streams.
func (n *Node) has(ctx context.Context, region string) (bool, error) {
	for _, k := range streamKinds {
		_, err := n.stream(ctx, k.stream(region))
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return false, nil
		} else if err != nil {
			return false, unavailable("look at stream "+k.stream(region), err)
		}
	}
	return true, nil
}

// copied returns the Regions of which there are copies.
func (n *Node) copied(ctx context.Context) ([]string, error) {
	var out []string
	names, err := asking(ctx, func(ctx context.Context) ([]string, error) { return n.streamNames(ctx, "$KV.>") })
	if err != nil {
		return nil, unavailable("list of streams", err)
	}
	for _, name := range names {
		var region string
		if _, err := fmt.Sscanf(name, "KV_config_%s", &region); err != nil || region == n.cfg.Region {
			continue
		}
		if all, err := n.has(ctx, region); err != nil {
			return nil, err
		} else if all {
			out = append(out, region)
		}
	}
	return out, nil
}

// remake removes a stream and makes it again, empty.
func (n *Node) remake(ctx context.Context, k streamKind, region string) error {
	if err := n.deleteStream(ctx, k.stream(region)); err != nil {
		return err
	}
	return n.ensure(ctx, k, region)
}
