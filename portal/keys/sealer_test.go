package keys_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/keys"
)

func world(t *testing.T) (*clock, *keys.Ring, string, *kms) {
	c := newClock()
	r, _ := newRing(t, virginia, c)
	id := create(t, r)
	return c, r, id, &kms{AEADWithContext: r.Use(id, principal)}
}

// A value opens in the instance and with the associated data for which it was sealed, and nowhere else.
func TestAValueIsBound(t *testing.T) {
	c, r, id, _ := world(t)
	s := newSealer(t, r.Use(id, principal), c)
	sealed, err := s.Seal(t.Context(), []byte("Ada"), keys.Bind("user", "u1", "1"))
	require.NoError(t, err)
	plain, err := s.Open(t.Context(), sealed, keys.Bind("user", "u1", "1"))
	require.NoError(t, err)
	require.Equal(t, "Ada", string(plain))
	for name, ad := range map[string][]byte{
		"kind": keys.Bind("group", "u1", "1"), "key": keys.Bind("user", "u2", "1"),
		"schema": keys.Bind("user", "u1", "2"),
		"split":  keys.Bind("user", "u11"), "fewer": keys.Bind("user", "u1"), "more": keys.Bind("user", "u1", "1", ""),
		"none": nil,
	} {
		_, err := s.Open(t.Context(), sealed, ad)
		requireReason(t, keys.ReasonInvalidCiphertext, err, name)
	}
	other, err := keys.NewSealer(keys.Config{Key: r.Use(id, principal), Instance: "ssoins-2", Now: c.Now})
	require.NoError(t, err)
	_, err = other.Open(t.Context(), sealed, keys.Bind("user", "u1", "1"))
	requireReason(t, keys.ReasonInvalidCiphertext, err, "another instance")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		_, err := s.Open(t.Context(), changed, keys.Bind("user", "u1", "1"))
		requireReason(t, keys.ReasonInvalidCiphertext, err, "byte %d", i)
		_, err = s.Open(t.Context(), sealed[:i], keys.Bind("user", "u1", "1"))
		requireReason(t, keys.ReasonInvalidCiphertext, err, "first %d bytes", i)
	}
	_, err = s.Open(t.Context(), []byte(`{"plain":"text"}`), keys.Bind("user", "u1", "1"))
	requireReason(t, keys.ReasonInvalidCiphertext, err)
	require.NoError(t, s.Check(t.Context()), "junk doesn't stop a key")
}

func TestTwoValuesAreNeverEqual(t *testing.T) {
	c, r, id, _ := world(t)
	s := newSealer(t, r.Use(id, principal), c)
	require.NotEqual(t, seal(t, s, "Ada"), seal(t, s, "Ada"))
}

// A disabled key stops a Sealer within CacheFor, also for values that it has opened before.
func TestADisabledKeyStopsInTime(t *testing.T) {
	c, r, id, _ := world(t)
	s := newSealer(t, r.Use(id, principal), c)
	sealed := seal(t, s, "Ada")
	require.NoError(t, r.Disable(id))
	requireOpens(t, s, sealed, "Ada")
	c.Add(30 * time.Second)
	_, err := open(s, sealed)
	requireReason(t, keys.ReasonDisabled, err)
	_, err = s.Seal(t.Context(), []byte("x"), nil)
	requireReason(t, keys.ReasonDisabled, err)
	requireReason(t, keys.ReasonDisabled, s.Check(t.Context()))
	assert.Zero(t, s.CachedKeys())
	reason, refused := keys.Refused(err)
	assert.True(t, refused)
	assert.Equal(t, keys.ReasonDisabled, reason)
	require.NoError(t, r.Enable(id))
	requireOpens(t, s, sealed, "Ada")
	require.NoError(t, s.Check(t.Context()))
}

// A clock that was set back doesn't make a data key live longer.
func TestAClockThatIsSetBackAsksTheKey(t *testing.T) {
	c, r, id, _ := world(t)
	s := newSealer(t, r.Use(id, principal), c)
	sealed := seal(t, s, "Ada")
	require.NoError(t, r.Disable(id))
	c.Add(-24 * time.Hour)
	_, err := open(s, sealed)
	requireReason(t, keys.ReasonDisabled, err)
}

// It doesn't make an outage longer, either: a key that doesn't answer may have been disabled. A small step
// is accepted.
func TestAClockThatIsSetBackEndsAnOutage(t *testing.T) {
	c, _, _, k := world(t)
	s := newSealer(t, k, c)
	sealed := seal(t, s, "Ada")
	k.setDown(true)
	c.Add(-time.Second)
	requireOpens(t, s, sealed, "Ada")
	c.Add(-24 * time.Hour)
	_, err := open(s, sealed)
	requireReason(t, keys.ReasonUnavailable, err)
	requireReason(t, keys.ReasonUnavailable, s.Check(t.Context()))
}

