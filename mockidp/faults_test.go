package mockidp_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// faulty returns a server with these faults, and a browser that is signed in there.
func faulty(t *testing.T, faults ...mockidp.Fault) (*mockidp.Server, *browser) {
	t.Helper()
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword).contains(t, "My Apps")
	for _, f := range faults {
		require.NoError(t, idp.Inject(f))
	}
	return idp, b
}

func TestCountedFaults(t *testing.T) {
	idp, b := faulty(t, mockidp.Fault{Kind: mockidp.ServerError, Count: 2},
		mockidp.Fault{Kind: mockidp.ServerError, App: "mark"},
		mockidp.Fault{Kind: mockidp.ServerError, App: "idc", Count: 3, Status: 502})
	assert.Equal(t, 503, b.get(idp.SSOURL("idc")).Status, "the first one wins")
	assert.Equal(t, []int{1, 0, 2}, []int{idp.Faults()[0].Count, idp.Faults()[1].Count, idp.Faults()[2].Count})
	assert.Equal(t, 503, b.get(idp.SSOURL("idc")).Status)
	assert.Equal(t, 502, b.get(idp.SSOURL("idc")).Status)
	b.get(idp.SSOURL("idc")).answer(t)
	assert.Len(t, idp.Faults(), 1)
	idp.ClearFaults("mark")
	assert.Empty(t, idp.Faults())
	ms := idp.Messages()
	assert.Equal(t, []mockidp.FaultKind{mockidp.ServerError, mockidp.ServerError}, ms[0].Faults)
	assert.Empty(t, ms[3].Faults)
}

func TestDropConnection(t *testing.T) {
	idp, b := faulty(t, mockidp.Fault{Kind: mockidp.DropConnection, Count: 1})
	_, err := b.Look(idp.SSOURL("idc"))
	// Go's client repeats a request by itself if a reused connection was closed, so either the request failed or the
	// second one was answered.
	if err != nil {
		assert.ErrorContains(t, err, "EOF")
	}
	assert.Len(t, idp.Faults(), 0)
	b.get(idp.SSOURL("idc")).answer(t)

	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.DropConnection}))
	_, err = b.Look(idp.SSOURL("idc"))
	assert.Error(t, err)
}

func TestDelay(t *testing.T) {
	idp, b := faulty(t, mockidp.Fault{Kind: mockidp.Delay, For: 300 * time.Millisecond, Count: 1},
		mockidp.Fault{Kind: mockidp.Delay, For: time.Hour, App: "idc"})
	idp.ClearFaults("idc")
	began := time.Now()
	b.get(idp.SSOURL("idc")).answer(t)
	assert.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)

	// The Server doesn't wait for a browser that disconnects.
	quick(t, func() time.Duration {
		idp, b := faulty(t, mockidp.Fault{Kind: mockidp.Delay, For: time.Hour})
		b.Transport.(*http.Transport).ResponseHeaderTimeout = 100 * time.Millisecond
		_, err := b.Look(idp.SSOURL("idc"))
		require.Error(t, err)
		began := time.Now()
		idp.Close()
		return time.Since(began)
	})
}

func TestCutPageAndCutResponse(t *testing.T) {
	idp, b := faulty(t, mockidp.Fault{Kind: mockidp.CutPage, Count: 1})
	page := b.get(idp.SSOURL("idc"))
	page.contains(t, `name="SAMLResponse"`)
	assert.NotContains(t, page.Body, "</form>")
	assert.NotContains(t, page.Body, `type="submit"`)

	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.CutResponse}))
	form := b.get(idp.SSOURL("idc")).answer(t)
	direct, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	whole := idp.Messages()
	assert.Contains(t, string(whole[len(whole)-1].XML), "</saml2p:Response>")
	for _, f := range []mockidp.Form{form, direct} {
		assert.Less(t, len(f.SAMLResponse), len(whole[len(whole)-1].XML))
	}
	_, err = idp.Deliver(&http.Client{Transport: broken{}}, direct)
	require.ErrorIs(t, err, io.ErrClosedPipe)
	ms := idp.Messages()
	assert.NotNil(t, ms[len(ms)-1].Answer, "the cut message is found")
}

