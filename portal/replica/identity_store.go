package replica

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// An identityStore keeps what stands beside a Region's streams: its Identity, and the
// marks that say how far the streams were.
type identityStore interface {
	// read returns what is kept under a name, and its revision; nil and 0 where
	// there is nothing.
	read(ctx context.Context, name string) (b []byte, rev uint64, err error)
	// write replaces what is at this revision, or returns errConflict.
	write(ctx context.Context, name string, b []byte, rev uint64) (uint64, error)
	// put replaces whatever is there.
	put(ctx context.Context, name string, b []byte) error
	// erase removes all.
	erase(ctx context.Context) error
}

// The names in an identityStore.
const (
	identityName = "identity"
	marksName    = "marks"
	copiesName   = "copies" // the marks of copies
)

// A dirStore is files in Config.Dir. The lock on Dir makes this Node the only
// one that writes them.
type dirStore struct{ dir string }

func (v dirStore) path(name string) string { return filepath.Join(v.dir, identityFile(name)) }

func identityFile(name string) string { return "meridian." + name }

func (v dirStore) read(_ context.Context, name string) ([]byte, uint64, error) {
	b, err := os.ReadFile(v.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	return b, 1, err
}

func (v dirStore) write(ctx context.Context, name string, b []byte, _ uint64) (uint64, error) {
	return 1, v.put(ctx, name, b)
}

// put replaces a file as a whole: a crash leaves the old one or the new one.
func (v dirStore) put(_ context.Context, name string, b []byte) error {
	f, err := os.CreateTemp(v.dir, identityFile(name)+".new-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), v.path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(v.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (v dirStore) erase(context.Context) error {
	var errs []error
	for _, name := range []string{copiesName, marksName, identityName, erasedName} {
		if err := os.Remove(v.path(name)); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// A streamStore is a stream of its own on the servers at Config.URL, which the
// Nodes of the Region share.
type streamStore struct{ n *Node }

func (v streamStore) stream() string { return "meridian_" + v.n.cfg.Region }

func (v streamStore) subject(name string) string {
	return "meridian.beside." + v.n.cfg.Region + "." + name
}

func (v streamStore) open(ctx context.Context) (jetstream.Stream, error) {
	s, err := v.n.stream(ctx, v.stream())
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return s, err
	}
	c := jetstream.StreamConfig{
		Name: v.stream(), Description: "Meridian: what the streams of Region " + v.n.cfg.Region + " are",
		Subjects: []string{v.subject(">")}, Storage: jetstream.FileStorage, Replicas: v.n.cfg.Replicas, MaxMsgsPerSubject: 1,
	}
	s, err = asking(ctx, func(ctx context.Context) (jetstream.Stream, error) { return v.n.js.CreateStream(ctx, c) })
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node of the Region was faster
		return v.n.stream(ctx, v.stream())
	}
	return s, err
}

func (v streamStore) read(ctx context.Context, name string) ([]byte, uint64, error) {
	s, err := v.open(ctx)
	if err != nil {
		return nil, 0, err
	}
	msg, err := latest(ctx, s, v.subject(name))
	if msg == nil {
		return nil, 0, err
	}
	return msg.Data, msg.Sequence, nil
}

func (v streamStore) write(ctx context.Context, name string, b []byte, rev uint64) (uint64, error) {
	return v.publish(ctx, name, b, jetstream.WithExpectLastSequencePerSubject(rev))
}

func (v streamStore) put(ctx context.Context, name string, b []byte) error {
	_, err := v.publish(ctx, name, b)
	return err
}

func (v streamStore) erase(ctx context.Context) error { return v.n.deleteStream(ctx, v.stream()) }

func (v streamStore) publish(ctx context.Context, name string, b []byte, opts ...jetstream.PublishOpt) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	ack, err := v.n.js.PublishMsg(ctx, &nats.Msg{Subject: v.subject(name), Data: b}, opts...)
	if conflict(err) {
		return 0, errConflict
	} else if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// vaultError says why what stands beside the streams can't be read or written: an
// operator is to see at once that a disk is full, or whose answer there was none.
func (n *Node) identityStoreError(what string, err error) *Error {
	if n.cfg.URL != "" {
		return unavailable(what, err)
	}
	return &Error{Reason: ReasonUnavailable, Rule: what, Want: "space in Dir, and the right to write there", Err: err}
}

// readIdentity returns the Region's Identity, or nil where there is none.
func (n *Node) readIdentity(ctx context.Context) (*integrity.Identity, uint64, error) {
	b, rev, err := n.identityStore.read(ctx, identityName)
	if err != nil {
		return nil, 0, n.identityStoreError("read of the Region's identity", err)
	} else if b == nil {
		return nil, 0, nil
	}
	var d integrity.Identity
	if err := json.Unmarshal(b, &d); err != nil || d.Format != 1 || d.Stores == nil {
		return nil, rev, &Error{Reason: ReasonDamaged, Rule: "identity of the Region", Want: "one that can be read; " + remedy, Got: "something else", Err: err}
	}
	return &d, rev, nil
}

// writeIdentity replaces the Identity that is at this revision.
func (n *Node) writeIdentity(ctx context.Context, d integrity.Identity, rev uint64) error {
	b, err := json.Marshal(d)
	if err == nil {
		_, err = n.identityStore.write(ctx, identityName, b, rev)
	}
	if errors.Is(err, errConflict) {
		return err
	} else if err != nil {
		return n.identityStoreError("write of the Region's identity", err)
	}
	d.Self = n.generation
	n.identity.Store(&d)
	return nil
}

// changeIdentity changes the Identity, whatever other nodes of the Region do to
// it at the same moment.
func (n *Node) changeIdentity(ctx context.Context, change func(*integrity.Identity)) error {
	for {
		d, rev, err := n.readIdentity(ctx)
		if err == nil && d == nil {
			err = &Error{Reason: ReasonDamaged, Rule: "identity of the Region", Want: "the one that was there", Got: "nothing"}
		}
		if err != nil {
			return err
		}
		change(d)
		if err := n.writeIdentity(ctx, *d, rev); !errors.Is(err, errConflict) {
			return err
		}
		pause(ctx, 5*time.Millisecond)
	}
}
