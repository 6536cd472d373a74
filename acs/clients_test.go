package acs_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

// alone is how many requests of a quota of 90 one address gets.
const alone = 8

const usLogin = "https://us-east-1.signin.example/login"

// quotaOf returns a Region whose store has room for n requests.
func (w *world) quotaOf(n int, change ...func(*acs.Config)) (http.Handler, *acs.MemoryStore) {
	store := acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now, MaxRequests: n})
	w.store = store
	return w.region("us-east-1", change...), store
}

// from returns a browser at an address, which its user navigates.
func (w *world) from(addr string) *browser {
	b := w.browser().as(acs.InitiatorUser)
	b.addr = addr
	return b
}

// exhaust begins sign-ins from an address, each in another browser, until one is refused, and returns their number.
func (w *world) exhaust(h http.Handler, addr string) int {
	for n := 0; ; n++ {
		rec := w.from(addr).get(h, usLogin)
		if rec.Code == http.StatusTooManyRequests {
			return n
		}
		require.Equal(w.t, http.StatusSeeOther, rec.Code)
	}
}

func TestInvariant17_OneAddressLeavesRoomForOthers(t *testing.T) {
	w := newWorld(t)
	us, store := w.quotaOf(9000)
	got := w.exhaust(us, "192.0.2.1:1111")
	require.InDelta(t, 839, got, 5, "about a tenth of the quota")
	rec := w.from("192.0.2.1:2222").get(us, usLogin)
	require.Equal(t, http.StatusTooManyRequests, rec.Code, "another port is no other client")
	require.Equal(t, "60", rec.Header().Get("Retry-After"))
	require.Empty(t, rec.Result().Cookies())
	require.Contains(t, w.logs.String(), `"reason":"TooMany"`)
	require.Contains(t, w.logs.String(), "192.0.2.1")
	require.Equal(t, got, acs.Len(store), "nothing is stored for what is refused")
	other := w.from("198.51.100.7:1")
	req := other.login(us, usACS, "")
	w.accepted(other.answer(us, w.good(usACS, req.id), req.relayState))
}

func TestInvariant17_ManyGreedyAddressesLeaveRoom(t *testing.T) {
	w := newWorld(t)
	us, store := w.quotaOf(2000)
	before := 2000
	for i := range 100 {
		got := w.exhaust(us, fmt.Sprintf("192.0.2.%d:1", i))
		require.LessOrEqual(t, got, before, "each gets less than the one before")
		before = got
	}
	require.Less(t, acs.Len(store), 1900)
	for i := range 50 {
		b := w.from(fmt.Sprintf("198.51.100.%d:1", i))
		req := b.login(us, usACS, "")
		w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState))
	}
}

// Several users are behind one address, and one browser shows a foreign page. The page navigates its window to a
// sign-in again and again, before the answer arrives, so the browser keeps no cookie. The others still sign in.
func TestInvariant17_ForeignPageLeavesRoomForItsNeighbours(t *testing.T) {
	for name, flood := range map[string]func(w *world, us http.Handler) int{
		"navigations": func(w *world, us http.Handler) int {
			return w.from("192.0.2.1:1").as(acs.InitiatorPage).get(us, usLogin).Code
		},
		"a browser without Fetch Metadata": func(w *world, us http.Handler) int {
			b := w.browser()
			b.addr = "192.0.2.1:1"
			return b.get(us, usLogin).Code
		},
		"an unsolicited response, again and again": func(w *world, us http.Handler) int {
			return w.from("192.0.2.1:1").as(acs.InitiatorPage).answer(us, w.good(usACS, ""), "").Code
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			us, store := w.quotaOf(900, restart)
			codes := map[int]int{}
			for range 200 {
				codes[flood(w, us)]++
			}
			require.Equal(
				t,
				map[int]int{http.StatusSeeOther: acs.Len(store), http.StatusTooManyRequests: 200 - acs.Len(store)},
				codes,
			)
			require.Less(t, acs.Len(store), 60)
			for _, began := range []acs.Initiator{acs.InitiatorClick, acs.InitiatorUser} {
				var waiting []func()
				for range 10 {
					b := w.from("192.0.2.1:2").as(began)
					req := b.login(us, usACS, "")
					waiting = append(waiting, func() { w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)) })
				}
				for _, answer := range waiting {
					answer()
				}
			}
		})
	}
}

// Answered requests don't count.
func TestAnswersMakeRoomAgain(t *testing.T) {
	w := newWorld(t)
	us, _ := w.quotaOf(90)
	for range 300 {
		b := w.from("192.0.2.1:1")
		req := b.login(us, usACS, "")
		w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState))
	}
	require.Equal(t, alone, w.exhaust(us, "192.0.2.1:1"))
}

