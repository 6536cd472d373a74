package integrity_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

func TestLatestIsTheLastStart(t *testing.T) {
	d := integrity.New("us-east-1", integrity.Key{1}, 0)
	assert.Zero(t, d.Latest())
	first := d.Start("a")
	d.Start("b")
	d.Self = first // another Node of the Region has started since
	assert.Equal(t, uint64(2), d.Latest())
	token := d.Key.Prove(first, integrity.Place{}, integrity.Item{})
	assert.Equal(t, uint64(1), integrity.NumberIn(token))
	for _, junk := range []string{"", "x", "-1.a.b", "."} {
		assert.Zero(t, integrity.NumberIn(junk), junk)
	}
	d.Vouch(1000)
	assert.Equal(t, uint64(1000), d.Latest())
}

// Of many starts the last ones are remembered.
func TestTheLastGenerationsAreRemembered(t *testing.T) {
	d := integrity.New("us-east-1", integrity.Key{1}, 1)
	var last integrity.Generation
	for range integrity.MaxGenerations + 2 {
		last = d.Start("a")
	}
	assert.Len(t, d.Generations, integrity.MaxGenerations)
	assert.Equal(t, last, d.Generations[integrity.MaxGenerations-1])
	assert.Equal(t, last.Number, d.Latest())
}
