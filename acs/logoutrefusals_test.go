package acs_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

func (w *soapAnswers) sendFrom(addr, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, usLogout, strings.NewReader(
		`<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>`+body+`</S:Body></S:Envelope>`))
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	r.RemoteAddr = addr
	return serve(w.h, r)
}

// requestOf returns a signed LogoutRequest with an ID.
func (w *soapAnswers) requestOf(id string) string {
	doc := etree.NewDocument()
	require.NoError(w.t, doc.ReadFromString(w.request("", alice)))
	root := doc.Root()
	root.RemoveChild(root.FindElement("./Signature"))
	root.CreateAttr("ID", id)
	out, err := etree.NewDocumentWithRoot(w.idp.sign(root)).WriteToString()
	require.NoError(w.t, err)
	return out
}

// A LogoutRequest that was refused as a replay is not verified again, and no answer to it is signed.
func TestReplayedLogoutRequestCostsLess(t *testing.T) {
	w := newSOAPAnswers(t, true, nil)
	request := w.request("", alice)
	require.Equal(t, "Success", w.status(w.send(request)))
	require.Equal(t, "Requester", w.status(w.send(request)))
	const times = 10
	measure := func(send func()) (allocations float64, each time.Duration) {
		began := time.Now()
		allocations = testing.AllocsPerRun(times, send)
		return allocations, time.Since(began) / (times + 1)
	}
	copies := 0
	allocs, took := measure(func() { // other bytes with the same signature are verified
		copies++
		require.Equal(t, "Requester", w.status(w.sendFrom("192.0.2.200:1", request+strings.Repeat(" ", copies))))
	})
	sameAllocs, sameTook := measure(func() { require.Equal(t, "Client", w.fault(w.send(request))) })
	t.Logf("verified: %.0f allocations, %v; the same again: %.0f, %v", allocs, took, sameAllocs, sameTook)
	assert.Less(t, sameAllocs, allocs/2)
	assert.Less(t, sameTook, took)
	assert.Equal(t, 1, w.ended)
	assert.Equal(t, 1+2*(times+1), strings.Count(w.logs.String(), `"reason":"Replay"`))
}

// A client whose logout messages by SOAP are refused is refused before they are read, for a while. Others are not, what
// is accepted doesn't count, and what a browser carries neither counts nor is refused.
func TestRefusedLogoutMessagesAreBoundedByClient(t *testing.T) {
	byPost := func(w *soapAnswers, addr string) int {
		r := logoutPost(usLogout, url.Values{"SAMLRequest": {base64Of("<x/>")}})
		r.RemoteAddr = addr
		return serve(w.h, r).Code
	}
	t.Run("by SOAP", func(t *testing.T) {
		w := newSOAPAnswers(t, true, nil)
		for range 200 {
			w.sendFrom("192.0.2.1:1", "<x/>")
		}
		refused := w.sendFrom("192.0.2.1:2", w.request("", alice))
		assert.Equal(t, "Server", w.fault(refused))
		assert.NotEmpty(t, refused.Header().Get("Retry-After"))
		assert.Contains(t, w.logs.String(), `"reason":"Busy"`)
		assert.Zero(t, w.ended)
		assert.Less(t, byPost(w, "192.0.2.1:1"), http.StatusInternalServerError)
		assert.Equal(t, "Success", w.status(w.sendFrom("192.0.2.2:1", w.request("", alice))), "another client")
		w.clock.Advance(10 * time.Second)
		assert.Equal(t, "Requester", w.status(w.sendFrom("192.0.2.1:1", w.request("", alice+alice))))
	})
	t.Run("by POST", func(t *testing.T) {
		w := newSOAPAnswers(t, true, nil)
		for range 250 {
			assert.Less(t, byPost(w, "192.0.2.1:1"), http.StatusInternalServerError)
		}
		assert.Equal(t, "Success", w.status(w.sendFrom("192.0.2.1:1", w.request("", alice))))
	})
	t.Run("addresses of an IPv6 site", func(t *testing.T) {
		w := newSOAPAnswers(t, true, nil)
		for i := range 800 {
			w.sendFrom(fmt.Sprintf("[2001:db8:1:%x::1]:1", i), "<x/>")
		}
		assert.Equal(t, "Server", w.fault(w.sendFrom("[2001:db8:1:ffff::1]:1", w.request("", alice))))
		assert.Equal(t, "Success", w.status(w.sendFrom("[2001:db8:2::1]:1", w.request("", alice))))
	})
	t.Run("memory", func(t *testing.T) {
		w := newSOAPAnswers(t, true, func(c *acs.Config) { c.Logger = slog.New(slog.DiscardHandler) })
		live := func() int {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int(m.HeapAlloc)
		}
		junk := "<x>" + strings.Repeat("<a/>", 8<<10) + "</x>"
		before := live()
		for i := range 1000 {
			w.sendFrom(fmt.Sprintf("10.0.%d.%d:1", i/250, i%250), junk)
		}
		assert.Less(t, live()-before, 1<<20)
	})
	t.Run("accepted", func(t *testing.T) {
		w := newSOAPAnswers(t, true, nil)
		for range 199 {
			w.sendFrom("192.0.2.1:1", "<x/>")
		}
		for i := range 3 {
			require.Equal(t, http.StatusOK, w.sendFrom("192.0.2.1:1", w.requestOf(fmt.Sprintf("_%d", i))).Code)
		}
		assert.Equal(t, 3, w.ended)
		assert.Equal(t, "Client", w.fault(w.sendFrom("192.0.2.1:1", "<x/>")), "the 200th")
		assert.Equal(t, "Server", w.fault(w.sendFrom("192.0.2.1:1", "<x/>")))
	})
}
