package sessions

import (
	"context"
	"errors"
	"time"
)

// Records keeps small values by key, for a [RecordStore]. The nodes of a Region share it. It is what a database of any
// kind can do, and what packages natsstore, redisstore and scsstore have.
type Records interface {
	// Read returns the records of keys, in their order. It must not read from a replica that may be behind.
	Read(ctx context.Context, keys ...string) ([]Record, error)
	// Write stores a copy of v if the record still has the version that Read returned, and otherwise returns ErrChanged.
	// The version of a record that was never written is "". The record lives until exp, by the clock of the database;
	// forever if exp is zero.
	Write(ctx context.Context, key string, v []byte, version string, exp time.Time) error
	// Delete removes the record, if there is one.
	Delete(ctx context.Context, key string) error
}

// Record is a value of [Records], nil if there is none or it has expired. A key has 1 to 100 characters of a-z, 0-9 and
// '.'. A value has 1 byte to 128 KiB.
type Record struct {
	Value   []byte
	Version string
}

// ErrChanged is returned by Records.Write if the record has another version.
var ErrChanged = errors.New("sessions: the record has changed")

// maxTries is how often a change of a record is tried while others change it.
const maxTries = 100

// change replaces a record by what f returns for its value, which is nil if it is missing. If f returns nil, the record
// stays. f may be called several times.
func change(ctx context.Context, r Records, key string, f func(old []byte) (v []byte, exp time.Time, err error)) error {
	for range maxTries {
		all, err := r.Read(ctx, key)
		if err != nil {
			return err
		}
		v, exp, err := f(all[0].Value)
		if err != nil || v == nil {
			return err
		}
		if err = r.Write(ctx, key, v, all[0].Version, exp); !errors.Is(err, ErrChanged) {
			return err
		}
	}
	return ErrChanged
}
