package sessions

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// namedRecords are sealed Records whose keys are hashes with a random key, so that a client that can read the database
// can't test whether it has records of a user that it knows. The key is a record, sealed like the others. It never
// changes while there are records: otherwise ends of sessions would not be found. If it is lost, no session is found
// either.
type namedRecords struct {
	sealed sealedRecords

	mu   sync.Mutex
	key  []byte    // guarded by mu; nil: not read yet
	read time.Time // when; guarded by mu
}

const (
	// nameRecord is the record of the key.
	nameRecord  = "names.key"
	nameKeySize = 32
	// nameAge is how long the key is used before it is read again: a database may have been emptied, and another node may
	// have written another key.
	nameAge = 10 * time.Second
	// unnamed begins the version of a record that was stored without a Sealer, and so under its own key.
	unnamed = "unnamed:"
)

// nameKey returns the key of the names. The first node that needs it writes it.
func (n *namedRecords) nameKey(ctx context.Context) ([]byte, error) {
	n.mu.Lock()
	key, fresh := n.key, time.Since(n.read) < nameAge
	n.mu.Unlock()
	if key != nil && fresh {
		return key, nil
	}
	if key == nil {
		key = make([]byte, nameKeySize)
		rand.Read(key)
	}
	for range maxTries {
		began := time.Now()
		all, err := n.sealed.Read(ctx, nameRecord)
		if err != nil {
			return nil, err
		}
		switch stored := all[0].Value; {
		case len(stored) == nameKeySize:
			n.mu.Lock()
			defer n.mu.Unlock()
			n.key, n.read = bytes.Clone(stored), began
			return n.key, nil
		case stored != nil:
			return nil, fmt.Errorf("sessions: the record %s has %d bytes, want %d", nameRecord, len(stored), nameKeySize)
		}
		// If it was lost, the nodes that know it write the same one again.
		err = n.sealed.Write(ctx, nameRecord, key, all[0].Version, time.Time{})
		if err != nil && !errors.Is(err, ErrChanged) {
			return nil, err
		}
	}
	return nil, ErrChanged
}

// names returns the keys under which records are stored.
func (n *namedRecords) names(ctx context.Context, keys ...string) ([]string, error) {
	k, err := n.nameKey(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(keys))
	for i, key := range keys {
		kind, _, _ := strings.Cut(key, ".")
		mac := hmac.New(sha256.New, k)
		mac.Write([]byte(key))
		out[i] = kind + "." + hex.EncodeToString(mac.Sum(nil))
	}
	return out, nil
}

// Read implements Records. In the time of an upgrade, a record that was stored without a Sealer stays where it is: only
// epochs are copied, because they outlive that time.
func (n *namedRecords) Read(ctx context.Context, keys ...string) ([]Record, error) {
	names, err := n.names(ctx, keys...)
	if err != nil {
		return nil, err
	}
	all, err := n.sealed.Read(ctx, names...)
	if err != nil || !n.sealed.plain {
		return all, err
	}
	var missing []int
	var old []string
	for i, r := range all {
		if r.Value == nil && r.Version == "" {
			missing, old = append(missing, i), append(old, keys[i])
		}
	}
	if len(old) == 0 {
		return all, nil
	}
	found, err := n.sealed.Read(ctx, old...)
	if err != nil {
		return nil, err
	}
	for j, i := range missing {
		r := found[j]
		switch {
		case r.Value == nil:
		case strings.HasPrefix(keys[i], epochKind+"."):
			err := n.sealed.Write(ctx, names[i], r.Value, "", time.Time{})
			if err != nil && !errors.Is(err, ErrChanged) {
				return nil, err
			}
			copied, err := n.sealed.Read(ctx, names[i]) // another node may have changed it since
			if err != nil {
				return nil, err
			}
			all[i] = copied[0]
		default:
			all[i] = Record{Value: r.Value, Version: unnamed + r.Version}
		}
	}
	return all, nil
}

// Write implements Records.
func (n *namedRecords) Write(ctx context.Context, key string, v []byte, version string, exp time.Time) error {
	if version, old := strings.CutPrefix(version, unnamed); old {
		return n.sealed.Write(ctx, key, v, version, exp)
	}
	names, err := n.names(ctx, key)
	if err != nil {
		return err
	}
	return n.sealed.Write(ctx, names[0], v, version, exp)
}

// Delete implements Records.
func (n *namedRecords) Delete(ctx context.Context, key string) error {
	names, err := n.names(ctx, key)
	if err == nil {
		err = n.sealed.Delete(ctx, names[0])
	}
	if n.sealed.plain {
		err = errors.Join(err, n.sealed.Delete(ctx, key))
	}
	return err
}
