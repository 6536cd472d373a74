package scsstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// Config describes a store.
type Config struct {
	// Region names the store's component of an Epoch, if several Regions share the database. It may be empty.
	Region string
	// Sealer seals the records. Required without InsecurePlaintext.
	Sealer sessions.Sealer
	// InsecurePlaintext stores the records as they are. Who can read the database then reads them.
	InsecurePlaintext bool
	// InsecureOpenPlaintext accepts records that were stored without a Sealer, in the time of an upgrade. Until it is
	// unset, a client that can write to the database can make sessions. Zero: such a record is not found.
	InsecureOpenPlaintext bool
}

// New returns a store of sessions in a store of scs. It passes contexts to an [scs.CtxStore]. It panics unless either
// Sealer or InsecurePlaintext is set.
func New(in scs.Store, cfg Config) *sessions.RecordStore {
	return sessions.NewRecordStore(sessions.RecordConfig{
		Records: &records{in: in}, Region: cfg.Region, Sealer: cfg.Sealer,
		InsecurePlaintext: cfg.InsecurePlaintext, InsecureOpenPlaintext: cfg.InsecureOpenPlaintext,
	})
}

const prefix = "meridian."

// forever is the lifetime of a record without an end, since stores of scs need one.
const forever = 10 * 365 * 24 * time.Hour

// records are sessions.Records. The version of a record is the hash of its value.
type records struct {
	in scs.Store
	mu sync.Mutex // held while a record is compared and written
}

// Read implements sessions.Records.
func (s *records) Read(ctx context.Context, keys ...string) ([]sessions.Record, error) {
	out := make([]sessions.Record, len(keys))
	for i, key := range keys {
		v, found, err := s.find(ctx, key)
		if err != nil {
			return nil, err
		}
		if found {
			out[i] = sessions.Record{Value: v, Version: version(v)}
		}
	}
	return out, nil
}

func (s *records) find(ctx context.Context, key string) ([]byte, bool, error) {
	if in, ok := s.in.(scs.CtxStore); ok {
		return in.FindCtx(ctx, prefix+key)
	}
	return s.in.Find(prefix + key)
}

func version(v []byte) string {
	sum := sha256.Sum256(v)
	return string(sum[:])
}

// Write implements sessions.Records.
func (s *records) Write(ctx context.Context, key string, v []byte, known string, exp time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, found, err := s.find(ctx, key)
	switch {
	case err != nil:
		return err
	case found != (known != "") || found && version(old) != known:
		return sessions.ErrChanged
	}
	if exp.IsZero() {
		exp = time.Now().Add(forever)
	}
	v = bytes.Clone(v) // the store may keep it
	if in, ok := s.in.(scs.CtxStore); ok {
		return in.CommitCtx(ctx, prefix+key, v, exp)
	}
	return s.in.Commit(prefix+key, v, exp)
}

// Delete implements sessions.Records.
func (s *records) Delete(ctx context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in, ok := s.in.(scs.CtxStore); ok {
		return in.DeleteCtx(ctx, prefix+key)
	}
	return s.in.Delete(prefix + key)
}
