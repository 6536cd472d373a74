package keys_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/keys"
)

// Rules 12 and 13 of a multi-Region key: the same material, and independent in everything else.
func TestCopiesOfAKeyAreIndependent(t *testing.T) {
	c := newClock()
	a, b, id := twoRegions(t, c)
	inA, inB := newSealer(t, a.Use(id, principal), c), newSealer(t, b.Use(id, principal), c)
	sealed := seal(t, inA, "Ada")
	requireOpens(t, inB, sealed, "Ada")

	k, err := a.Describe(id)
	require.NoError(t, err)
	assert.Equal(t, []string{frankfurt}, k.Replicas)
	assert.Regexp(t, "^mrk-[0-9a-f]{32}$", k.ID)
	copied, err := b.Describe(id)
	require.NoError(t, err)
	assert.Equal(t, virginia, copied.Primary)
	assert.Equal(t, k.Policy, copied.Policy)

	for name, step := range map[string]struct {
		stop, mend func(*keys.Ring) error
		want       keys.Reason
	}{
		"disabled": {func(r *keys.Ring) error { return r.Disable(id) },
			func(r *keys.Ring) error { return r.Enable(id) }, keys.ReasonDisabled},
		"policy drifted": {func(r *keys.Ring) error { return r.PutPolicy(id, keys.Allow("another")) },
			func(r *keys.Ring) error { return r.PutPolicy(id, keys.Allow(principal)) }, keys.ReasonAccessDenied},
		"to be deleted": {func(r *keys.Ring) error { _, err := r.ScheduleDeletion(id, 0); return err },
			func(r *keys.Ring) error {
				if err := r.CancelDeletion(id); err != nil {
					return err
				}
				return r.Enable(id)
			}, keys.ReasonInvalidState},
	} {
		for stopped, lives := range map[*keys.Ring]*keys.Ring{a: b, b: a} {
			require.NoError(t, step.stop(stopped), name)
			_, err := open(newSealer(t, stopped.Use(id, principal), c), sealed)
			requireReason(t, step.want, err, name)
			requireReason(t, step.want, newSealer(t, stopped.Use(id, principal), c).Check(t.Context()), name)
			requireOpens(t, newSealer(t, lives.Use(id, principal), c), sealed, "Ada")
			require.NoError(t, step.mend(stopped), name)
			requireOpens(t, newSealer(t, stopped.Use(id, principal), c), sealed, "Ada")
		}
	}
}

func TestThePolicyIsCopiedOnce(t *testing.T) {
	c := newClock()
	a, _ := newRing(t, virginia, c)
	b, _ := newRing(t, frankfurt, c)
	id := create(t, a)
	given := keys.Allow("of Frankfurt")
	_, err := a.Replicate(id, b, &given)
	require.NoError(t, err)
	requireReason(t, keys.ReasonAccessDenied, newSealer(t, b.Use(id, principal), c).Check(t.Context()))
	require.NoError(t, newSealer(t, b.Use(id, "of Frankfurt"), c).Check(t.Context()))
	require.NoError(t, a.PutPolicy(id, keys.Allow(principal, "later")))
	requireReason(t, keys.ReasonAccessDenied, newSealer(t, b.Use(id, "later"), c).Check(t.Context()))
	require.NoError(t, newSealer(t, a.Use(id, "later"), c).Check(t.Context()))
	_, err = a.Replicate(id, b, nil)
	requireReason(t, keys.ReasonExists, err)
	_, err = a.Replicate(id, a, nil)
	requireReason(t, keys.ReasonConfig, err)
}

func TestAPolicyAllowsWhatItNames(t *testing.T) {
	c := newClock()
	r, _ := newRing(t, virginia, c)
	k, err := r.Create(keys.KeyConfig{})
	require.NoError(t, err)
	use := r.Use(k.ID, principal)
	_, err = use.EncryptWithContext(t.Context(), []byte("x"), nil)
	requireReason(t, keys.ReasonAccessDenied, err, "the zero policy allows nothing")
	require.NoError(t, r.PutPolicy(k.ID, keys.Policy{Statements: []keys.Statement{
		{Principals: []string{principal}, Actions: []keys.Action{keys.ActionEncrypt}},
		{Principals: []string{"another"}, Actions: []keys.Action{keys.ActionDecrypt}},
	}}))
	b, err := use.EncryptWithContext(t.Context(), []byte("x"), nil)
	require.NoError(t, err)
	_, err = use.DecryptWithContext(t.Context(), b, nil)
	requireReason(t, keys.ReasonAccessDenied, err)
	_, err = r.Use(k.ID, "another").DecryptWithContext(t.Context(), b, nil)
	require.NoError(t, err)
	for name, p := range map[string]keys.Policy{
		"no principals": {Statements: []keys.Statement{{Actions: []keys.Action{keys.ActionDecrypt}}}},
		"no actions":    {Statements: []keys.Statement{{Principals: []string{"a"}}}},
		"a pattern":     keys.Allow("*"),
		"unknown action": {Statements: []keys.Statement{
			{Principals: []string{"a"}, Actions: []keys.Action{"kms:*"}}}},
		"too many": {Statements: make([]keys.Statement, 65)},
	} {
		requireReason(t, keys.ReasonConfig, r.PutPolicy(k.ID, p), name)
		_, err := r.Create(keys.KeyConfig{Policy: p})
		requireReason(t, keys.ReasonConfig, err, name)
	}
	list := keys.Allow(principal)
	require.NoError(t, r.PutPolicy(k.ID, list))
	list.Statements[0].Principals[0] = "changed later"
	_, err = use.DecryptWithContext(t.Context(), b, nil)
	require.NoError(t, err, "the policy was copied")
}

