package refusal_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

func TestMessageOmitsEmptyParts(t *testing.T) {
	down := errors.New("it is down")
	assert.Equal(t, `portal: Reason: rule: detail: want that, got "th\"is": it is down`,
		refusal.Message("portal", "Reason", "rule", "detail", "that", `th"is`, down))
	assert.Equal(t, "portal: Reason: want that", refusal.Message("portal", "Reason", "", "", "that", "", nil))
	assert.Equal(t, `rule: got "this"`, refusal.Message("", "", "rule", "", "", "this", nil))
	assert.Equal(t, "portal: Reason: it is down", refusal.Message("portal", "Reason", "", "", "", "", down))
}

func TestQuotedValuesAreOneShortLine(t *testing.T) {
	assert.Equal(t, `"a\nb\x1b[2J\u202e"`, refusal.Quote("a\nb\x1b[2J\u202e"))
	assert.Equal(t, `a\nb\"`, refusal.Printable("a\nb\""))
	for _, value := range []string{
		strings.Repeat("a", 5000), strings.Repeat("é", 5000), "a" + strings.Repeat("é", 5000),
		strings.Repeat("\x80", 5000),
	} {
		short := refusal.Quote(value)
		assert.Less(t, len(short), 4*200+10)
		assert.True(t, utf8.ValidString(short))
		assert.True(t, strings.HasSuffix(short, `…"`), short)
		assert.Less(t, len(refusal.Message("portal", "Reason", "", "", "", value, errors.New(value))), 2500)
	}
}

func TestWithoutUser(t *testing.T) {
	for raw, shown := range map[string]string{
		"https://host.invalid/x":                 "https://host.invalid/x",
		"https://admin:hunter2@host.invalid/x":   "https://…@host.invalid/x",
		"https://hunter2@host.invalid/x":         "https://…@host.invalid/x",
		"https://admin:hunter2/3@host.invalid/x": "https://…@host.invalid/x",
		"https://admin:hunter2@[::1":             "https://…@[::1",
		"https://admin:hunter2%40host.invalid":   "https://…",
		"admin:hunter2@host.invalid":             "…@host.invalid",
	} {
		assert.Equal(t, shown, refusal.WithoutUser(raw), raw)
	}
}
