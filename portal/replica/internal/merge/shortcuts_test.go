package merge_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// A Region's list of a user takes no more memory in another Region than a list may have.
func TestShortcutsOfAnotherRegionAreBounded(t *testing.T) {
	now := time.Now()
	var long shortcuts.List
	for i := range 10_000 {
		target := shortcuts.Target{Application: fmt.Sprintf("app-%05d", i)}
		long.Items = append(long.Items, shortcuts.Shortcut{Target: target, Opened: now, Favorite: true, Marked: now})
	}
	s := merge.NewSessions("us-east-1", "us-east-1")
	require.NoError(t, s.Take("eu-central-1", merge.EntryShortcuts, merge.Entry{
		User: "u", Seen: now, Until: now.Add(time.Hour), Shortcuts: &long,
	}))
	assert.Len(t, s.Shortcuts("u").Favorites(), shortcuts.MaxFavorites)
	assert.LessOrEqual(t, s.KeptShortcuts("u"), shortcuts.MaxFavorites+shortcuts.MaxRecent)
}
