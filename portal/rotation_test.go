package portal_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/failover"
)

// Rule 69: an operator takes a Region out of rotation: its health says so, a redirector sends no users there, and
// sign-ins that arrive anyway work. The last Region needs its name typed.
func TestOperatorChangesTheRotation(t *testing.T) {
	logs, peers := newAudits(t), &heard{}
	w, _ := newShared(t, func(c *portal.Config) { bobOperates(c); logs.edit(c); c.Replication = peers })
	now := w.clock.Now()
	lost := func(region string) portal.Peer {
		return portal.Peer{Region: region, State: portal.PeerUnreachable, Heard: now}
	}
	up := func(region string) portal.Peer {
		return portal.Peer{Region: region, State: portal.PeerReplicated, Heard: now}
	}
	peers.set(up("us-east-1"), up("eu-central-1"))
	alice, bob := w.browser(), w.browser()
	w.signIn(bob, "https://"+virginia+"/", "bob@example.com")
	w.signIn(bob, "https://"+frankfurt+"/", "bob@example.com")
	rd, err := failover.New(failover.Config{
		Regions: []failover.Region{{Name: "us-east-1", URL: "https://" + virginia}, {Name: "eu-central-1",
			URL: "https://" + frankfurt}},
		Client: &http.Client{Transport: transport(w.hosts)}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	leads := func() string {
		require.NoError(t, rd.Probe(t.Context()))
		return serve(rd, get("https://go.example/")).Header().Get("Location")
	}
	require.Equal(t, "https://"+virginia+"/", leads())

	const page, rotation = "/operator/regions/us-east-1", "/operator/regions/us-east-1/rotation"
	at := "https://" + virginia + rotation
	requirePage(t, bob.click("https://"+virginia+page), 200, page, "In rotation", `href="`+rotation+`"`)
	a := bob.click(at)
	requirePage(t, a, 200, rotation, "Take <span class=\"mono\">us-east-1</span> out of rotation?")
	assert.NotContains(t, a.body, "No other Region")
	out, in := url.Values{"rotation": {"out"}}, url.Values{"rotation": {"in"}}
	requirePage(t, bob.send("POST", at, "cross-site", out), http.StatusForbidden, rotation, "Refused")
	requirePage(t, bob.submit(at, url.Values{}), http.StatusBadRequest, rotation)
	require.Equal(t, "https://"+virginia+"/", leads(), "nothing has changed")
	requirePage(t, bob.submit(at, out), 200, page, "Out of rotation", "Put back into rotation")

	health := serve(w.hosts[virginia], get("https://"+virginia+"/health"))
	assert.Equal(t, http.StatusServiceUnavailable, health.Code)
	assert.JSONEq(t, `{"status":"drained"}`, health.Body.String())
	assert.Equal(t, "https://"+frankfurt+"/", leads(), "one probe is enough")
	assert.ErrorContains(t, rd.Status()[0].LastError, string(failover.ReasonDrained))
	requirePage(t, w.signIn(alice, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
	requirePage(t, bob.click("https://"+frankfurt+"/operator"), 200, "/operator", "Out of rotation")

	// Frankfurt is the last one now.
	const other = "/operator/regions/eu-central-1/rotation"
	last := "https://" + frankfurt + other
	requirePage(t, bob.click(last), 200, other, "No other Region is known to be in rotation", "To confirm, type")
	requirePage(t, bob.submit(last, out), http.StatusUnprocessableEntity, other, "Nothing was changed")
	require.Equal(t, "https://"+frankfurt+"/", leads())
	confirmed := url.Values{"rotation": {"out"}, "confirm": {"eu-central-1"}}
	requirePage(t, bob.submit(last, confirmed), 200, "/operator/regions/eu-central-1", "Out of rotation")
	assert.Empty(t, leads())
	requirePage(t, bob.submit(last, in), 200, "/operator/regions/eu-central-1", "In rotation")
	requirePage(t, bob.submit(at, in), 200, page, "In rotation")
	require.NoError(t, rd.Probe(t.Context()))
	assert.Equal(t, "https://"+virginia+"/", leads())

	// A lost Region doesn't count.
	peers.set(lost("us-east-1"), lost("eu-central-1"))
	requirePage(t, bob.click(at), 200, rotation, "No other Region is known to be in rotation")
	// Another Region's rotation is changed there.
	requirePage(t, bob.click("https://"+frankfurt+rotation), http.StatusForbidden, rotation, "changed in that Region",
		`href="https://us-east-1.portal.example/operator/regions/us-east-1/rotation`)
	requirePage(t, alice.click(at), http.StatusNotFound, rotation)
	requirePage(t, alice.submit(at, out), http.StatusNotFound, rotation)

	changes, _ := logs.lines("us-east-1", audit.Changes, 2)
	assert.Equal(t, []string{"TakeRegionOutOfRotation", "PutRegionIntoRotation"}, eventNames(changes))
	assert.Equal(t, "bob@example.com", changes[0].Identity.UserName)
	assert.Equal(t, "us-east-1", changes[0].Request["regionName"])
}

func get(addr string) *http.Request { return httptest.NewRequest(http.MethodGet, addr, nil) }

// transport answers with the handlers of hosts.
type transport map[string]http.Handler

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return serve(t[r.URL.Host], r.Clone(r.Context())).Result(), nil
}
