package replica

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// An identityStore keeps a Region's Identity, and the marks of its streams and copies, beside the streams.
type identityStore interface {
	// read returns the value of a name, and its revision; nil and 0 if there is none.
	read(ctx context.Context, name string) (b []byte, rev uint64, err error)
	// write replaces the value at this revision, or returns errConflict. Nil: at any revision.
	write(ctx context.Context, name string, b []byte, rev *uint64) error
	// erase removes all values.
	erase(ctx context.Context) error
}

// The names in an identityStore.
const (
	identityName = "identity"
	marksName    = "marks"
	copiesName   = "copies" // the marks of copies
	erasedName   = "erased" // see padSessions
)

var storedNames = []string{copiesName, marksName, identityName, erasedName}

// A dirStore is files in Config.Dir. Only this Node writes them, as Dir is locked.
type dirStore struct{ dir string }

func (v dirStore) path(name string) string { return filepath.Join(v.dir, identityFile(name)) }

func identityFile(name string) string { return "meridian." + name }

func (v dirStore) read(_ context.Context, name string) ([]byte, uint64, error) {
	b, err := os.ReadFile(v.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	return b, 1, dirError("read of "+identityFile(name), err)
}

func (v dirStore) write(_ context.Context, name string, b []byte, _ *uint64) error {
	return dirError("write of "+identityFile(name), v.replace(name, b))
}

// replace replaces a file as a whole: a crash leaves the old one or the new one.
func (v dirStore) replace(name string, b []byte) error {
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
	return syncDir(v.dir)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (v dirStore) erase(context.Context) error {
	var errs []error
	for _, name := range storedNames {
		if err := os.Remove(v.path(name)); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return dirError("removal of files", errors.Join(errs...))
}

// dirError returns the error of a failed access to Config.Dir, with the requirements.
func dirError(what string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Reason: ReasonUnavailable, Rule: what, Want: "space in Dir, and permission to write there", Err: err}
}

// A streamStore is a stream of its own on the servers at Config.URL, which the Nodes of the Region share.
type streamStore struct{ n *Node }

func (v streamStore) stream() string { return "meridian_" + v.n.cfg.Region }

func (v streamStore) subject(name string) string {
	return "meridian.beside." + v.n.cfg.Region + "." + name
}

func (v streamStore) read(ctx context.Context, name string) ([]byte, uint64, error) {
	s, err := v.n.openStream(ctx, jetstream.StreamConfig{
		Name: v.stream(), Description: "Meridian: identity of the streams of Region " + v.n.cfg.Region, MaxMsgsPerSubject: 1,
		Subjects: []string{v.subject(">")}, Storage: jetstream.FileStorage, Replicas: v.n.cfg.Replicas,
	})
	if err != nil {
		return nil, 0, err
	}
	msg, err := latest(ctx, s, v.subject(name))
	if msg == nil {
		return nil, 0, err
	}
	return msg.Data, msg.Sequence, nil
}

func (v streamStore) write(ctx context.Context, name string, b []byte, rev *uint64) error {
	var opts []jetstream.PublishOpt
	if rev != nil {
		opts = append(opts, jetstream.WithExpectLastSequencePerSubject(*rev))
	}
	_, err := v.n.send(ctx, v.stream(), &nats.Msg{Subject: v.subject(name), Data: b}, opts...)
	return err
}

func (v streamStore) erase(ctx context.Context) error { return v.n.deleteStream(ctx, v.stream()) }

// store replaces the value of a name in the identityStore, at this revision or at any.
func (n *Node) store(ctx context.Context, name string, v any, rev *uint64) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return n.identityStore.write(ctx, name, b, rev)
}

// readIdentity returns the Region's Identity, or nil if there is none.
func (n *Node) readIdentity(ctx context.Context) (*integrity.Identity, uint64, error) {
	b, rev, err := n.identityStore.read(ctx, identityName)
	if b == nil || err != nil {
		return nil, 0, err
	}
	var d integrity.Identity
	err = json.Unmarshal(b, &d)
	if err != nil || d.Format != 1 && d.Format != 2 || (d.Format == 2) != (d.SealedKey != nil) || d.Stores == nil {
		return nil, rev, &Error{Reason: ReasonDamaged, Rule: "identity of the Region",
			Want: "one that can be read; " + remedy, Got: "something else", Err: err}
	}
	if err := n.openProofKey(&d); err != nil {
		return nil, rev, err
	}
	return &d, rev, nil
}

// reloadIdentity reads the changes that another Node of the Region has made.
func (n *Node) reloadIdentity(ctx context.Context) (*integrity.Identity, error) {
	d, _, err := n.readIdentity(ctx)
	if d != nil {
		d.Self = n.generation
		n.identity.Store(d)
	}
	return d, err
}

// writeIdentity replaces the Identity at this revision.
func (n *Node) writeIdentity(ctx context.Context, d integrity.Identity, rev uint64) error {
	if err := n.sealProofKey(&d); err != nil {
		return err
	}
	stored := d
	if d.SealedKey != nil {
		stored.Key = integrity.Key{}
	}
	if err := n.store(ctx, identityName, stored, &rev); err != nil {
		return err
	}
	d.Self = n.generation
	n.identity.Store(&d)
	return nil
}

// changeIdentity changes the Identity, which other Nodes of the Region may change at the same time.
func (n *Node) changeIdentity(ctx context.Context, change func(*integrity.Identity)) error {
	for {
		d, rev, err := n.readIdentity(ctx)
		if err == nil && d == nil {
			err = newError(ReasonDamaged, "identity of the Region", "the one that was read", "nothing")
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

// Names in a Node's directory.
const (
	lockName  = "meridian.lock"
	storeName = "jetstream" // the embedded server's; and see spaceName
)

// lock locks a directory for this Node, until the file is unlocked or the process ends. The embedded server doesn't
// notice a second one, and both would overwrite the same files.
func lock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// keepPrivate makes an existing directory accessible to its owner only, because it contains personal data. It doesn't
// change a directory with other files, such as /tmp: the server's directory in it is private anyway.
func keepPrivate(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 || runtime.GOOS == "windows" {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(entries, isForeign) {
		return errors.New("it is accessible to other users of this machine, and holds files that are not a Node's")
	}
	return os.Chmod(dir, 0o700)
}

// isForeign reports whether no Node creates files of that name in its directory.
func isForeign(e os.DirEntry) bool {
	name := e.Name()
	return name != lockName && name != storeName && name != spaceName &&
		!slices.ContainsFunc(storedNames, func(stored string) bool { return strings.HasPrefix(name, identityFile(stored)) })
}
