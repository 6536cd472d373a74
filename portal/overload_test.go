package portal_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

// More sign-ins arrive than the store takes. Some are refused with 503, and health says so, with the status 200.
func TestHealthOfAnOverloadedPortal(t *testing.T) {
	t.Parallel()
	store := &counted{}
	w := newWorld(t, func(c *portal.Config) {
		c.ProbeEvery = time.Hour
		if c.Region == "us-east-1" {
			store.Store = acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now})
			c.Store = store
		}
	})
	health := func() answer { return w.browser().send("GET", "https://"+virginia+"/health", "none", nil) }
	require.Equal(t, http.StatusOK, health().StatusCode) // waits for the first probe
	until := make(chan struct{})
	store.hangs.Store(&until)
	var wg sync.WaitGroup
	var refused atomic.Int64
	for range 3 {
		b := w.browser()
		wg.Go(func() {
			if a := w.tile(b, "alice@example.com", ""); a.StatusCode == http.StatusServiceUnavailable {
				refused.Add(1)
				assert.NotEmpty(t, a.Header.Get("Retry-After"))
			}
		})
	}
	require.Eventually(t, func() bool { return refused.Load() == 1 }, time.Minute, time.Millisecond)
	a := health()
	assert.Equal(t, http.StatusOK, a.StatusCode)
	assert.Equal(t, `{"status":"overloaded"}`+"\n", a.body)
	close(until)
	wg.Wait()
	assert.EqualValues(t, 1, refused.Load())
}
