package keys

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// RingConfig describes a Ring. CreateRing and OpenRing copy it.
type RingConfig struct {
	// Path is the file. Required.
	Path string
	// Region is the Region of the keys. Required.
	Region string
	// Passphrase seals the file: at least 8 bytes. It is as strong as it is hard to guess. Required without Key.
	Passphrase []byte
	// Key seals the file instead of Passphrase: 32 random bytes of the operator.
	Key []byte
	// KDF is for a new file. Zero: see KDF.
	KDF KDF
	// Now is the clock, for creation and deletion dates. Nil: time.Now.
	Now func() time.Time
	// Rand is where IDs and the salt come from. Key material and nonces are Tink's. Nil: crypto/rand.
	Rand io.Reader
}

func (c *RingConfig) defaults() {
	c.Passphrase, c.Key = bytes.Clone(c.Passphrase), bytes.Clone(c.Key)
	c.KDF.Passes, c.KDF.KiB, c.KDF.Lanes = cmp.Or(c.KDF.Passes, 3), cmp.Or(c.KDF.KiB, 64<<10), cmp.Or(c.KDF.Lanes, 4)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
}

func (c *RingConfig) check() error {
	switch {
	case c.Path == "":
		return newError(ReasonConfig, "Path", "a file", "")
	case !regionName.MatchString(c.Region):
		return newError(ReasonConfig, "Region", "a Region code such as eu-central-1", c.Region)
	case c.Key == nil && len(c.Passphrase) < minPassphrase:
		return newError(ReasonConfig, "Passphrase", "at least 8 bytes, or Key", "fewer")
	case c.Key != nil && len(c.Passphrase) > 0:
		return newError(ReasonConfig, "Key", "none with Passphrase", "both")
	case c.Key != nil && len(c.Key) != keySize:
		return newError(ReasonConfig, "Key", "32 bytes", "another number")
	}
	return c.KDF.check(ReasonConfig)
}

// A Ring is the embedded key service of one Region. It is safe for concurrent use. Several processes may open its file,
// but only one should change it: the others continue with what they have read, until Reload.
type Ring struct {
	cfg RingConfig

	mu      sync.Mutex
	file    *fileKey
	read    [sha256.Size]byte // of the file, as it was last read or written
	records []record
	opened  map[string]primitives // by ID
	counted bool                  // there are counts that the file doesn't have
}

// CreateRing makes a Ring without keys, and its file. If the file exists, it fails with Reason Exists.
func CreateRing(cfg RingConfig) (*Ring, error) {
	cfg.defaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	k, err := newFileKey(&cfg)
	if err != nil {
		return nil, err
	}
	r := &Ring{cfg: cfg, file: k, opened: map[string]primitives{}}
	b, err := k.seal(nil)
	if err != nil {
		return nil, err
	}
	if err := replace(cfg.Path, b, true); err != nil {
		return nil, err
	}
	r.read = sha256.Sum256(b)
	return r, nil
}

// OpenRing opens the Ring of a file. It writes nothing.
func OpenRing(cfg RingConfig) (*Ring, error) {
	cfg.defaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	r := &Ring{cfg: cfg}
	if err := r.Reload(); err != nil {
		return nil, err
	}
	return r, nil
}

// Reload reads the file again, after another process has changed it. If it fails, the Ring continues with what it has.
// Counts that the file doesn't have are kept.
func (r *Ring) Reload() error {
	b, err := load(r.cfg.Path)
	if err != nil {
		return err
	}
	f, err := readFile(b)
	if err != nil {
		return err
	}
	if f.Region != r.cfg.Region {
		return newError(ReasonConfig, "Region of the file", r.cfg.Region, f.Region)
	}
	k, records, err := f.open(&r.cfg)
	if err != nil {
		return err
	}
	opened := map[string]primitives{}
	for _, one := range records {
		if opened[one.ID], err = one.open(); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, one := range records {
		if j := r.index(one.ID); j >= 0 && r.counted {
			records[i].Used = r.records[j].Used
		}
	}
	r.file, r.records, r.opened, r.read = k, records, opened, sha256.Sum256(b)
	return nil
}

// Region returns the Region of the Ring.
func (r *Ring) Region() string { return r.cfg.Region }

// Close stores the counts of use. The Ring can be used after that.
func (r *Ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.counted {
		return nil
	}
	return r.save(r.records)
}

// List returns all keys, in order of their IDs.
func (r *Ring) List() []Key {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	var out []Key
	for _, one := range r.records {
		out = append(out, one.describe(r.cfg.Region))
	}
	slices.SortFunc(out, func(a, b Key) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Describe returns a key.
func (r *Ring) Describe(id string) (Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.find(id)
	if err != nil {
		return Key{}, err
	}
	return r.records[i].describe(r.cfg.Region), nil
}

func (r *Ring) index(id string) int {
	return slices.IndexFunc(r.records, func(one record) bool { return one.ID == id })
}

// find returns the index of a key. The caller holds mu.
func (r *Ring) find(id string) (int, error) {
	r.expire()
	i := r.index(id)
	if i < 0 {
		return 0, newError(ReasonNotFound, "key", "one of Region "+r.cfg.Region, id)
	}
	return i, nil
}

// expire drops keys whose deletion date has come. Their material is erased from the file at the next write.
func (r *Ring) expire() {
	now := r.cfg.Now()
	r.records = slices.DeleteFunc(r.records, func(one record) bool {
		due := one.State == PendingDeletion && !now.Before(one.Deletion)
		if due {
			delete(r.opened, one.ID)
			r.counted = true // Close writes the file
		}
		return due
	})
}

// change changes a key, in the file and then in memory.
func (r *Ring) change(id string, f func(*record) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.find(id)
	if err != nil {
		return err
	}
	one := r.records[i].clone()
	if err := f(&one); err != nil {
		return err
	}
	return r.put(one)
}

// put adds or replaces a key. The caller holds mu.
func (r *Ring) put(one record) error {
	if err := one.check(); err != nil {
		return &Error{Reason: ReasonConfig, Rule: "key", Err: err}
	}
	p, err := one.open()
	if err != nil {
		return err
	}
	records := slices.Clone(r.records)
	if i := r.index(one.ID); i >= 0 {
		records[i] = one
	} else {
		records = append(records, one)
	}
	if err := r.save(records); err != nil {
		return err
	}
	r.records, r.opened[one.ID] = records, p
	return nil
}

// save writes the file, unless another process has changed it. A file that was lost is written again. The caller holds
// mu.
func (r *Ring) save(records []record) error {
	now, err := load(r.cfg.Path)
	var e *Error
	lost := errors.As(err, &e) && e.Reason == ReasonNoFile
	if err != nil && !lost {
		return err
	}
	if !lost && sha256.Sum256(now) != r.read {
		return newError(ReasonConflict, "file of a Ring", "the content that this Ring has read", "another content")
	}
	b, err := r.file.seal(records)
	if err != nil {
		return err
	}
	if err := replace(r.cfg.Path, b, lost); err != nil {
		return err
	}
	r.read, r.counted = sha256.Sum256(b), false
	return nil
}
