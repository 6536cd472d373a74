package center_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// invisible has a character of each kind that shows nothing or moves others.
var invisible = map[string]string{
	"zero width space": "\u200b", "zero width non-joiner": "\u200c", "zero width joiner": "\u200d",
	"word joiner": "\u2060", "byte order mark": "\ufeff", "soft hyphen": "\u00ad",
	"combining grapheme joiner": "\u034f", "invisible times": "\u2062", "right-to-left override": "\u202e",
	"left-to-right embedding": "\u202a", "isolate": "\u2067", "right-to-left mark": "\u200f",
	"Arabic letter mark": "\u061c", "variation selector": "\ufe0f", "variation selector 17": "\U000e0100",
	"Mongolian variation selector": "\u180b", "tag letter": "\U000e0061", "language tag": "\U000e0001",
	"Hangul filler": "\u3164", "halfwidth Hangul filler": "\uffa0", "Khmer inherent vowel": "\u17b4",
	"ignorable, unassigned": "\U000e0fff", "no-break space": "\u00a0", "em space": "\u2003",
	"ideographic space": "\u3000", "line separator": "\u2028", "paragraph separator": "\u2029",
	"Braille blank": "\u2800", "musical": "\U0001d173", "interlinear annotation": "\ufff9",
}

// Two userNames that look the same must be the same.
func TestUserNamesHaveNoInvisibleCharacters(t *testing.T) {
	v := view(t, seed(), "us-east-1")
	for name, c := range invisible {
		for _, userName := range []string{"ali" + c + "ce@example.com", c + "alice@example.com", "alice@example.com" + c} {
			d := seed()
			d.Users[1].UserName = userName
			_, err := center.New(d)
			requireReason(t, center.ReasonInvalid, err)
			before := v.Snapshot()
			requireReason(t, center.ReasonInvalid, v.Update(func(tx *center.Tx) error {
				return tx.PutUser(center.User{ID: "new", UserName: userName, Inactive: true})
			}))
			requireReason(t, center.ReasonInvalid, v.Update(func(tx *center.Tx) error {
				return tx.PutUser(center.User{ID: "u-1", UserName: userName})
			}))
			assert.Same(t, before, v.Snapshot(), name)
		}
	}
	for _, userName := range []string{
		"zoë@example.com", "Анна Берг", "安娜", "אנה@example.com", "آنا", "o'neil+x@example.com", "a b", "e\u0301",
	} {
		require.NoError(t, v.Update(func(tx *center.Tx) error {
			return tx.PutUser(center.User{ID: "new", UserName: userName, Inactive: true})
		}), userName)
	}
	// A DisplayName, which is only shown, may have them.
	sara := center.User{ID: "new", UserName: "sara@example.com", DisplayName: "سارا می\u200cخواهد",
		Inactive: true}
	require.NoError(t, v.Update(putUser(sara)))
}

// An instance with userNames that an older version accepted starts, and its users can be disabled.
func TestOlderUserNamesAreKept(t *testing.T) {
	d := seed()
	d.Users[0].UserName = "ali\u200bce@example.com"
	inst, err := center.NewJournaled(d, nil)
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	u, ok := v.UserByID(d.Users[0].ID)
	require.True(t, ok)
	u.Inactive = true
	require.NoError(t, v.Update(func(tx *center.Tx) error { return tx.PutUser(u) }))
	require.NoError(t, inst.Apply(center.Diff(v.Snapshot(), v.Snapshot())))
	requireReason(t, center.ReasonInvalid, v.Update(func(tx *center.Tx) error {
		u.UserName = "al\u200bice@example.com"
		return tx.PutUser(u)
	}))
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		u.UserName = "alice2@example.com"
		return tx.PutUser(u)
	}))
}
