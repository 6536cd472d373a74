package keys

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	tinksubtle "github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// A dataKey seals values, or opens those that it sealed. The cache's lock guards what changes.
type dataKey struct {
	version uint32 // of the key, when this one was made
	wrapped []byte // this key, encrypted
	aead    tink.AEAD
	made    time.Time
	asked   time.Time // when the key last allowed its use
	until   time.Time // it may be used without asking the key until then
	keep    time.Time // it isn't replaced before that, as the key didn't answer
	uses    int
	last    uint64 // use of the cache, to find the one that was used least recently
}

// A cache has the data keys in memory.
type cache struct {
	cfg Config

	mu      sync.Mutex
	sealing *dataKey            // nil: none yet
	keys    map[string]*dataKey // by their encrypted form
	flights map[string]*flight
	clock   uint64
}

// A flight is a request to the key, for which all callers that need its result wait.
type flight struct {
	done chan struct{}
	key  *dataKey
	err  error
}

func newCache(cfg Config) *cache {
	return &cache{cfg: cfg, keys: map[string]*dataKey{}, flights: map[string]*flight{}}
}

// retry is how long an outage of the key is assumed to last, at least.
const retry = 5 * time.Second

// version returns the key's version; 0 if it has none.
func (c *cache) version() uint32 {
	if v, ok := c.cfg.Key.(interface{ Version() uint32 }); ok {
		return v.Version()
	}
	return 0
}

// current returns the data key that seals.
func (c *cache) current(ctx context.Context) (*dataKey, error) {
	version, now := c.version(), c.cfg.Now()
	c.mu.Lock()
	k := c.sealing
	if k == nil || c.worn(k, version, now) {
		made, err := c.fly(ctx, "", func(ctx context.Context) (*dataKey, error) { return c.make(ctx, version) })
		if err != nil || k == nil || made != k {
			return made, err
		}
		c.mu.Lock() // the key doesn't answer, and the last data key continues
	}
	k.uses++
	c.touch(k)
	fresh := c.fresh(k, now)
	c.mu.Unlock()
	if fresh {
		return k, nil
	}
	return c.opened(ctx, k.version, k.wrapped)
}

// worn reports whether a data key should seal nothing more.
func (c *cache) worn(k *dataKey, version uint32, now time.Time) bool {
	if now.Before(k.keep) && k.keep.Sub(now) <= retry {
		return false
	}
	return k.version != version || now.Sub(k.made) >= c.cfg.DataKeyAge || k.uses >= c.cfg.DataKeyUses
}

// fresh reports whether a data key may be used without asking the key. If the clock was set back, it may not.
func (c *cache) fresh(k *dataKey, now time.Time) bool {
	left := k.until.Sub(now)
	return left > 0 && left <= c.cfg.CacheFor
}

func (c *cache) touch(k *dataKey) {
	c.clock++
	k.last = c.clock
}

// opened returns the data key of an encrypted one.
func (c *cache) opened(ctx context.Context, version uint32, wrapped []byte) (*dataKey, error) {
	name := nameOf(version, wrapped)
	c.mu.Lock()
	if k := c.find(name); k != nil && c.fresh(k, c.cfg.Now()) {
		c.touch(k)
		c.mu.Unlock()
		return k, nil
	}
	return c.fly(ctx, name, func(ctx context.Context) (*dataKey, error) { return c.ask(ctx, name, version, wrapped) })
}

// find returns a data key in memory, or nil. The one that seals may be dropped from keys. The caller holds mu.
func (c *cache) find(name string) *dataKey {
	if k := c.sealing; k != nil && name == nameOf(k.version, k.wrapped) {
		return k
	}
	return c.keys[name]
}

func nameOf(version uint32, wrapped []byte) string {
	return string(head(version, len(wrapped))) + string(wrapped)
}

