package acs_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

// halfSent are POSTs whose bodies stall.
type halfSent struct {
	w     *world
	stuck chan struct{} // a body waits for its next byte
	ended chan int      // a POST was answered with that status
	end   chan struct{} // closed: all bodies break off
	wait  sync.WaitGroup
}

func (w *world) halfSent() *halfSent {
	h := &halfSent{w: w, stuck: make(chan struct{}), ended: make(chan int), end: make(chan struct{})}
	w.t.Cleanup(h.breakOff)
	return h
}

// halfBody returns n bytes and then blocks.
type halfBody struct {
	h *halfSent
	n int
}

func (b *halfBody) Read(p []byte) (int, error) {
	if b.n == 0 {
		select {
		case b.h.stuck <- struct{}{}:
		case <-b.h.end:
		}
		<-b.h.end
		return 0, errors.New("connection reset")
	}
	n := min(b.n, len(p))
	clear(p[:n])
	b.n -= n
	return n, nil
}

// post sends n bytes of a longer body from addr. It reports whether they are all held, and otherwise the status.
func (h *halfSent) post(handler http.Handler, addr string, n int) (held bool, status int) {
	r := httptest.NewRequest(http.MethodPost, usACS, &halfBody{h, n})
	r.ContentLength = int64(n) + 1
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = addr
	h.wait.Go(func() {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if rec.Code == http.StatusServiceUnavailable {
			assert.Equal(h.w.t, "10", rec.Header().Get("Retry-After"))
			assert.Equal(h.w.t, "close", rec.Header().Get("Connection"))
		}
		select {
		case h.ended <- rec.Code:
		case <-h.end:
		}
	})
	select {
	case <-h.stuck:
		return true, 0
	case status = <-h.ended:
		return false, status
	}
}

func (h *halfSent) breakOff() {
	select {
	case <-h.end:
	default:
		close(h.end)
	}
	h.wait.Wait()
}

// fill sends bodies until one is refused, and returns how many were held.
func (h *halfSent) fill(handler http.Handler, addr string, n int) (held int) {
	for ; ; held++ {
		ok, status := h.post(handler, addr, n)
		if !ok {
			require.Equal(h.w.t, http.StatusServiceUnavailable, status)
			require.Equal(h.w.t, string(acs.ReasonBusy), h.w.lastVerdict().Reason)
			return held
		}
	}
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

const mib = 1 << 20

// Half-sent bodies of any clients take at most MaxBodies, and other clients sign in meanwhile.
func TestInvariant17_HalfSentBodiesAreBounded(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	before := heap()
	h, held := w.halfSent(), 0
	for i := range 150 {
		if ok, _ := h.post(us, fmt.Sprintf("192.0.2.%d:1", i), 4*mib-1); ok {
			held++
		}
	}
	require.Less(t, heap()-before, 80*mib, "%d of 150 are held", held)
	require.Greater(t, held, 5)
	w.accepted(w.from("198.51.100.1:1").answer(us, w.good(usACS, ""), ""))
	w.accepted(w.from("192.0.2.1:1").answer(us, w.good(usACS, ""), ""))

	h.breakOff()
	again := w.halfSent()
	for range held { // all is free again
		ok, _ := again.post(us, "192.0.2.1:1", 64<<10)
		require.True(t, ok)
	}
}

// A client leaves room for others, even for large bodies.
func TestInvariant17_OneClientsBodiesLeaveRoomForOthers(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:1", "[2001:db8::1]:1", "unreadable"} {
		t.Run(addr, func(t *testing.T) {
			w := newWorld(t)
			us := w.region("us-east-1", accept)
			h := w.halfSent()
			held := h.fill(us, addr, 4*mib-1)
			require.GreaterOrEqual(t, held, 2)
			require.LessOrEqual(t, held, 5, "about a third of 64 MiB")
			w.accepted(w.from(addr).answer(us, w.good(usACS, ""), "")) // an ordinary one
			for i := range 2 {
				ok, _ := h.post(us, fmt.Sprintf("198.51.100.%d:1", i), 4*mib-1)
				require.True(t, ok)
			}
		})
	}
}

