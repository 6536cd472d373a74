package portal_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
)

// breaking is a Sealer whose key fails while it is set.
type breaking struct{ atomic.Bool }

func (b *breaking) Seal(_ context.Context, plain, _ []byte) ([]byte, error) {
	if b.Load() {
		return nil, errors.New("the key is disabled")
	}
	return slices.Clone(plain), nil
}

func (b *breaking) Open(_ context.Context, sealed, _ []byte) ([]byte, error) { return sealed, nil }

// Rule 71: where the operator requires events, nothing gives access whose event can't be written, and sessions can
// still be ended. Otherwise a failure stops nothing.
func TestRule71NoAccessWithoutItsEvent(t *testing.T) {
	for _, required := range []bool{true, false} {
		broken := map[string]*breaking{}
		w, s, p, b, by := letIn(t, func(c *portal.Config) {
			key := &breaking{}
			l, err := audit.Open(audit.Config{Dir: filepath.Join(t.TempDir(), c.Region), Region: c.Region, Sealer: key,
				Required: required, Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			t.Cleanup(func() { key.Store(false); require.NoError(t, l.Close()) })
			broken[c.Region], c.Audit = key, l
		})
		want := map[bool]int{true: 503, false: 200}[required]
		broken["us-east-1"].Store(true)
		broken["eu-central-1"].Store(true)

		other := w.browser()
		a := w.signIn(other, "https://"+virginia+"/", "bob@example.com")
		require.Equal(t, want, a.StatusCode, a.body)
		assert.Equal(t, required, other.cookie(virginia, portal.SessionCookie) == "")
		live, err := s.sessions.List(t.Context(), "bob@example.com")
		require.NoError(t, err)
		assert.Equal(t, required, len(live) == 0)
		if required {
			assert.Contains(t, a.body, "lets no user in without a record")
			assert.Equal(t, "5", a.Header.Get("Retry-After"))
		}
		require.Equal(t, want, b.get(fromVirginia).StatusCode, "a handoff")
		_, err = p["us-east-1"].Authorize(t.Context(), "another secret of a program", "cli", by)
		if required {
			requireReason(t, portal.ReasonAudit, err)
			_, err = p["us-east-1"].Authorized(t.Context(), "another secret of a program")
			require.Error(t, err)
		} else {
			require.NoError(t, err)
		}
		require.Equal(t, 200, b.submit("https://"+virginia+"/sign-out", nil).StatusCode, "what ends access goes on")
		require.Empty(t, b.cookie(virginia, portal.SessionCookie))

		broken["us-east-1"].Store(false)
		again := w.browser()
		a = w.signIn(again, "https://"+virginia+"/", "bob@example.com")
		require.Equal(t, 200, a.StatusCode, a.body)
		require.NotEmpty(t, again.cookie(virginia, portal.SessionCookie))
	}
}
