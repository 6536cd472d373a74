package merge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Two versions meet if there is a format that both understand, and both say the
// same of it.
func TestFormatsInCommon(t *testing.T) {
	formats := func(t *rapid.T) merge.Formats {
		reads := rapid.IntRange(0, 6).Draw(t, "reads")
		return merge.Formats{Reads: reads, Speaks: reads + rapid.IntRange(0, 3).Draw(t, "more")}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := formats(t), formats(t)
		common := false
		for f := a.Reads; f <= a.Speaks; f++ {
			common = common || b.Reads <= f && f <= b.Speaks
		}
		assert.Equal(t, common, a.Meets(b))
		assert.Equal(t, common, b.Meets(a))
	})
	assert.False(t, merge.ThisFormats().Meets(merge.Formats{}), "a version from before there were formats")
}