func TestDeletionOfAKey(t *testing.T) {
	c := newClock()
	a, b, id := twoRegions(t, c)
	sealed := seal(t, newSealer(t, a.Use(id, principal), c), "Ada")
	for _, in := range []time.Duration{time.Hour, 31 * 24 * time.Hour, -1} {
		_, err := a.ScheduleDeletion(id, in)
		requireReason(t, keys.ReasonConfig, err)
	}
	requireReason(t, keys.ReasonInvalidState, a.CancelDeletion(id))
	at, err := a.ScheduleDeletion(id, 7*24*time.Hour)
	require.NoError(t, err)
	require.Equal(t, c.Now().Add(7*24*time.Hour), at)
	for name, err := range map[string]error{
		"enable": a.Enable(id), "disable": a.Disable(id),
		"again":     func() error { _, err := a.ScheduleDeletion(id, 0); return err }(),
		"rotate":    func() error { _, err := a.Rotate(id); return err }(),
		"replicate": func() error { _, err := a.Export(id, nil, config(t, "eu-west-1", c)); return err }(),
	} {
		requireReason(t, keys.ReasonInvalidState, err, name)
	}
	c.Add(7*24*time.Hour - time.Second)
	_, err = a.Describe(id)
	require.NoError(t, err)
	c.Add(time.Second)
	_, err = a.Describe(id)
	requireReason(t, keys.ReasonNotFound, err)
	requireReason(t, keys.ReasonNotFound, newSealer(t, a.Use(id, principal), c).Check(t.Context()))
	requireReason(t, keys.ReasonNotFound, a.CancelDeletion(id))
	require.NoError(t, a.Close())
	requireOpens(t, newSealer(t, b.Use(id, principal), c), sealed, "Ada")

	// The other Region still has the key, and gives it back.
	_, err = b.Replicate(id, a, nil)
	require.NoError(t, err)
	requireOpens(t, newSealer(t, a.Use(id, principal), c), sealed, "Ada")
}

func TestAKeyIsForOneUsage(t *testing.T) {
	c := newClock()
	r, _ := newRing(t, virginia, c)
	all := keys.Policy{Statements: []keys.Statement{{Principals: []string{principal}, Actions: []keys.Action{
		keys.ActionEncrypt, keys.ActionDecrypt, keys.ActionGenerateMAC, keys.ActionVerifyMAC}}}}
	k, err := r.Create(keys.KeyConfig{Usage: keys.GenerateVerifyMAC, Policy: all})
	require.NoError(t, err)
	use := r.Use(k.ID, principal)
	requireReason(t, keys.ReasonInvalidKeyUsage, newSealer(t, use, c).Check(t.Context()))
	mac, err := use.ComputeMAC(t.Context(), []byte("data"))
	require.NoError(t, err)
	require.NoError(t, use.VerifyMAC(t.Context(), mac, []byte("data")))
	requireReason(t, keys.ReasonInvalidCiphertext, use.VerifyMAC(t.Context(), mac, []byte("other")))
	_, err = r.Rotate(k.ID)
	require.NoError(t, err)
	require.NoError(t, use.VerifyMAC(t.Context(), mac, []byte("data")), "an earlier version verifies")

	e, err := r.Create(keys.KeyConfig{Policy: all})
	require.NoError(t, err)
	_, err = r.Use(e.ID, principal).ComputeMAC(t.Context(), []byte("data"))
	requireReason(t, keys.ReasonInvalidKeyUsage, err)
	require.NoError(t, newSealer(t, r.Use(e.ID, principal), c).Check(t.Context()))
	_, err = r.Create(keys.KeyConfig{Usage: "SIGN_VERIFY"})
	requireReason(t, keys.ReasonConfig, err)
}