// broken is a transport that always fails.
type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrClosedPipe }

func TestClockSkew(t *testing.T) {
	conf := twoRegions()
	conf.Now = func() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }
	conf.Faults = []mockidp.Fault{{Kind: mockidp.ClockSkew, For: -10 * time.Minute}}
	idp := start(t, conf)
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	root := decode(t, form)
	for path, name := range map[string]string{"//Assertion": "IssueInstant", "//AuthnStatement": "AuthnInstant"} {
		assert.Equal(t, "2026-01-01T11:50:00.000Z", attrOf(t, root, path, name))
	}
	assert.Equal(t, "2026-01-01T11:55:00.000Z", attrOf(t, root, "//Conditions", "NotOnOrAfter"))
	assert.Equal(t, 12, idp.Messages()[0].Time.Hour(), "the message's own time isn't skewed")
}

func TestWrongContentType(t *testing.T) {
	idp, b := faulty(t, mockidp.Fault{Kind: mockidp.WrongContentType})
	page := b.get(idp.SSOURL("idc"))
	assert.True(t, strings.HasPrefix(page.Header.Get("Content-Type"), "text/plain"))
	page.answer(t)
}

func TestDuplicatePost(t *testing.T) {
	idp, b := faulty(t, mockidp.Fault{Kind: mockidp.DuplicatePost})
	page := b.get(idp.SSOURL("idc"))
	values := regexp.MustCompile(`name="SAMLResponse" value="([^"]+)"`).FindAllStringSubmatch(page.Body, -1)
	require.Len(t, values, 2)
	assert.Equal(t, values[0][1], values[1][1])
	assert.Equal(t, 2, strings.Count(page.Body, `action="`+virginia+`"`))
	assert.Contains(t, page.Header.Get("Content-Security-Policy"), "frame-src *")
	sent := 0
	for _, m := range idp.Messages() {
		if m.Direction == mockidp.Sent {
			sent++
		}
	}
	assert.Equal(t, 1, sent, "one message, posted twice")
}

func TestChance(t *testing.T) {
	struck := func(seed uint64) string {
		conf := twoRegions()
		conf.Seed = seed
		conf.Faults = []mockidp.Fault{{Kind: mockidp.ClockSkew, Chance: 0.5}}
		idp := start(t, conf)
		var out strings.Builder
		for range 40 {
			_, err := idp.IdPInitiated("idc", alice, "")
			require.NoError(t, err)
		}
		for _, m := range idp.Messages() {
			out.WriteByte("-x"[len(m.Faults)])
		}
		return out.String()
	}
	assert.Equal(t, struck(1), struck(1))
	assert.NotEqual(t, struck(1), struck(2))
	n := strings.Count(struck(1), "x")
	assert.Greater(t, n, 5)
	assert.Less(t, n, 35)
}

func TestInvalidFaults(t *testing.T) {
	idp := start(t, twoRegions())
	for name, f := range map[string]mockidp.Fault{
		"none":    {},
		"unknown": {Kind: "flood"},
		"count":   {Kind: mockidp.Delay, Count: -1},
		"chance":  {Kind: mockidp.Delay, Chance: 1.5},
		"status":  {Kind: mockidp.ServerError, Status: 200},
		"delay":   {Kind: mockidp.Delay, For: -1},
	} {
		assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.Inject(f)), name)
	}
	assert.Equal(t, mockidp.ReasonNoSuchApp, reason(t, idp.Inject(mockidp.Fault{Kind: mockidp.Delay, App: "none"})))
	assert.ErrorContains(t, idp.Inject(mockidp.Fault{Kind: "late"}), "delay, drop, status", "the error lists the kinds")
	conf := twoRegions()
	conf.Faults = []mockidp.Fault{{Kind: "flood"}}
	_, err := mockidp.Open(conf)
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
	assert.Equal(t, http.StatusOK, newBrowser(t, idp).get(idp.SignInURL()).Status)
}
