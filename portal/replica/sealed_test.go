package replica_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/keys"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A keyring is a key with a copy in each Region.
type keyring struct {
	id    string
	rings map[string]*keys.Ring
}

func newKeyring(t testing.TB, regions ...string) keyring {
	t.Helper()
	k := keyring{rings: map[string]*keys.Ring{}}
	for i, region := range regions {
		r, err := keys.CreateRing(keys.RingConfig{Path: filepath.Join(t.TempDir(), "keys"), Region: region,
			Key: make([]byte, 32)})
		require.NoError(t, err)
		k.rings[region] = r
		if i > 0 {
			_, err = k.rings[regions[0]].Replicate(k.id, r, nil)
			require.NoError(t, err)
			continue
		}
		made, err := r.Create(keys.KeyConfig{Policy: keys.Allow("portal")})
		require.NoError(t, err)
		k.id = made.ID
	}
	return k
}

// sealer makes a Sealer of a Region, which notices changes of the key soon.
func (k keyring) sealer(t testing.TB, region string) *keys.Sealer {
	t.Helper()
	s, err := keys.NewSealer(keys.Config{Key: k.rings[region].Use(k.id, "portal"), Instance: "ssoins-1",
		CacheFor: 50 * time.Millisecond})
	require.NoError(t, err)
	return s
}

func (k keyring) config(t testing.TB, region, dir string) replica.Config {
	t.Helper()
	c := configOf(region, dir)
	c.InsecurePlaintext, c.Sealer = false, k.sealer(t, region)
	return c
}

// requireKey fails unless an error says why a Region's key may not be used.
func requireKey(t testing.TB, want keys.Reason, err error) {
	t.Helper()
	var e *replica.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, replica.ReasonKey, e.Reason, err)
	var why *keys.Error
	require.ErrorAs(t, err, &why)
	require.Equal(t, want, why.Reason)
}

// Rule 15: no string that names a person is on a disk of a Region, or on the wire between Regions. Without sealing, the
// search finds all of them.
func TestNothingThatNamesAPersonIsPlain(t *testing.T) {
	t.Parallel()
	for name, sealed := range map[string]bool{"sealed": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			k, dirs := newKeyring(t, virginia, frankfurt), []string{t.TempDir(), t.TempDir()}
			var nodes []*replica.Node
			var wires []*recorder
			for i, region := range []string{virginia, frankfurt} {
				c := configOf(region, dirs[i])
				if sealed {
					c = k.config(t, region, dirs[i])
				}
				n := open(t, c)
				nodes, wires = append(nodes, n), append(wires, recordWire(t, n.Addr()))
			}
			us, eu := nodes[0], nodes[1]
			require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: wires[1].url()}))
			require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: wires[0].url()}))
			require.NoError(t, eu.Ready(background(t)))
			plant(t, us)
			r, err := replica.Check(background(t), nodes...)
			require.NoError(t, err, r.String())
			live := foundIn(t, dirs...)
			for _, n := range nodes {
				n.Close()
			}
			disk, wire, recorded := foundIn(t, dirs...), map[string]bool{}, 0
			for _, w := range wires {
				recorded += len(w.bytes())
				search(w.bytes(), wire)
			}
			require.Greater(t, recorded, 10_000)
			if sealed {
				assert.Zero(t, count(live), "%v", live)
				assert.Zero(t, count(disk), "%v", disk)
				assert.Zero(t, count(wire), "%v", wire)
				return
			}
			assert.Equal(t, 100, count(disk), "%v", disk)
			assert.Equal(t, 100, count(wire), "%v", wire)
		})
	}
}