func TestUnansweredRequestsExpire(t *testing.T) {
	w := newWorld(t)
	us, _ := w.quotaOf(90)
	require.Equal(t, alone, w.exhaust(us, "192.0.2.1:1"))
	w.clock.Advance(14*time.Minute + 59*time.Second)
	require.Zero(t, w.exhaust(us, "192.0.2.1:1"), "they can still be answered")
	w.clock.Advance(5*time.Minute + time.Second)
	require.Equal(t, alone, w.exhaust(us, "192.0.2.1:1"))
	w.clock.Advance(-24 * time.Hour)
	require.NotZero(t, w.exhaust(us, "192.0.2.2:1"), "a clock that was set back refuses no client")
}

func TestAddressesThatAreOneClient(t *testing.T) {
	for name, c := range map[string]struct {
		addrs []string
		want  int
	}{
		"IPv6 by /64":         {[]string{"[2001:db8:1:1::1]:1", "[2001:db8:1:1:ffff::2]:2", "2001:db8:1:1::3"}, 85},
		"IPv4 in IPv6":        {[]string{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", "192.0.2.1"}, 85},
		"zones":               {[]string{"[fe80::1%eth0]:1", "fe80::1%eth1"}, 85},
		"what can't be read":  {[]string{"unix", "@", "proxy", "192.0.2.1, 192.0.2.2", "192.0.2.300:1"}, 85},
		"IPv6 of one /48":     {sites(200), 207},
		"IPv4, one by one":    {[]string{"192.0.2.1:1", "192.0.2.2:1"}, 150},
		"IPv6 of other sites": {[]string{"[2001:db8:1::1]:1", "[2001:db8:2::1]:1"}, 150},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			us, _ := w.quotaOf(900)
			got := 0
			for _, addr := range c.addrs {
				got += w.exhaust(us, addr)
			}
			assert.InDelta(t, c.want, got, 2)
		})
	}
}

// sites returns hosts of one IPv6 site.
func sites(n int) (out []string) {
	for i := range n {
		out = append(
			out,
			netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 7, byte(i >> 8), byte(i)}), 1).String(),
		)
	}
	return out
}

func TestClientAddr(t *testing.T) {
	w := newWorld(t)
	us, _ := w.quotaOf(90, func(c *acs.Config) {
		c.ClientAddr = func(r *http.Request) string { return r.Header.Get("X-Real-IP") }
	})
	for i := range 9 {
		r := withHeaders(usLogin, map[string]string{"X-Real-IP": fmt.Sprintf("192.0.2.%d", i)})
		require.Equal(t, http.StatusSeeOther, w.from("10.0.0.1:1").do(us, r).Code)
	}
	for range 9 {
		w.from("10.0.0.1:1").do(us, withHeaders(usLogin, map[string]string{"X-Real-IP": "192.0.2.1"}))
	}
	r := withHeaders(usLogin, map[string]string{"X-Real-IP": "192.0.2.1"})
	require.Equal(t, http.StatusTooManyRequests, w.from("10.0.0.1:1").do(us, r).Code)
}

// The bound is the Region's, not that of each of its ACS URLs.
func TestEndpointsOfARegionCountTogether(t *testing.T) {
	w := newWorld(t)
	w.store = acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now, MaxRequests: 90})
	eu := w.region("eu-central-1")
	codes := map[int]int{}
	for i := range 40 {
		host := []string{"eu-central-1.signin.example", "eu-central-1.signin.api.example"}[i%2]
		codes[w.from("192.0.2.1:1").get(eu, "https://"+host+"/login").Code]++
	}
	require.Equal(t, map[int]int{http.StatusSeeOther: alone, http.StatusTooManyRequests: 40 - alone}, codes)
}

// A request that can't be stored doesn't count.
func TestSignInsThatCouldNotStartDoNotCount(t *testing.T) {
	w := newWorld(t)
	store := &brokenStore{Store: w.store}
	store.add.Store(true)
	us, _ := w.quotaOf(90, func(c *acs.Config) { c.Store = quotaOnly{store, 90} })
	for range 50 {
		require.Equal(t, http.StatusServiceUnavailable, w.from("192.0.2.1:1").get(us, usLogin).Code)
	}
	store.add.Store(false)
	require.Equal(t, alone, w.exhaust(us, "192.0.2.1:1"))
}

type quotaOnly struct {
	acs.Store
	n int
}

func (q quotaOnly) RequestQuota() int { return q.n }

func TestManyAtOnceKeepTheBound(t *testing.T) {
	w := newWorld(t)
	us, store := w.quotaOf(90)
	concurrently(100, func(int) { w.from("192.0.2.1:1").get(us, usLogin) })
	require.Equal(t, alone, acs.Len(store))
}
