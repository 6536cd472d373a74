package integrity_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

const (
	now  = int64(1_800_000_000)
	skew = int64(300)
)

func identity(starts int) integrity.Identity {
	d := integrity.New("us-east-1", integrity.Key{1, 2, 3}, 0)
	d.Stores["revoked"] = "s1"
	for i := range starts {
		d.Start(fmt.Sprint("g", i+1))
	}
	return d
}

func proof(d integrity.Identity, m integrity.Message) integrity.Proof {
	g := d.Generations[len(d.Generations)-1]
	return integrity.Proof{Seq: m.Seq, Item: m.Item, Token: d.Key.Prove(g,
		integrity.Place{Line: "revoked", Store: m.Store, Seq: m.Seq}, m.Item)}
}

func shown(position uint64, p *integrity.Proof) integrity.Shown {
	return integrity.Shown{Line: "revoked", Store: "s1", Position: position, Proof: p}
}

// same says that the stream has what is proved, or nothing, in its place.
func same(integrity.Proof) bool { return false }

func TestFollowersAreJudgedByWhatTheyProve(t *testing.T) {
	d := identity(2)
	at := func(seq uint64) *integrity.Proof {
		p := proof(d, message(seq, "a", "1"))
		return &p
	}
	later := d
	later.Start("g3")
	twin := d
	twin.Generations = append([]integrity.Generation{}, twin.Generations[:1]...)
	twin.Start("other")
	of := func(d integrity.Identity, seq uint64) *integrity.Proof {
		p := proof(d, message(seq, "a", "1"))
		return &p
	}
	forged := of(integrity.Identity{Key: integrity.Key{9}, Generations: d.Generations}, 20)
	moved := *at(5)
	moved.Seq = 20
	for name, c := range map[string]struct {
		shown integrity.Shown
		want  integrity.Verdict
	}{
		"nothing yet":                  {integrity.Shown{Line: "revoked"}, integrity.Behind},
		"at the end":                   {shown(10, at(10)), integrity.Fine},
		"at the end, by expiry":        {shown(10, at(7)), integrity.Fine},
		"before it":                    {shown(5, at(5)), integrity.Behind},
		"behind it, proved":            {shown(11, at(11)), integrity.Damaged},
		"behind it, with no proof":     {shown(11, nil), integrity.Claim},
		"behind it, with an old proof": {shown(11, at(7)), integrity.Claim},
		"a forged proof":               {shown(20, forged), integrity.Claim},
		"a proof of another place":     {shown(20, &moved), integrity.Claim},
		"junk":                         {shown(20, &integrity.Proof{Seq: 20, Token: "1.x.y.z"}), integrity.Claim},
		"a later generation":           {shown(5, of(later, 5)), integrity.Damaged},
		"a twin's generation":          {shown(5, of(twin, 5)), integrity.Damaged},
	} {
		got, why := d.Judge(c.shown, 10, same)
		assert.Equal(t, c.want, got, "%s: %s", name, why)
	}
}

// A damaged file lost the last message, and the next one took its sequence.
func TestAMessageWhoseSequenceWasUsedAgainIsLost(t *testing.T) {
	d := identity(2)
	lost := proof(d, message(5, "a", "1"))
	another := func(p integrity.Proof) bool { return p == lost }
	for _, end := range []uint64{5, 6} {
		v, why := d.Judge(shown(5, &lost), end, another)
		assert.Equal(t, integrity.Damaged, v)
		assert.Equal(t, "message 5 of the log was another one", why)
	}
	forged := lost
	forged.Item = message(5, "b", "2").Item
	v, why := d.Judge(shown(5, &forged), 5, func(integrity.Proof) bool { return true })
	assert.Equal(t, integrity.Claim, v, "a proof that the Region did not make: %s", why)
}

func TestACopyOfAnotherStoreIsEvidenceOfALostDiskAtFirst(t *testing.T) {
	old := integrity.Shown{Line: "revoked", Store: "s0", Position: 7}
	r := integrity.Record{Line: "revoked", Store: "s0", Subject: "a"}
	d := identity(1)
	assert.True(t, d.First())
	v, _ := d.Judge(old, 10, same)
	assert.Equal(t, integrity.Claim, v, "it may say so, and has to show it")
	v, _ = d.JudgeRecord(r, contentOf(), 0, now, skew)
	assert.Equal(t, integrity.Damaged, v)
	d.Start("g2")
	v, _ = d.JudgeRecord(r, contentOf(), 0, now, skew)
	assert.Equal(t, integrity.Damaged, v, "it was restarted before another Region followed it")
	d.Followed = true
	v, _ = d.JudgeRecord(r, contentOf(), 0, now, skew)
	assert.Equal(t, integrity.Fine, v)
	d.Self = d.Generations[0]
	v, _ = d.JudgeRecord(r, contentOf(), 0, now, skew)
	assert.Equal(t, integrity.Damaged, v, "the Node that began it, beside another one")
	d = identity(1)
	d.Vouched = true
	v, _ = d.Judge(old, 10, same)
	assert.Equal(t, integrity.Behind, v)
	v, _ = d.JudgeRecord(r, contentOf(), 0, now, skew)
	assert.Equal(t, integrity.Fine, v)
}

