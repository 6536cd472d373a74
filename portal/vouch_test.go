package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

// A sign-in that the user began at the portal's host is the user's at the consumer's host, too: another site's page
// can't displace it. That page can't make its own navigations the user's.
func TestATypedAddressIsTheUsersWhereThePortalIsApart(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	attack := func(addr string) answer { return b.follow(b.send("GET", addr, "cross-site", nil)) }
	for range 8 { // as many as a browser can have
		requireAtIdP(t, w, attack("https://"+virginia+portal.PathLogin))
	}
	begun := b.get("https://" + startVirginia + "/")
	requireAtIdP(t, w, begun)
	for _, addr := range []string{virginia + portal.PathLogin, startVirginia + portal.PathLogin, startVirginia + "/"} {
		requireAtIdP(t, w, attack("https://"+addr))
	}
	requirePage(t, w.atIdP(b, begun, "alice@example.com"), 200, "/", "Alice Adams")
}

// What the portal's host vouches for holds for a minute, for one handoff and one client, and only as it was written.
func TestWhatThePortalsHostVouchesForIsBound(t *testing.T) {
	w := newApart(t, nil)
	p := w.hosts[virginia].(*portal.Portal)
	state, other := strings.Repeat("a", 64), strings.Repeat("b", 64)
	at := func(addr, by string) *http.Request {
		r, err := http.NewRequest("GET", "https://"+virginia+"/handoff?"+url.Values{"by": {by}}.Encode(), nil)
		require.NoError(t, err)
		r.RemoteAddr = addr
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		return r
	}
	typed := at("192.0.2.1:1", "")
	typed.Header.Set("Sec-Fetch-Site", "same-origin")
	by := p.Vouch(typed, state)
	require.NotEmpty(t, by)
	initiator := func(addr, by, state string) acs.Initiator {
		r := at(addr, by)
		out := acs.InitiatorOf(p.Vouched(r, state))
		assert.Equal(t, "cross-site", r.Header.Get("Sec-Fetch-Site"), "the request of other handlers is as it was")
		return out
	}
	assert.Equal(t, acs.InitiatorUser, initiator("192.0.2.1:2", by, state))
	assert.Equal(t, acs.InitiatorPage, initiator("192.0.2.9:2", by, state), "another client")
	assert.Equal(t, acs.InitiatorPage, initiator("192.0.2.1:2", by, other), "another handoff")
	for _, forged := range []string{
		"", ".", "2..", by + "A", "2." + strings.SplitN(by, ".", 2)[1][1:], "9" + by[1:], strings.Repeat(".", 5000),
		"2.9223372036854775807.x",
	} {
		assert.Equal(t, acs.InitiatorPage, initiator("192.0.2.1:2", forged, state), forged)
	}
	assert.Empty(t, p.Vouch(at("192.0.2.1:1", ""), state), "another site's page")
	click := at("192.0.2.1:1", "")
	click.Header.Set("Sec-Fetch-User", "?1")
	assert.Equal(t, acs.InitiatorClick, initiator("192.0.2.1:2", p.Vouch(click, state), state))
	w.clock.Advance(2 * time.Minute)
	assert.Equal(t, acs.InitiatorPage, initiator("192.0.2.1:2", by, state), "too late")
}
