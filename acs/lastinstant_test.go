package acs_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// nodeAt returns a node of us-east-1 with a clock that stands still, as for a process that is stopped between
// verifying and recording.
func (w *world) nodeAt(now time.Time, store acs.Store) http.Handler {
	w.t.Helper()
	sp, err := saml.New(saml.Config{
		EntityID: entityID, Now: func() time.Time { return now }, IdP: w.idpMetadata(), ACS: w.sp.ACS(),
	})
	require.NoError(w.t, err)
	return w.region("us-east-1", accept, func(c *acs.Config) {
		c.SP, c.Store = sp, struct{ acs.Store }{store} // no Since: all this is long ago
	})
}

// J17: three nodes verify an assertion just before its end, each by its own clock, and record it after its end by the
// store's clock. One of them admits it, once. If the record itself would have expired, none does.
func TestInvariant7_J17_VerifiedBeforeExpiryRecordedAfter(t *testing.T) {
	for name, open := range backends {
		for _, late := range []struct {
			name  string
			after time.Duration // the last node's last instant
			once  bool
		}{
			{"at once", 0, true},
			{"after the skew", 3 * time.Minute, true},
			{"within the margin", 3*time.Minute + 30*time.Second, true},
			{"when the record is over", 4*time.Minute + time.Second, false},
		} {
			t.Run(name+"/"+late.name, func(t *testing.T) {
				w, b := newWorld(t), open(t)
				skew := w.sp.Skew()
				require.Equal(t, 3*time.Minute, skew, "which the table goes by")
				a := w.good(usACS, "")
				a.notOnOrAfter = time.Now().Add(-late.after - skew).Truncate(time.Millisecond)
				a.issued, a.authn = a.notOnOrAfter.Add(-5*time.Minute), a.notOnOrAfter.Add(-5*time.Minute)
				last := a.notOnOrAfter.Add(skew - time.Millisecond)
				nodes := []http.Handler{
					w.nodeAt(last, b.node()), w.nodeAt(last.Add(-skew), b.node()), w.nodeAt(last.Add(-2*skew), b.node()),
				}
				form := w.form(a, "")
				concurrently(30, func(i int) { w.browser().post(nodes[i%len(nodes)], usACS, form) })
				concurrently(9, func(i int) { w.browser().post(nodes[i%len(nodes)], usACS, form) })
				if late.once {
					w.requireOneOf(39, acs.ReasonReplay)
					require.Equal(t, 1, w.loginCount())
					return
				}
				require.Equal(t, map[string]int{string(acs.ReasonStore): 39}, w.reasons())
				require.Zero(t, w.loginCount())
			})
		}
	}
}
