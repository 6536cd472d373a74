package portal_test

import (
	"flag"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

var floodFor = flag.Duration("flood", 3*time.Second, "how long TestFlood lasts at least")

// foreignPage is an attacker's page. It requests the sign-in of a portal in every way that a page
// can, repeatedly. At /go it navigates there itself.
var foreignPage = template.Must(template.New("").Parse(`<!DOCTYPE html><title>foreign</title><body>
<script type="speculationrules">{"prefetch":[{"urls":["{{.}}/login?p=1"],"eagerness":"immediate"}],
"prerender":[{"urls":["{{.}}/login?p=2"],"eagerness":"immediate"}]}</script>
<script>
const at = {{.}}
if (location.pathname === "/go") {
	onload = () => setTimeout(() => { location.href = at + "/login" }, 0)
} else {
	for (let i = 0; i < 9; i++) open(at + "/login?window=" + i)
	let n = 0
	const again = () => {
		const handoff = "/handoff?to=" + encodeURIComponent(at) + "&state=" + "0".repeat(64) + "&s=0123456789abcdef"
		for (const path of ["/login?n=" + n++, handoff]) {
			fetch(at + path, {mode: "no-cors", credentials: "include"}).catch(() => {})
			new Image().src = at + path
		}
		const frame = document.createElement("iframe")
		frame.src = at + "/login?frame=" + n
		frame.onload = () => { frame.remove(); setTimeout(again, 100) }
		document.body.append(frame)
	}
	again()
}
</script>`))

// seen counts the requests that start a sign-in, by their Fetch Metadata.
type seen struct {
	mu      sync.Mutex
	started map[string]int // by Sec-Fetch-Dest
	refused map[string]int
}

func (s *seen) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != portal.PathLogin && r.URL.Path != "/handoff" || r.Header.Get("X-Real-Ip") != "" {
			h.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
		s.mu.Lock()
		defer s.mu.Unlock()
		if rec.Code == http.StatusSeeOther {
			s.started[r.Header.Get("Sec-Fetch-Dest")]++
		} else {
			s.refused[r.Header.Get("Sec-Fetch-Dest")]++
		}
	})
}

func (s *seen) refusedAtLeast(n int, kinds ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kind := range kinds {
		if s.refused[kind] < n {
			return false
		}
	}
	return true
}

// TestFlood is K19 and the rest of invariant 17 in a real browser: one address and one foreign page send as many
// requests as they can. Meanwhile users at other addresses sign in, and the pending request of the attacked browser
// stays valid.
func TestFlood(t *testing.T) {
	asked := &seen{started: map[string]int{}, refused: map[string]int{}}
	s := newSite(t, func(c *portal.Config) {
		c.Store = acs.NewMemoryStore(acs.MemoryConfig{MaxRequests: 400})
		c.ClientAddr = func(r *http.Request) string {
			if addr := r.Header.Get("X-Real-Ip"); addr != "" {
				return addr
			}
			return r.RemoteAddr
		}
	}, asked.around)
	virginia := s.portals["us-east-1"]
	evil := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = foreignPage.Execute(w, virginia)
	}))
	evil.Start()
	t.Cleanup(evil.Close)
	_, port, err := net.SplitHostPort(evil.Listener.Addr().String())
	require.NoError(t, err)
	foreign := "http://foreign.localhost:" + port

	victim := newTab(t)
	victim.open(virginia + "/applications")
	victim.until(`document.activeElement.id === "username"`) // the request is pending

	deadline := time.Now().Add(*floodFor)
	var floods sync.WaitGroup
	stop := make(chan struct{})
	var sent atomic.Int32 // keyed by the attacker's address
	floods.Go(func() { s.flood(t, virginia, &sent, stop) })
	defer floods.Wait()
	defer close(stop)

	page := victim.another()
	page.open(foreign + "/")
	moving := victim.another()
	people, navigations := 0, 0
	next := time.NewTicker(50 * time.Millisecond)
	defer next.Stop()
	enough := func() bool {
		return navigations >= 9 && sent.Load() >= 1000 && asked.refusedAtLeast(9, "empty", "image", "iframe")
	}
	for ; !enough() || time.Now().Before(deadline); <-next.C {
		people++
		require.Less(t, time.Since(deadline), 2*patience, "%d people, %d navigations, refused %v", people, navigations,
			asked.refused)
		b := newBrowser(t, s.hosts)
		b.Header = http.Header{"X-Real-Ip": {fmt.Sprintf("198.51.100.%d", people%250)}}
		a := b.get(virginia + "/")
		require.True(t, strings.HasPrefix(a.Header.Get("Location"), s.idp.URL), "person %d: %d", people, a.StatusCode)
		form, err := s.idp.Answer(a.Header.Get("Location"), "alice@example.com")
		require.NoError(t, err)
		requirePage(t, b.post(form.URL, form.Values()), 200, "/", "Alice Adams")

		if navigations < 9 || people%20 == 0 { // the foreign page navigates its own window
			navigations++
			moving.open(foreign + "/go")
			moving.until(`location.hostname !== "foreign.localhost"`)
		}
	}

	victim.do(chromedp.KeyEvent("alice@example.com" + kb.Tab + "open-sesame" + kb.Enter))
	victim.at(virginia + "/applications")
	victim.reads("Alice Adams")
	asked.mu.Lock()
	defer asked.mu.Unlock()
	t.Logf("%d people signed in; started %v, refused %v", people, asked.started, asked.refused)
	for kind := range asked.started {
		assert.Equal(t, "document", kind, "only navigations of a window start anything")
	}
}

// flood makes requests from one address until stop is closed, on both paths that make a record.
func (s *site) flood(t *testing.T, at string, sent *atomic.Int32, stop chan struct{}) {
	often := time.NewTicker(3 * time.Millisecond)
	defer often.Stop()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		<-often.C // leave CPU time for the users
		b := newBrowser(t, s.hosts)
		b.Header = http.Header{"X-Real-Ip": {"192.0.2.66"}, "Sec-Fetch-Mode": nil, "Sec-Fetch-Dest": nil}
		b.send("GET", at+[]string{"/login", handoffTo(at)}[i%2], "", nil)
		sent.Add(1)
	}
}
