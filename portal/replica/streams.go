package replica

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A streamKind is one of the three streams that a Region owns. Followers keep copies
// under the same names, so a Region's server holds one set for each Region.
type streamKind string

const (
	// kindConfig is the log of transactions, in a KV bucket. Each part of a
	// transaction has its own key.
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

// token stands for a key in a subject. Hashing makes it short, of safe characters,
// and hides its user. No two lists of parts hash the same bytes. Existing streams
// have these subjects, so they can't change.
func token(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// storeID is the key, in a stream's metadata, of an ID that changes if the stream
// is lost and created again.
const storeID = "meridian-store"

// streamConfig configures a Region's own stream, or a copy of another's. Copies of
// sessions are flushed in the background: what a crash takes from them is fetched
// again, as the position is read from the copy. All others are synced.
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
		return needsVersion("stream "+c.Name, fmt.Sprintf("format %d", format), fmt.Sprintf("format %d", n.cfg.formats.Speaks))
	}
	if region != n.cfg.Region && c.Metadata[storeID] != "" {
		return &Error{Reason: ReasonDamaged, Rule: "stream " + c.Name,
			Want: "a copy: is another Region's directory in its place?", Got: "Region " + region + "'s own"}
	}
	if c.Replicas < n.cfg.Replicas {
		return &Error{Reason: ReasonConfig, Rule: "Replicas of stream " + c.Name, Want: fmt.Sprint("at least ", n.cfg.Replicas), Got: fmt.Sprint(c.Replicas)}
	}
	return nil
}

// copied returns the Regions of which there are copies of all streams, and those
// of which there is only a copy of what ended sessions: they were removed.
func (n *Node) copied(ctx context.Context) (all, removed []string, err error) {
	names, err := n.streamNames(ctx, "meridian."+string(kindRevoked)+".>")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		region, ok := strings.CutPrefix(name, kindRevoked.stream(""))
		if !ok || region == n.cfg.Region {
			continue
		}
		if whole, err := n.has(ctx, region); err != nil {
			return nil, nil, err
		} else if whole {
			all = append(all, region)
		} else {
			removed = append(removed, region)
		}
	}
	return all, removed, nil
}

// has reports whether there are copies of all streams of a Region.
func (n *Node) has(ctx context.Context, region string) (bool, error) {
	for _, k := range streamKinds {
		_, err := n.stream(ctx, k.stream(region))
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return true, nil
}

// recreate replaces a stream by an empty one.
func (n *Node) recreate(ctx context.Context, k streamKind, region string) error {
	if err := n.deleteStream(ctx, k.stream(region)); err != nil {
		return err
	}
	return n.ensure(ctx, k, region)
}