// Small bodies of many clients leave room for those of one more.
func TestInvariant17_ManyClientsBodiesLeaveRoomForOthers(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept, func(c *acs.Config) { c.MaxBody, c.MaxBodies = mib, 16*mib })
	h, held := w.halfSent(), 0
	for i := range 200 {
		held += h.fill(us, fmt.Sprintf("192.0.2.%d:1", i), 60<<10)
	}
	require.Greater(t, held, 100)
	w.accepted(w.from("198.51.100.1:1").answer(us, w.good(usACS, ""), ""))
}

// The consumers of a Region share one budget.
func TestBodiesOfARegionAreBoundedTogether(t *testing.T) {
	w := newWorld(t)
	eu := w.region("eu-central-1", accept, func(c *acs.Config) { c.MaxBody, c.MaxBodies = mib, 4*mib })
	h := w.halfSent()
	posts := func(to string) (held int) {
		for i := range 20 {
			r := httptest.NewRequest(http.MethodPost, to, &halfBody{h, mib - 1})
			r.ContentLength, r.RemoteAddr = mib, fmt.Sprintf("192.0.2.%d:1", i)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			h.wait.Go(func() {
				rec := httptest.NewRecorder()
				eu.ServeHTTP(rec, r)
				select {
				case h.ended <- rec.Code:
				case <-h.end:
				}
			})
			select {
			case <-h.stuck:
				held++
			case <-h.ended:
			}
		}
		return held
	}
	require.Positive(t, posts(euACS))
	require.Zero(t, posts(euDual))
}

// Thousands of ordinary responses at once, all through one proxy, are accepted.
func TestBurstThroughOneProxy(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	h := w.halfSent()
	for range 1500 {
		ok, _ := h.post(us, "192.0.2.1:1", 11<<10)
		require.True(t, ok)
	}
}

// A body of any length up to MaxBody, in any pieces, is read completely.
func TestBodiesOfAnyLength(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept, func(c *acs.Config) { c.MaxBody = 200_000 })
	form := w.form(w.good(usACS, ""), "").Encode() + "&pad="
	for _, test := range []struct {
		length int
		status int
	}{
		{len(form), http.StatusSeeOther}, {65_536, http.StatusForbidden}, {66_048, http.StatusForbidden},
		{131_072, http.StatusForbidden},
		{199_999, http.StatusForbidden}, {200_000, http.StatusForbidden}, // a replay: it was read
		{200_001, http.StatusRequestEntityTooLarge}, {262_144, http.StatusRequestEntityTooLarge},
	} {
		for _, chunked := range []bool{false, true} {
			body := form + strings.Repeat("x", max(0, test.length-len(form)))
			r := httptest.NewRequest(http.MethodPost, usACS, strings.NewReader(body))
			if chunked {
				r.ContentLength = -1
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := w.browser().do(us, r)
			if chunked && test.status == http.StatusSeeOther {
				require.Equal(t, http.StatusForbidden, rec.Code)
				continue
			}
			require.Equal(t, test.status, rec.Code, "%d bytes: %+v", test.length, w.lastVerdict())
		}
	}
}

// The answer is sent at once, before the rest of the body arrives.
func TestBusyAnswerComesAtOnce(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	server := httptest.NewServer(us)
	t.Cleanup(server.Close)
	w.halfSent().fill(us, "127.0.0.1:1", mib)
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, _ = fmt.Fprintf(c, "POST /platform/saml/acs/4455 HTTP/1.1\r\nHost: us-east-1.signin.example\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\nSAMLResponse=%s", 4*mib,
		strings.Repeat("A", mib)) // to its end, or as far as it is read
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.Equal(t, "10", res.Header.Get("Retry-After"))
	require.True(t, res.Close)
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
}