func TestAKeyThatDoesNotAnswerIsNoRefusal(t *testing.T) {
	c, _, _, k := world(t)
	s := newSealer(t, k, c)
	sealed := seal(t, s, "Ada")
	k.setDown(true)
	for range 11 { // longer than DataKeyAge
		c.Add(5 * time.Minute)
		requireOpens(t, s, sealed, "Ada")
		requireOpens(t, s, seal(t, s, "Grace"), "Grace")
	}
	before := k.count()
	for range 1000 {
		seal(t, s, "x")
	}
	assert.Equal(t, before, k.count(), "an outage doesn't cost a request for each value")
	c.Add(6 * time.Minute)
	_, err := open(s, sealed)
	requireReason(t, keys.ReasonUnavailable, err)
	require.ErrorIs(t, err, errDown)
	requireReason(t, keys.ReasonUnavailable, s.Check(t.Context()))
	k.setDown(false)
	requireOpens(t, s, sealed, "Ada")
	require.NoError(t, s.Check(t.Context()))

	strict, err := keys.NewSealer(keys.Config{Key: k, Instance: "ssoins-1", Now: c.Now, Outage: -1})
	require.NoError(t, err)
	requireOpens(t, strict, sealed, "Ada")
	k.setDown(true)
	c.Add(30 * time.Second)
	_, err = open(strict, sealed)
	requireReason(t, keys.ReasonUnavailable, err)
}

func TestDataKeysAreBounded(t *testing.T) {
	c, _, _, k := world(t)
	s, err := keys.NewSealer(keys.Config{Key: k, Instance: "ssoins-1", Now: c.Now, DataKeyUses: 10, CacheKeys: 8})
	require.NoError(t, err)
	var all [][]byte
	for i := range 200 {
		all = append(all, seal(t, s, fmt.Sprint(i)))
	}
	assert.InDelta(t, 20, k.count(), 2, "ten values for each data key")
	assert.Equal(t, 8, s.CachedKeys())
	for i, sealed := range all {
		requireOpens(t, s, sealed, fmt.Sprint(i))
	}
	assert.Equal(t, 8, s.CachedKeys())
	require.NoError(t, s.Check(t.Context()))

	one, err := keys.NewSealer(keys.Config{Key: k, Instance: "ssoins-1", Now: c.Now, CacheKeys: 1})
	require.NoError(t, err)
	requireOpens(t, one, all[0], "0")
	mine := seal(t, one, "mine")
	requireOpens(t, one, all[0], "0")
	before := k.count()
	requireOpens(t, one, mine, "mine")
	assert.Equal(t, before, k.count(), "the data key that seals stays in memory")
}

// Many sign-ins at once cost one request to the key, and one that gives up doesn't fail the others.
func TestCallersShareARequest(t *testing.T) {
	c, _, _, k := world(t)
	blocked := &blockedKey{kms: k, enter: make(chan struct{}, 1), leave: make(chan struct{})}
	s := newSealer(t, blocked, c)
	var wg sync.WaitGroup
	gone, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := s.Seal(gone, []byte("x"), nil)
		first <- err
	}()
	<-blocked.enter
	for range 50 {
		wg.Go(func() {
			_, err := s.Seal(context.Background(), []byte("x"), nil)
			assert.NoError(t, err)
		})
	}
	cancel()
	requireReason(t, keys.ReasonUnavailable, <-first)
	close(blocked.leave)
	wg.Wait()
	assert.Equal(t, 1, k.count())
}

type blockedKey struct {
	*kms
	enter, leave chan struct{}
}

func (b *blockedKey) EncryptWithContext(ctx context.Context, p, ad []byte) ([]byte, error) {
	select {
	case b.enter <- struct{}{}:
	default:
	}
	select {
	case <-b.leave:
		return b.kms.EncryptWithContext(ctx, p, ad)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestConfigOfASealer(t *testing.T) {
	_, _, _, k := world(t)
	good := keys.Config{Key: k, Instance: "ssoins-1"}
	for name, change := range map[string]func(*keys.Config){
		"no key":         func(c *keys.Config) { c.Key = nil },
		"no instance":    func(c *keys.Config) { c.Instance = "" },
		"negative age":   func(c *keys.Config) { c.DataKeyAge = -1 },
		"negative cache": func(c *keys.Config) { c.CacheKeys = -1 },
	} {
		cfg := good
		change(&cfg)
		_, err := keys.NewSealer(cfg)
		requireReason(t, keys.ReasonConfig, err, name)
	}
	_, err := keys.NewSealer(good)
	require.NoError(t, err)
}
