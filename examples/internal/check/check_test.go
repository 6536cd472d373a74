package check_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/examples/internal/check"
)

func TestWalk(t *testing.T) {
	calls := 0
	with := func() int { calls++; return calls }
	steps := []check.Step[int]{
		func(n int) string { check.Must(nil, check.Same("n", 1, n)); return "one" },
		func(n int) string { check.Must(check.Same("what\nis said", "a", "b")); return "never" },
		func(n int) string { return check.Get("never", errors.New("a\nb")) },
		func(n int) string {
			a, b := check.Get2("fo", "ur", check.That("n", n == 4, "4", "another"))
			return a + b
		},
	}
	var out strings.Builder
	assert.False(t, check.Walk(t.Context(), &out, steps, with))
	assert.Equal(t, `1. ok    one
2. FAIL  what is said: want "a", got "b"
3. FAIL  every request of the step: want an answer, got a b
4. ok    four
2 of 4 steps held
`, out.String())
	assert.True(t, check.Walk(t.Context(), &out, steps[:0], with))
}

// A walk that is interrupted reports no failure of its remaining steps.
func TestWalkEnds(t *testing.T) {
	ctx, end := context.WithCancelCause(t.Context())
	steps := []check.Step[int]{
		func(int) string { return "one" },
		func(int) string { end(errors.New("interrupted")); return check.Get("never", ctx.Err()) },
		func(int) string { panic("never taken") },
	}
	var out strings.Builder
	assert.False(t, check.Walk(ctx, &out, steps, func() int { return 0 }))
	assert.Equal(t, "1. ok    one\n2. ended here: interrupted\n1 of 3 steps held\n", out.String())
}

// Take passes on other panics.
func TestPanicsOfOthersGoOn(t *testing.T) {
	assert.PanicsWithValue(t, "mistake", func() { check.Take(0, func(int) string { panic("mistake") }) })
}

func TestDifferencesAreShort(t *testing.T) {
	err := check.Differ("a page", "short", strings.Repeat("é", 500))
	assert.Equal(t, "a page: want short, got "+strings.Repeat("é", 200)+"…", err.Error())
}
