package acs_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// silent are the ways in which another site's page can send a request without the user's knowledge.
var silent = map[string]map[string]string{
	"fetch":              {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"},
	"fetch with cors":    {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
	"image":              {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
	"script":             {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
	"style":              {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "style"},
	"worker":             {"Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "worker"},
	"web socket":         {"Sec-Fetch-Mode": "websocket", "Sec-Fetch-Dest": "websocket"},
	"iframe":             {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
	"fenced frame":       {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "fencedframe"},
	"object":             {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "object"},
	"embed":              {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "embed"},
	"only a mode":        {"Sec-Fetch-Mode": "no-cors"},
	"only a destination": {"Sec-Fetch-Dest": "image"},
	"prefetch":           {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch"},
	"prerender": {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
		"Sec-Purpose": "prefetch;prerender"},
	"prefetch by a proxy": {"Sec-Purpose": "prefetch;anonymous-client-ip"},
	"empty purpose":       {"Sec-Purpose": ""},
}

func withHeaders(to string, headers map[string]string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, to, nil)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	return r
}

// Obligations: SDP-SP03.
func TestK19_Invariant17_InvisibleRequestsStartNoSignIn(t *testing.T) {
	for name, headers := range silent {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			store := acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now})
			w.store = store
			eu, b := w.region("eu-central-1"), w.browser()
			for range 8 {
				b.login(eu, euACS, "")
			}
			before, cookies := acs.Len(store), b.copy().cookies
			rec := b.do(eu, withHeaders("https://eu-central-1.signin.example/login", headers))
			require.Equal(t, http.StatusForbidden, rec.Code)
			require.Empty(t, rec.Result().Cookies())
			require.Equal(t, cookies, b.cookies)
			require.Equal(t, before, acs.Len(store))
			require.Contains(t, w.logs.String(), `"reason":"Navigation"`)
			require.Regexp(t, referencePattern, rec.Body.String())
		})
	}
}

func TestK19_NavigationsStart(t *testing.T) {
	w := newWorld(t)
	eu := w.region("eu-central-1")
	for _, headers := range []map[string]string{
		nil,
		{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"},
		{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none", "Sec-Fetch-User": "?1"},
		{"Sec-Fetch-Mode": "navigate"},
	} {
		rec := w.browser().do(eu, withHeaders("https://eu-central-1.signin.example/login", headers))
		require.Equal(t, http.StatusSeeOther, rec.Code)
	}
}

// Restart makes a record too.
func TestK19_UnsolicitedResponseInAFrameRestartsNothing(t *testing.T) {
	w := newWorld(t)
	store := acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now})
	w.store = store
	us, b := w.region("us-east-1", restart), w.browser()
	r := post(usACS, w.form(w.good(usACS, ""), ""))
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "iframe")
	require.Equal(t, http.StatusForbidden, b.do(us, r).Code)
	require.Empty(t, b.cookies)
	require.Zero(t, acs.Len(store))
}

// by are the headers of each initiator.
var by = map[acs.Initiator]browser{
	acs.InitiatorPage:  {site: "cross-site"},
	acs.InitiatorClick: {site: "cross-site", user: "?1"},
	acs.InitiatorUser:  {site: "none", user: "?1"},
}

// as sets the initiator of the following navigations.
func (b *browser) as(i acs.Initiator) *browser {
	b.site, b.user = by[i].site, by[i].user
	return b
}

func TestInitiatorOf(t *testing.T) {
	for _, c := range []struct {
		site, user string
		want       acs.Initiator
	}{
		{"none", "?1", acs.InitiatorUser}, {"none", "", acs.InitiatorUser}, {"same-origin", "", acs.InitiatorUser},
		{"cross-site", "?1", acs.InitiatorClick}, {"same-site", "?1", acs.InitiatorClick},
		{"cross-site", "", acs.InitiatorPage}, {"same-site", "", acs.InitiatorPage}, {"cross-site", "?0", acs.InitiatorPage},
		{"", "", acs.InitiatorPage},
	} {
		r := withHeaders("/", map[string]string{"Sec-Fetch-Site": c.site, "Sec-Fetch-User": c.user})
		require.Equal(t, c.want, acs.InitiatorOf(r), "%+v", c)
	}
}

// Eight or more navigations by another site's page never remove another pending request, and the user can always
// begin.
func TestK19_OtherSiteCannotDisplacePendingRequests(t *testing.T) {
	for _, began := range []acs.Initiator{acs.InitiatorPage, acs.InitiatorClick, acs.InitiatorUser} {
		w := newWorld(t)
		eu, b := w.region("eu-central-1"), w.browser()
		flood := func() {
			for range 20 {
				b.as(acs.InitiatorPage).get(eu, "https://eu-central-1.signin.example/login")
				w.clock.Advance(1e9)
				require.LessOrEqual(t, len(b.cookies), 8)
			}
		}
		if began != acs.InitiatorPage { // what a page began can't be told from what another page began
			flood()
		}
		waiting := b.as(began).login(eu, euACS, "")
		w.clock.Advance(1e9)
		flood()
		w.accepted(b.answer(eu, w.good(euACS, waiting.id), waiting.relayState))
		again := b.as(acs.InitiatorUser).login(eu, euACS, "")
		w.accepted(b.answer(eu, w.good(euACS, again.id), again.relayState))
	}
}

// Nine links in a mailbox: the last one works, and so does an earlier request of the user.
func TestClicksReplaceTheNewestOfTheirKind(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	var made []request
	for range 9 {
		made = append(made, b.as(acs.InitiatorClick).login(eu, euACS, ""))
		w.clock.Advance(1e9)
	}
	w.refused(b.answer(eu, w.good(euACS, made[7].id), ""), http.StatusForbidden, saml.ReasonInResponseTo)
	w.accepted(b.answer(eu, w.good(euACS, made[8].id), ""))
	w.accepted(b.answer(eu, w.good(euACS, made[0].id), ""))
}

// The requests of eight tabs that the user opened all stay, and the user can still begin.
func TestK19_NinthOfAForeignPageIsRefused(t *testing.T) {
	w := newWorld(t)
	store := acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now})
	w.store = store
	eu, b := w.region("eu-central-1"), w.browser()
	for range 8 {
		b.as(acs.InitiatorUser).login(eu, euACS, "")
	}
	before := b.copy().cookies
	for _, i := range []acs.Initiator{acs.InitiatorPage, acs.InitiatorClick} {
		rec := b.as(i).get(eu, "https://eu-central-1.signin.example/login")
		require.Equal(t, http.StatusTooManyRequests, rec.Code)
		require.Equal(t, "60", rec.Header().Get("Retry-After"))
		require.Contains(t, rec.Body.String(), "Sign in again")
	}
	require.Equal(t, before, b.cookies)
	require.Equal(t, 8, acs.Len(store))
	b.as(acs.InitiatorUser).login(eu, euACS, "")
	require.Len(t, b.cookies, 8)
}

// A foreign page's navigations don't count as restarts.
func TestForeignPageCannotStopRestart(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1", restart), w.browser()
	for range 8 {
		b.as(acs.InitiatorPage).login(us, usACS, "")
	}
	require.Equal(t, http.StatusSeeOther, b.answer(us, w.good(usACS, ""), "").Code)
}