func TestARotatedKeyOpensWhatEarlierVersionsSealed(t *testing.T) {
	c := newClock()
	a, b, id := twoRegions(t, c)
	inA, inB := newSealer(t, a.Use(id, principal), c), newSealer(t, b.Use(id, principal), c)
	old := seal(t, inA, "Ada")
	assert.False(t, inA.Stale(old))
	version, err := a.Rotate(id, b)
	require.NoError(t, err)
	require.Equal(t, uint32(2), version)
	later := seal(t, inA, "Grace")
	assert.True(t, inA.Stale(old))
	assert.True(t, inB.Stale(old))
	assert.True(t, inA.Stale([]byte("plain")))
	assert.False(t, inB.Stale(later))
	for _, s := range []*keys.Sealer{inA, inB} {
		requireOpens(t, s, old, "Ada")
		requireOpens(t, s, later, "Grace")
	}
	_, err = b.Rotate(id, a)
	requireReason(t, keys.ReasonInvalidState, err, "only the primary Region may")
	requireReason(t, keys.ReasonInvalidState, a.UseVersion(id, 1))
	requireReason(t, keys.ReasonInvalidState, a.UseVersion(id, 3))
	require.NoError(t, a.UseVersion(id, 2))
}

// Rings on different machines exchange sealed copies.
func TestACopyTravelsSealed(t *testing.T) {
	c := newClock()
	a, _ := newRing(t, virginia, c)
	b, _ := newRing(t, frankfurt, c)
	id := create(t, a)
	secret := keys.RingConfig{Region: frankfurt, Passphrase: []byte("on the phone"), KDF: cheap}
	exported, err := a.Export(id, nil, secret)
	require.NoError(t, err)
	assert.NotContains(t, string(exported), id)
	wrong := secret
	wrong.Passphrase = []byte("misheard")
	_, err = b.Import(exported, wrong)
	requireReason(t, keys.ReasonWrongSecret, err)
	_, err = a.Import(exported, secret)
	requireReason(t, keys.ReasonConfig, err, "it is for another Region")
	_, err = b.Import(exported, secret)
	require.NoError(t, err)
	require.NoError(t, b.PutPolicy(id, keys.Allow(principal, "local")))
	requireOpens(t, newSealer(t, b.Use(id, principal), c), seal(t, newSealer(t, a.Use(id, principal), c), "Ada"), "Ada")

	version, err := a.PrepareVersion(id)
	require.NoError(t, err)
	again, err := a.PrepareVersion(id)
	require.NoError(t, err)
	require.Equal(t, version, again)
	exported, err = a.Export(id, nil, secret)
	require.NoError(t, err)
	k, err := b.Import(exported, secret)
	require.NoError(t, err)
	require.Equal(t, uint32(1), k.Version, "it is prepared")
	require.Len(t, k.Versions, 2)
	require.True(t, k.Policy.Allows("local", keys.ActionDecrypt), "the policy stays")
	require.NoError(t, a.UseVersion(id, version))
	later := seal(t, newSealer(t, a.Use(id, principal), c), "Grace")
	requireOpens(t, newSealer(t, b.Use(id, principal), c), later, "Grace")
	require.NoError(t, b.UseVersion(id, version))

	other, _ := newRing(t, "eu-west-1", c)
	unrelated := create(t, other)
	require.NotEqual(t, id, unrelated)
	_, err = other.Import(exported, secret)
	requireReason(t, keys.ReasonConfig, err)
}

// A copy without the prepared version can't open what is sealed under it, so no Region encrypts under it before all
// that are named have it.
func TestARotationThatFailsHalfwayIsContinued(t *testing.T) {
	c := newClock()
	a, b, id := twoRegions(t, c)
	without, _ := newRing(t, "eu-west-1", c)
	_, err := a.Rotate(id, b, without)
	requireReason(t, keys.ReasonNotFound, err)
	for _, r := range []*keys.Ring{a, b} {
		k, err := r.Describe(id)
		require.NoError(t, err)
		require.Equal(t, uint32(1), k.Version)
	}
	version, err := a.Rotate(id, b)
	require.NoError(t, err)
	require.Equal(t, uint32(2), version)
}

// Rule 16: use is counted for each key and Region; replication counts nothing.
func TestUseIsCountedByKeyAndRegion(t *testing.T) {
	c := newClock()
	a, b, id := twoRegions(t, c)
	counts := func(r *keys.Ring) keys.Counts {
		k, err := r.Describe(id)
		require.NoError(t, err)
		return k.Used
	}
	assert.Zero(t, counts(a), "replication counts nothing")
	assert.Zero(t, counts(b))
	inA := newSealer(t, a.Use(id, principal), c)
	for range 1000 {
		sealed := seal(t, inA, "Ada")
		requireOpens(t, inA, sealed, "Ada")
	}
	assert.Equal(t, keys.Counts{Encrypt: 1}, counts(a), "one data key")
	assert.Zero(t, counts(b))
	require.NoError(t, b.Disable(id))
	require.Error(t, newSealer(t, b.Use(id, principal), c).Check(t.Context()))
	assert.Equal(t, keys.Counts{Refused: 1}, counts(b))
	_, err := a.Rotate(id, b)
	require.NoError(t, err)
	assert.Equal(t, keys.Counts{Encrypt: 1}, counts(a))
}