// Rules 13 and 14: a key that is disabled, or whose policy drifted, stops its Region alone, with the reason. What other
// Regions say meanwhile is copied, and takes effect when the key may be used again.
func TestAKeyStopsItsRegionAlone(t *testing.T) {
	k := newKeyring(t, virginia, frankfurt)
	us := open(t, k.config(t, virginia, t.TempDir()))
	cfg := k.config(t, frankfurt, t.TempDir())
	eu := open(t, cfg)
	mesh(t, us, eu)
	ring := k.rings[frankfurt]
	for i, step := range []struct {
		stop, mend func() error
		want       keys.Reason
	}{
		{func() error { return ring.Disable(k.id) }, func() error { return ring.Enable(k.id) }, keys.ReasonDisabled},
		{func() error { return ring.PutPolicy(k.id, keys.Allow("another")) },
			func() error { return ring.PutPolicy(k.id, keys.Allow("portal")) }, keys.ReasonAccessDenied},
	} {
		before, during := fmt.Sprint("before-", i), fmt.Sprint("during-", i)
		signIn(t, us, "u-1", before)
		eventually(t, "the session in Frankfurt", func() bool { return alive(t, eu, before) })
		require.NoError(t, step.stop())
		var err error
		eventually(t, "the stop", func() bool {
			_, err = eu.Sessions().Get(background(t), "key-"+before)
			return err != nil
		})
		requireKey(t, step.want, err)
		requireKey(t, step.want, eu.Probe(background(t)))
		requireKey(t, step.want, eu.Codes().PutCode(background(t), "c", []byte("v"), time.Now().Add(time.Minute)))

		signIn(t, us, "u-2", during)
		require.NoError(t, us.Sessions().End(background(t), "key-"+before))
		require.NoError(t, us.Probe(background(t)), "the other Region goes on")
		require.NoError(t, step.mend())
		require.NoError(t, eu.Ready(background(t)))
		eventually(t, "what was said meanwhile", func() bool { return alive(t, eu, during) && !alive(t, eu, before) })
	}
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())

	eu.Close()
	require.NoError(t, ring.Disable(k.id))
	_, err = replica.Open(background(t), cfg)
	requireKey(t, keys.ReasonDisabled, err)
	require.NoError(t, ring.Enable(k.id))
	eu = open(t, cfg)
	require.NoError(t, eu.Ready(background(t)))
	assert.True(t, alive(t, eu, "during-1"))
}

// Rule 11: a Region to which the key was not replicated doesn't start, whatever it is given. When the copy is there, it
// does. The other Region goes on.
func TestARegionNeedsACopyOfTheKey(t *testing.T) {
	t.Parallel()
	k, dir := newKeyring(t, virginia), t.TempDir()
	us := open(t, k.config(t, virginia, t.TempDir()))
	ring, err := keys.CreateRing(keys.RingConfig{Path: filepath.Join(t.TempDir(), "keys"), Region: frankfurt,
		Key: make([]byte, 32)})
	require.NoError(t, err)
	k.rings[frankfurt] = ring
	cfg := k.config(t, frankfurt, dir)
	cfg.Peers = map[string]replica.Peer{virginia: {URL: us.Addr()}}
	_, err = replica.Open(background(t), cfg)
	requireKey(t, keys.ReasonNotFound, err)
	require.NoError(t, us.Probe(background(t)))
	_, err = k.rings[virginia].Replicate(k.id, ring, nil)
	require.NoError(t, err)
	eu := open(t, cfg)
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.Ready(background(t)))
}

