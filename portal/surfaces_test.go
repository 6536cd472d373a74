package portal_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/scim"
)

// adding counts the records that clients add to a store: not those of the Region's own health.
type adding struct {
	acs.Store
	added atomic.Int64
}

func (s *adding) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	err := s.Store.Add(ctx, key, v, exp)
	if err == nil && !strings.HasPrefix(key, "portal.health.") {
		s.added.Add(1)
	}
	return err
}

// Invariant 17: unauthenticated clients at a thousand addresses send large requests to each surface. What lives
// afterwards is bounded, and only /login adds records, within the quota of requests.
func TestInvariant17_FloodsOfEachSurfaceAreBounded(t *testing.T) {
	const quota = 500
	store := &adding{}
	w := newWorld(t, func(c *portal.Config) {
		c.Logger = slog.New(slog.DiscardHandler)
		if c.Region == "us-east-1" {
			store.Store = acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now, MaxRequests: quota})
			c.Store = store
		}
	})
	view, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	people, err := scim.New(scim.Config{View: view, BaseURL: "https://" + virginia + "/scim/v2",
		Tokens: []string{strings.Repeat("t", 40)}, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	const size = 32 << 10
	junk := strings.Repeat("x", size)
	form := func(name, value string) string { return url.Values{name: {value}}.Encode() }
	unsigned := base64.StdEncoding.EncodeToString([]byte(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:` +
		`protocol" ID="_1" Version="2.0">` + strings.Repeat("<a/>", size/4) + `</samlp:Response>`))
	for _, c := range []struct {
		name, method, path, body, kind string
		handler                        http.Handler
		records                        int64
	}{
		{name: "/login", method: "GET", path: "/login?return_to=/" + junk[:4<<10], records: quota},
		{name: "/handoff", method: "GET", path: "/handoff?to=https://" + frankfurt + "&state=" + junk[:4<<10]},
		{name: "junk at the ACS", method: "POST", path: acsPath, body: form("SAMLResponse", junk)},
		{name: "unsigned at the ACS", method: "POST", path: acsPath, body: form("SAMLResponse", unsigned)},
		{name: "artifact at the ACS", method: "POST", path: acsPath, body: form("SAMLart", junk)},
		{name: "/operator", method: "GET", path: "/operator?q=" + junk[:4<<10]},
		{name: "POST of /operator", method: "POST", path: "/operator", body: form("user", junk)},
		{name: "SCIM with a wrong token", method: "POST", path: "/scim/v2/Users", body: junk,
			kind: "application/scim+json", handler: people},
	} {
		t.Run(strings.ReplaceAll(c.name, "/", ""), func(t *testing.T) {
			h := c.handler
			if h == nil {
				h = w.hosts[virginia]
			}
			send := func(i int) int {
				r := httptest.NewRequest(c.method, "https://"+virginia+c.path, strings.NewReader(c.body))
				r.RemoteAddr = fmt.Sprintf("10.0.%d.%d:1", i/250, i%250)
				r.Header.Set("Authorization", fmt.Sprintf("Bearer wrong-%d-%s", i, junk[:1<<10]))
				if c.kind == "" {
					c.kind = "application/x-www-form-urlencoded"
				}
				r.Header.Set("Content-Type", c.kind)
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				return rec.Code
			}
			send(0)
			before, had := liveHeap(), store.added.Load()
			codes := map[int]int{}
			for i := range 1000 {
				codes[send(i)]++
			}
			grown := int64(liveHeap()) - int64(before)
			t.Logf("%d KiB live, %d records, answers %v", grown>>10, store.added.Load()-had, codes)
			assert.Less(t, grown, int64(4<<20))
			assert.LessOrEqual(t, store.added.Load()-had, c.records)
			assert.Zero(t, codes[http.StatusOK])
			assert.Zero(t, codes[http.StatusInternalServerError])
		})
	}
}

// liveHeap is how many bytes live objects have.
func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
