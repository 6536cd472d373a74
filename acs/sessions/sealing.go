package sessions

import (
	"context"
	"errors"
	"time"
)

// Sealer seals the records of a [RecordStore]. Open fails for a value that was sealed with other associated data. Both
// must be safe for concurrent use. keys.Sealer of package portal/keys is one. It is acs.Sealer.
type Sealer interface {
	Seal(ctx context.Context, plain, associated []byte) ([]byte, error)
	Open(ctx context.Context, sealed, associated []byte) ([]byte, error)
}

// sealedRecords are Records whose values are sealed. Their keys are not: see namedRecords.
type sealedRecords struct {
	Records
	sealer Sealer
	plain  bool // accepts values that were stored without a Sealer
}

// sealedMark begins sealed values. Others begin with a character of JSON or of a time.
const sealedMark = 1

// errPlain is the error for a value that is not sealed.
var errPlain = errors.New("sessions: the record is not sealed; see InsecureOpenPlaintext")

// recordData is the associated data of a record: its kind, its schema and its key.
func recordData(key string) []byte { return []byte("meridian sessions record\x001\x00" + key) }

// Read implements Records.
func (s sealedRecords) Read(ctx context.Context, keys ...string) ([]Record, error) {
	all, err := s.Records.Read(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i, r := range all {
		if len(r.Value) == 0 {
			continue
		}
		sealed := r.Value[0] == sealedMark
		if !sealed && !s.plain {
			return nil, errPlain
		}
		if !sealed {
			continue
		}
		if all[i].Value, err = s.sealer.Open(ctx, r.Value[1:], recordData(keys[i])); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Write implements Records.
func (s sealedRecords) Write(ctx context.Context, key string, v []byte, version string, exp time.Time) error {
	sealed, err := s.sealer.Seal(ctx, v, recordData(key))
	if err != nil {
		return err
	}
	return s.Records.Write(ctx, key, append([]byte{sealedMark}, sealed...), version, exp)
}