// A key is rotated while Regions write. Everything is sealed again, is the same everywhere, and a restart finds it.
func TestEverythingIsSealedAgainWhenTheKeyIsRotated(t *testing.T) {
	t.Parallel()
	k, dir := newKeyring(t, virginia, frankfurt), t.TempDir()
	cfg := k.config(t, virginia, dir)
	us, eu := open(t, cfg), open(t, k.config(t, frankfurt, t.TempDir()))
	mesh(t, us, eu)
	for i := range 20 {
		signIn(t, us, "u-1", fmt.Sprint("before-", i))
	}
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-2"))
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-2", "s", time.Now().Add(time.Hour)))
	require.NoError(t, act(us, 0, "u-3"))
	old := replica.Stale(t, us, cfg.Sealer.(*keys.Sealer))
	assert.Zero(t, old)
	_, err := k.rings[virginia].Rotate(k.id, k.rings[frankfurt])
	require.NoError(t, err)
	signIn(t, eu, "u-1", "after")
	for _, n := range []*replica.Node{us, eu} {
		eventually(t, "new seals in "+n.Region(), func() bool {
			return replica.Stale(t, n, cfg.Sealer.(*keys.Sealer)) == 0
		})
	}
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	for i := range 20 {
		assert.True(t, alive(t, us, fmt.Sprint("before-", i)))
		assert.True(t, alive(t, eu, fmt.Sprint("before-", i)))
	}
	url := us.Addr()
	us.Close()
	cfg.Listen = strings.TrimPrefix(url, "nats://")
	us = open(t, cfg)
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	eventually(t, "the session of Frankfurt", func() bool { return alive(t, us, "after") })
	r, err = replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
}

// Another instance's key, or none, opens nothing, and changes nothing.
func TestASealedStateNeedsItsKey(t *testing.T) {
	k, dir := newKeyring(t, virginia), t.TempDir()
	us := open(t, k.config(t, virginia, dir))
	signIn(t, us, "u-1", "s-1")
	us.Close()
	other := newKeyring(t, virginia)
	for name, test := range map[string]struct {
		cfg  replica.Config
		want replica.Reason
	}{
		"another key": {other.config(t, virginia, dir), replica.ReasonCorrupt},
		"no key":      {configOf(virginia, dir), replica.ReasonConfig},
	} {
		_, err := replica.Open(background(t), test.cfg)
		var e *replica.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, test.want, e.Reason, "%s: %v", name, err)
	}
	us = open(t, k.config(t, virginia, dir))
	assert.True(t, alive(t, us, "s-1"))
}

// A state that was written unsealed is sealed by the first start with InsecureOpenPlaintext, Region by Region. Nothing
// of it stays plain, in the copies neither, and nothing is lost.
func TestAnUnsealedStateIsSealedByAnUpgrade(t *testing.T) {
	t.Parallel()
	dirs := []string{t.TempDir(), t.TempDir()}
	us, eu := open(t, configOf(virginia, dirs[0])), open(t, configOf(frankfurt, dirs[1]))
	mesh(t, us, eu)
	plant(t, us)
	signIn(t, eu, "u-1", "of-frankfurt")
	signIn(t, us, "u-2", "revoked")
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-2"))
	_, err := replica.Check(background(t), us, eu)
	require.NoError(t, err)
	us.Close()
	eu.Close()
	require.NotZero(t, count(foundIn(t, dirs...)))

	k := newKeyring(t, virginia, frankfurt)
	cfg := k.config(t, virginia, dirs[0])
	_, err = replica.Open(background(t), cfg)
	var e *replica.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, replica.ReasonConfig, e.Reason, err)
	reopen := func(plain bool) {
		c := k.config(t, virginia, dirs[0])
		d := k.config(t, frankfurt, dirs[1])
		c.InsecureOpenPlaintext, d.InsecureOpenPlaintext = plain, plain
		us, eu = open(t, c), open(t, d)
		mesh(t, us, eu)
		eventually(t, "the sessions", func() bool {
			return alive(t, us, "of-frankfurt") && alive(t, eu, "of-frankfurt")
		})
		assert.False(t, alive(t, us, "revoked"))
		assert.False(t, alive(t, eu, "revoked"))
		_, found := eu.View().Snapshot().UserByID(planted()[0])
		assert.True(t, found)
		r, err := replica.Check(background(t), us, eu)
		require.NoError(t, err, r.String())
	}
	reopen(true)
	eventually(t, "the removal of the old files", func() bool {
		return replica.Plain(t, us)+replica.Plain(t, eu) == 0 && count(foundIn(t, dirs...)) == 0
	})
	us.Close()
	eu.Close()
	reopen(false)
	require.Zero(t, count(foundIn(t, dirs...)))
}

