package keys

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tink-crypto/tink-go/v2/tink"
)

// Config describes a Sealer. NewSealer copies it.
type Config struct {
	// Key encrypts data keys: [Ring.Use], or a KMS's driver. Required. A driver returns an *Error with a Reason of a
	// KMS for a refusal, and another error if the KMS doesn't answer. If the key has a method Version() uint32, as
	// Use has, a new version begins a new data key, and Stale compares with it.
	Key tink.AEADWithContext
	// Instance is the instance whose data is sealed. It is part of what is authenticated: a value of one instance
	// doesn't open in another one. Required.
	Instance string
	// DataKeyAge is how long one data key seals. Zero: an hour.
	DataKeyAge time.Duration
	// DataKeyUses is how many values one data key seals. Zero: 2^24.
	DataKeyUses int
	// CacheFor is how long a data key in memory is used before the key is asked again. A key that was disabled stops
	// within that time. Zero: 30 seconds.
	CacheFor time.Duration
	// CacheKeys is how many data keys are in memory. One that isn't costs a request to the key. Zero: 1,024.
	CacheKeys int
	// Outage is how long data keys in memory are used if the key doesn't answer, after CacheFor. It doesn't apply to
	// refusals. Zero: an hour. Negative: not at all.
	Outage time.Duration
	// Timeout bounds one request to the key. Zero: 5 seconds.
	Timeout time.Duration
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// A Sealer seals values under data keys. It is safe for concurrent use.
type Sealer struct {
	cfg   Config
	cache *cache
}

// NewSealer makes a Sealer. It doesn't use the key: see Check.
func NewSealer(cfg Config) (*Sealer, error) {
	cfg.DataKeyAge, cfg.DataKeyUses = cmp.Or(cfg.DataKeyAge, time.Hour), cmp.Or(cfg.DataKeyUses, 1<<24)
	cfg.CacheFor, cfg.CacheKeys = cmp.Or(cfg.CacheFor, 30*time.Second), cmp.Or(cfg.CacheKeys, 1024)
	cfg.Outage, cfg.Timeout = cmp.Or(cfg.Outage, time.Hour), cmp.Or(cfg.Timeout, 5*time.Second)
	cfg.Outage = max(cfg.Outage, 0)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case cfg.Key == nil:
		return nil, newError(ReasonConfig, "Key", "the key that encrypts data keys", "")
	case cfg.Instance == "" || len(cfg.Instance) > 256:
		return nil, newError(ReasonConfig, "Instance", "1 to 256 bytes", cfg.Instance)
	case min(cfg.DataKeyAge, cfg.CacheFor, cfg.Timeout) < 0 || min(cfg.DataKeyUses, cfg.CacheKeys) < 0:
		return nil, newError(ReasonConfig, "limits", "positive ones", "a negative one")
	}
	return &Sealer{cfg: cfg, cache: newCache(cfg)}, nil
}

// Bind makes associated data of parts, such as a kind of record, its key and its schema. No two lists of parts make the
// same.
func Bind(parts ...string) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.AppendUvarint(out, uint64(len(p)))
		out = append(out, p...)
	}
	return out
}

// The layout of a sealed value: a byte that no JSON text begins with, the version of the key, the length of the
// encrypted data key, that key, and the value encrypted under it. All before the value is associated data of the
// value.
const (
	sealedFormat = 0x01
	headSize     = 1 + 4 + 2
	// maxWrapped bounds an encrypted data key. AWS's have less than 300 bytes.
	maxWrapped = 4096
)

// Seal seals a value. Open needs the same associated data: see Bind.
func (s *Sealer) Seal(ctx context.Context, plain, associated []byte) ([]byte, error) {
	k, err := s.cache.current(ctx)
	if err != nil {
		return nil, err
	}
	head := append(head(k.version, len(k.wrapped)), k.wrapped...)
	body, err := k.aead.Encrypt(plain, s.bound(head, associated))
	if err != nil {
		return nil, unusable(err)
	}
	return append(head, body...), nil
}

// Open opens a sealed value. It fails with Reason InvalidCiphertext if the value was sealed for another instance or
// with other associated data, or was changed.
func (s *Sealer) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	version, wrapped, body, err := parse(sealed)
	if err != nil {
		return nil, err
	}
	k, err := s.cache.opened(ctx, version, wrapped)
	if err != nil {
		return nil, err
	}
	plain, err := k.aead.Decrypt(body, s.bound(sealed[:headSize+len(wrapped)], associated))
	if err != nil {
		return nil, newError(ReasonInvalidCiphertext, "sealed value", "an unchanged one with the same associated data",
			"another one")
	}
	return plain, nil
}

// Instance returns the instance whose data the Sealer seals.
func (s *Sealer) Instance() string { return s.cfg.Instance }

// Check reports whether values can be sealed and opened now. It asks the key if CacheFor has passed since it was asked.
func (s *Sealer) Check(ctx context.Context) error {
	_, err := s.cache.current(ctx)
	return err
}

// Stale reports whether a value should be sealed again, because the key has a later version now, or because it isn't
// sealed.
func (s *Sealer) Stale(sealed []byte) bool {
	version, _, _, err := parse(sealed)
	return err != nil || version < s.cache.version()
}

func head(version uint32, wrapped int) []byte {
	out := make([]byte, 0, headSize+wrapped)
	out = append(out, sealedFormat)
	out = binary.BigEndian.AppendUint32(out, version)
	return binary.BigEndian.AppendUint16(out, uint16(wrapped))
}

// parse reads the layout of a sealed value.
func parse(sealed []byte) (version uint32, wrapped, body []byte, err error) {
	bad := func(got string) error {
		return newError(ReasonInvalidCiphertext, "sealed value", "the layout of one", got)
	}
	if len(sealed) < headSize || sealed[0] != sealedFormat {
		return 0, nil, nil, bad("another one")
	}
	n := int(binary.BigEndian.Uint16(sealed[5:]))
	if n == 0 || n > maxWrapped || len(sealed) < headSize+n {
		return 0, nil, nil, bad(fmt.Sprintf("a data key of %d bytes in %d", n, len(sealed)))
	}
	return binary.BigEndian.Uint32(sealed[1:]), sealed[headSize : headSize+n], sealed[headSize+n:], nil
}

// bound is the associated data of a value.
func (s *Sealer) bound(head, associated []byte) []byte {
	return Bind("meridian sealed value", s.cfg.Instance, string(head), string(associated))
}