// fly makes a request, or waits for the one of another caller. The caller holds mu, and fly unlocks it.
func (c *cache) fly(
	ctx context.Context, name string, request func(context.Context) (*dataKey, error),
) (*dataKey, error) {
	f := c.flights[name]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		c.flights[name] = f
		go func() { // the others must not fail because this caller's context ends
			asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.Timeout)
			defer cancel()
			f.key, f.err = request(asking)
			c.mu.Lock()
			delete(c.flights, name)
			c.mu.Unlock()
			close(f.done)
		}()
	}
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.key, f.err
	case <-ctx.Done():
		return nil, unavailable("data key", context.Cause(ctx))
	}
}

// make makes the next data key that seals. If the key doesn't answer, the last one continues.
func (c *cache) make(ctx context.Context, version uint32) (*dataKey, error) {
	material := make([]byte, keySize)
	_, _ = rand.Read(material) // never fails
	wrapped, err := c.cfg.Key.EncryptWithContext(ctx, material, c.wrapping(version))
	if err == nil && (len(wrapped) == 0 || len(wrapped) > maxWrapped) {
		err = fmt.Errorf("an encrypted data key of %d bytes, want at most %d", len(wrapped), maxWrapped)
	}
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		k := c.sealing
		if err := c.failed(err, k, now); err != nil {
			return nil, err
		}
		k.keep = now.Add(retry)
		return k, nil
	}
	k, err := c.add(version, wrapped, material, now)
	if err == nil {
		c.sealing = k
	}
	return k, err
}

// ask asks the key to decrypt a data key: for the first time, or again.
func (c *cache) ask(ctx context.Context, name string, version uint32, wrapped []byte) (*dataKey, error) {
	material, err := c.cfg.Key.DecryptWithContext(ctx, wrapped, c.wrapping(version))
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.find(name)
	switch {
	case err != nil:
		if err := c.failed(err, k, now); err != nil {
			return nil, err
		}
		k.until = now.Add(min(retry, c.cfg.CacheFor))
		return k, nil
	case k != nil:
		k.asked, k.until = now, now.Add(c.cfg.CacheFor)
		return k, nil
	}
	return c.add(version, wrapped, material, now)
}

// failed decides about a failed request. It returns nil if a data key continues. The caller holds mu.
func (c *cache) failed(err error, k *dataKey, now time.Time) error {
	if reason, refused := Refused(err); refused {
		if reason != ReasonInvalidCiphertext { // the key refuses everything
			clear(c.keys)
			c.sealing = nil
		}
		return err
	}
	if k != nil && c.lasts(now.Sub(k.asked)) {
		return nil
	}
	return unavailable("key of the data keys", err)
}

// lasts reports whether a data key that the key allowed so long ago is used while the key doesn't answer. If the clock
// was set back by more than CacheFor, it isn't known how long ago that is.
func (c *cache) lasts(age time.Duration) bool {
	return age > -c.cfg.CacheFor && age < c.cfg.CacheFor+c.cfg.Outage
}

// add adds a data key, and drops the one that was used least recently if there are too many. The caller holds mu.
func (c *cache) add(version uint32, wrapped, material []byte, now time.Time) (*dataKey, error) {
	a, err := tinksubtle.NewXChaCha20Poly1305(material)
	if err != nil {
		return nil, newError(ReasonInvalidCiphertext, "data key", "32 bytes", fmt.Sprint(len(material)))
	}
	wrapped = bytes.Clone(wrapped) // of a value that is the caller's
	k := &dataKey{version: version, wrapped: wrapped, aead: a, made: now, asked: now, until: now.Add(c.cfg.CacheFor)}
	c.keys[nameOf(version, wrapped)] = k
	c.touch(k)
	for len(c.keys) > c.cfg.CacheKeys {
		oldest, last := "", c.clock+1
		for name, one := range c.keys {
			if one.last < last {
				oldest, last = name, one.last
			}
		}
		delete(c.keys, oldest)
	}
	return k, nil
}

// wrapping is the associated data of an encrypted data key.
func (c *cache) wrapping(version uint32) []byte {
	return Bind("meridian data key", c.cfg.Instance, string(binary.BigEndian.AppendUint32(nil, version)))
}