// A Region that was sealed while another one didn't run has plain copies. Then it doesn't start without
// InsecureOpenPlaintext, and names a copy. With it the copies are replaced, and nothing was lost.
func TestAPlainCopyNeedsInsecureOpenPlaintext(t *testing.T) {
	t.Parallel()
	dirs, k := []string{t.TempDir(), t.TempDir()}, newKeyring(t, virginia, frankfurt)
	us, eu := open(t, configOf(virginia, dirs[0])), open(t, configOf(frankfurt, dirs[1]))
	mesh(t, us, eu)
	signIn(t, us, "u-1", "of-virginia")
	signIn(t, eu, "u-1", "of-frankfurt")
	eventually(t, "the sessions", func() bool { return alive(t, us, "of-frankfurt") && alive(t, eu, "of-virginia") })
	us.Close()
	eu.Close()
	configs := []replica.Config{k.config(t, virginia, dirs[0]), k.config(t, frankfurt, dirs[1])}
	for _, c := range configs { // one after the other
		c.InsecureOpenPlaintext = true
		open(t, c).Close()
	}
	for i, c := range configs {
		_, err := replica.Open(background(t), c)
		var e *replica.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, replica.ReasonConfig, e.Reason, err)
		assert.Contains(t, err.Error(), "_"+configs[1-i].Region)
		configs[i].InsecureOpenPlaintext = true
	}
	us, eu = open(t, configs[0]), open(t, configs[1])
	mesh(t, us, eu)
	eventually(t, "sealed copies", func() bool { return replica.Plain(t, us)+replica.Plain(t, eu) == 0 })
	eventually(t, "the sessions", func() bool { return alive(t, us, "of-frankfurt") && alive(t, eu, "of-virginia") })
	us.Close()
	eu.Close()
	for i := range configs {
		configs[i].InsecureOpenPlaintext = false
	}
	us, eu = open(t, configs[0]), open(t, configs[1])
	mesh(t, us, eu)
	assert.True(t, alive(t, us, "of-frankfurt"))
	assert.True(t, alive(t, eu, "of-virginia"))
}

// The key of a Region's proofs is sealed in its identity: by the first start with a Sealer, and again when the key is
// rotated. It is the same key then.
func TestTheKeyOfProofsIsSealed(t *testing.T) {
	t.Parallel()
	dir, k := t.TempDir(), newKeyring(t, virginia)
	identity := func() (d struct{ Key, SealedKey string }) {
		b, err := os.ReadFile(filepath.Join(dir, "meridian.identity"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &d))
		return d
	}
	us := open(t, configOf(virginia, dir))
	plain := identity()
	require.NotEmpty(t, plain.Key)
	require.Equal(t, plain.Key, replica.ProofKey(us))
	us.Close()

	cfg := k.config(t, virginia, dir)
	cfg.InsecureOpenPlaintext = true
	us = open(t, cfg)
	sealed := identity()
	assert.Empty(t, sealed.Key)
	require.NotEmpty(t, sealed.SealedKey)
	assert.Equal(t, plain.Key, replica.ProofKey(us))
	require.NoError(t, k.rings[virginia].Disable(k.id))
	eventually(t, "the stop", func() bool { return us.Probe(background(t)) != nil })
	require.NoError(t, k.rings[virginia].Enable(k.id))
	require.NoError(t, us.Ready(background(t)))
	_, err := k.rings[virginia].Rotate(k.id)
	require.NoError(t, err)
	eventually(t, "another seal", func() bool { return identity().SealedKey != sealed.SealedKey })
	us.Close()
	_, err = replica.Open(background(t), configOf(virginia, dir))
	var e *replica.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, replica.ReasonConfig, e.Reason, err)
	cfg.InsecureOpenPlaintext = false
	us = open(t, cfg)
	assert.Equal(t, plain.Key, replica.ProofKey(us))
	assert.Empty(t, identity().Key)
}
