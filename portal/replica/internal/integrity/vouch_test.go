package integrity_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// A Region is recovered, which gives its streams new names, and goes on. Then a
// copy of its disks from before that is put back. That it was recovered once,
// before the copy was made, is no reason to believe it.
func TestACopyFromBeforeARecoveryIsFoundOut(t *testing.T) {
	d := integrity.New("us-east-1", integrity.Key{1}, 0)
	d.Vouch(1000)
	d.Stores["config"] = "first"
	d.Start("a")
	backup := d

	d.Vouch(2000)
	d.Stores = map[string]string{"config": "second"}
	g := d.Start("b")
	item := integrity.HashItem("tx.1.0", 0, []byte("what was said"))
	shown := integrity.Shown{Line: "config", Store: "second", Position: 1, Proof: &integrity.Proof{
		Seq: 1, Item: item, Token: d.Key.Prove(g, integrity.Place{Line: "config", Store: "second", Seq: 1}, item),
	}}
	v, why := d.Judge(shown, 1, same)
	assert.Equal(t, integrity.Fine, v, why)

	backup.Start("c")
	v, _ = backup.Judge(shown, 1, same)
	assert.Equal(t, integrity.Damaged, v)
	r := integrity.Record{Line: "config", Store: "second", Subject: "tx.1.0", Proof: *shown.Proof}
	v, _ = backup.JudgeRecord(r, integrity.NewContent(), 1, 0, 0)
	assert.Equal(t, integrity.Damaged, v)

	backup.Vouch(3000) // the operator says that the copy is to count
	backup.Start("d")
	v, why = backup.Judge(shown, 1, same)
	assert.Equal(t, integrity.Behind, v, why)
	v, why = backup.JudgeRecord(r, integrity.NewContent(), 1, 0, 0)
	assert.Equal(t, integrity.Fine, v, why)
}

// A Region loses its disk and begins anew, without its operator's word: no other
// Region knows its earlier log. A copy of the lost disk that is put back later has
// a lower number, although it was vouched for once.
func TestACopyFromBeforeTheDiskWasLostHasALowerNumber(t *testing.T) {
	backup := integrity.New("us-east-1", integrity.Key{1}, 1000)
	backup.Vouch(1000)
	backup.Start("a")
	anew := integrity.New("us-east-1", integrity.Key{2}, 2000)
	anew.Start("b")
	assert.True(t, anew.First(), "its disk may have been lost")
	backup.Start("c")
	assert.Less(t, backup.Latest(), anew.Latest())
	anew.Start("d")
	anew.Followed = true
	assert.False(t, anew.First())
}
