package portal_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

const (
	startVirginia  = "start.us-east-1.example"
	startFrankfurt = "start.eu-central-1.example"
)

// shared is the state that the portals of a process share.
type shared struct {
	sessions *sessions.MemoryStore
	codes    portal.Codes
	peers    *heard
}

// newShared makes a world whose Regions share sessions and codes.
func newShared(t *testing.T, edit func(*portal.Config)) (*world, *shared) {
	t.Helper()
	return newSharedOf(t, data(), edit)
}

func newSharedOf(t *testing.T, d center.Data, edit func(*portal.Config)) (*world, *shared) {
	t.Helper()
	s := &shared{sessions: sessions.NewMemoryStore(sessions.MemoryConfig{Region: "everywhere"}), peers: &heard{}}
	var once sync.Once
	w := newWorldOf(t, d, func(c *portal.Config) {
		once.Do(func() { s.codes = portal.NewCodes(acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now})) })
		c.Sessions, c.Codes = s.sessions, s.codes
		if edit != nil {
			edit(c)
		}
	})
	return w, s
}

// newApart makes a world in which portals and their consumers have different hosts.
func newApart(t *testing.T, edit func(*portal.Config)) *world {
	t.Helper()
	d := data()
	d.Regions[0].PortalURLs = []string{"https://" + startVirginia}
	d.Regions[1].PortalURLs = []string{"https://" + startFrankfurt}
	w := newWorldOf(t, d, edit)
	w.hosts[startVirginia], w.hosts[startFrankfurt] = w.hosts[virginia], w.hosts[frankfurt]
	return w
}

// heard is a Replication whose peers the test sets.
type heard struct {
	mu    sync.Mutex
	peers []portal.Peer
}

func (h *heard) Peers() []portal.Peer {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]portal.Peer(nil), h.peers...)
}

func (h *heard) set(p ...portal.Peer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.peers = p
}

// down makes a host fail the test if it is requested.
func (w *world) down(host string) {
	w.hosts[host] = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		w.t.Errorf("%s was asked for %s", host, r.URL)
	})
}

// toEnter follows a browser's redirects up to the address with the code, and returns that address
// without visiting it.
func toEnter(t *testing.T, b *browser, addr string) *url.URL {
	t.Helper()
	a := b.send("GET", addr, "none", nil)
	if to := a.page.Refresh(); to != "" {
		a = b.send("GET", to, "same-origin", nil)
	}
	for range 10 {
		loc, err := a.Location()
		require.NoError(t, err, "%d %s", a.StatusCode, a.url)
		if loc.Path == "/enter" {
			return loc
		}
		a = b.send("GET", loc.String(), "cross-site", nil)
	}
	require.Fail(t, "too many redirects")
	return nil
}

func with(u *url.URL, key, value string) string {
	out, q := *u, u.Query()
	q.Set(key, value)
	out.RawQuery = q.Encode()
	return out.String()
}

// requireNoSession checks that the browser has no session at the host.
func requireNoSession(t *testing.T, b *browser, host string) {
	t.Helper()
	assert.Empty(t, b.cookie(host, portal.SessionCookie))
}
