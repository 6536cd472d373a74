package merge_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A Region has said what its applications are before the primary lists it. When
// the primary does, its own instance is told of them too.
func TestListingARegionShowsItsApplications(t *testing.T) {
	app := merge.Record{Kind: center.KindApplication, Key: "a", Value: fmt.Appendf(nil,
		`{"id":"a","name":"a","url":"https://a.example","region":%q}`, frankfurt)}
	r := newRegion(virginia).know(arrival{region: frankfurt, tx: &merge.Transaction{Stamp: 1, Full: true,
		Records: []merge.Record{app}}})
	list := []center.Record{{Kind: center.KindRegion, Key: frankfurt, Value: []byte(`{"name":"eu-central-1"}`)}}
	tx := r.dir.Compose(virginia, 0, r.dir.Draft(virginia, list), false)
	left := r.dir.Took(r.hear(arrival{region: virginia, tx: &tx}), list)
	told := r.dir.Changes(left)
	require.Len(t, told, 1)
	assert.Equal(t, "a", told[0].Key)
	assert.Empty(t, r.dir.Changes(left), "it is told once")
}
