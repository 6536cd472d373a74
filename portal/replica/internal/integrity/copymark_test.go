package integrity_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

func TestCopiesThatLostSomethingAreFound(t *testing.T) {
	all := []integrity.Message{message(4, "a", "1"), message(7, "b", "2"), message(9, "c", "3")}
	all[1].Until = now + 7200
	whole := contentOf(all...)
	m := integrity.CopyMark{Mark: whole.Mark(), End: 3}
	m.At = now
	again, other := all[0], all[0]
	again.Read, other.Store = 1, "s2"
	for name, c := range map[string]struct {
		have *integrity.Content
		end  uint64
		lost bool
	}{
		"as it was":                 {whole, 3, false},
		"went on":                   {contentOf(append(all, message(12, "a", "4"))...), 4, false},
		"the end":                   {contentOf(all[:2]...), 2, true},
		"one within":                {contentOf(all[0], all[2]), 3, true},
		"all":                       {contentOf(), 3, true},
		"the copy is gone":          {contentOf(), 0, true},
		"made again, and went on":   {contentOf(append(all, other)...), 4, true},
		"read again, and not whole": {contentOf(append(all, again)...), 4, true},
	} {
		why := m.CheckCopy(c.have, c.end, now, skew)
		assert.Equal(t, c.lost, why != "", "%s: %s", name, why)
	}
	assert.Empty(t, m.CheckCopy(contentOf(all[0], all[2]), 3, now+7200, skew), "it has expired")
	m = integrity.CopyMark{Mark: contentOf(all[1]).Mark(), End: 1}
	assert.Empty(t, m.CheckCopy(contentOf(), 1, now+7200, skew), "all has expired")
}