func TestRecordsOfACopyAreJudgedOneByOne(t *testing.T) {
	d := identity(2)
	d.Followed = true
	full := message(4, "tx.4.0", "full")
	full.Replaces = "tx.4.0"
	have := contentOf(full, message(6, "a", "new"), message(7, "b", "1"))
	for name, c := range map[string]struct {
		m    integrity.Message
		want integrity.Verdict
	}{
		"known":                       {message(7, "b", "1"), integrity.Fine},
		"replaced by a later one":     {message(5, "a", "old"), integrity.Fine},
		"replaced by a whole state":   {message(2, "tx.2.0", "x"), integrity.Fine},
		"missing":                     {message(5, "c", "1"), integrity.Damaged},
		"missing, with an older here": {message(7, "a", "newer"), integrity.Damaged},
		"another one":                 {message(7, "b", "2"), integrity.Damaged},
		"behind the end":              {message(9, "c", "1"), integrity.Damaged},
		"not read here yet":           {message(8, "c", "1"), integrity.Behind},
	} {
		got, why := d.JudgeRecord(integrity.Record{Line: "revoked", Store: "s1", Subject: c.m.Subject,
			Proof: proof(d, c.m)}, have, 8, now, skew)
		assert.Equal(t, c.want, got, "%s: %s", name, why)
	}
	m := message(5, "c", "1")
	r := integrity.Record{Line: "revoked", Store: "s1", Subject: "c", Until: now + 60, Proof: proof(d, m)}
	v, _ := d.JudgeRecord(r, have, 8, now, skew)
	assert.Equal(t, integrity.Fine, v, "it may have expired")
	r.Until, r.Token = 0, "2.g2.AAAA"
	v, _ = d.JudgeRecord(r, have, 8, now, skew)
	assert.Equal(t, integrity.Claim, v)
	r.Store = "s0"
	v, _ = d.JudgeRecord(r, have, 8, now, skew)
	assert.Equal(t, integrity.Fine, v, "of a store that was replaced")
}

func TestGenerationsAreForgottenAndThenSayNothing(t *testing.T) {
	d := identity(1)
	old := proof(d, message(1, "a", "1"))
	for i := range integrity.MaxGenerations + 5 {
		d.Start(fmt.Sprint("later", i))
	}
	assert.Len(t, d.Generations, integrity.MaxGenerations)
	v, why := d.Judge(shown(1, &old), 1, same)
	assert.Equal(t, integrity.Fine, v, why)
}

func TestMarksFindWhatWasLost(t *testing.T) {
	all := []integrity.Message{message(1, "a", "1"), message(2, "b", "2"), message(3, "c", "3")}
	m := contentOf(all...).Mark()
	assert.Empty(t, m.Check(contentOf(all...), 3, now, skew))
	assert.NotEmpty(t, m.Check(contentOf(all[:2]...), 2, now, skew), "its end is gone")
	assert.NotEmpty(t, m.Check(contentOf(all[0], all[2]), 3, now, skew), "one within is gone")
	assert.NotEmpty(t, m.Check(contentOf(all[:2]...), 3, now, skew))
	went := append(all[1:3:3], message(4, "a", "4"), message(5, "d", "5")) // 4 replaced 1
	assert.Empty(t, m.Check(contentOf(went...), 5, now, skew))
	assert.NotEmpty(t, m.Check(contentOf(message(4, "d", "4")), 4, now, skew), "more is gone than can have been replaced")
	expiring := all[1]
	expiring.Until = now + 7200
	m = contentOf(all[0], expiring, all[2]).Mark()
	m.At = now + 7200
	assert.Empty(t, m.Check(contentOf(all[0], all[2]), 3, now, skew), "it expired, by the clock as it was")
	assert.Empty(t, m.Check(contentOf(append(all, message(4, "a", "4"))...), 4, now, skew), "it went on")
}

func TestIdentitiesAsJSON(t *testing.T) {
	d := identity(3)
	d.Damage = &integrity.Damage{Line: "revoked", Why: "a test"}
	b, err := json.Marshal(d)
	require.NoError(t, err)
	var got integrity.Identity
	require.NoError(t, json.Unmarshal(b, &got))
	assert.Equal(t, d, got)
	assert.Error(t, json.Unmarshal([]byte(`{"key":"AAAA"}`), &got))
}
