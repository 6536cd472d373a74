package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/portal/failover"
)

// The three steps in their order, each twice: the second time changes nothing.
//
// Rules 25, 35, 38: an added Region gets a portal, and its sign-in fails until the app has its URL.
func TestExtendStepByStep(t *testing.T) {
	w := newTestWorld(t, alone)
	us, eu := w.sites[0], w.sites[1]
	k := newTestWalker(w)
	assert.Equal(t, 2, strings.Count(ask(w.control, "GET", "/").Body.String(), `small" disabled>Add`), "one at a time")
	for path, says := range map[string]string{
		"/extend/acs":                   "no ACS URL before it is added",
		"/extend/bookmark":              "no portal before it is added",
		"/swap":                         "one ACS URL only",
		"/revoke":                       "eu-central-1 does not run",
		"/regions/eu-central-1/stop":    "nothing to stop",
		"/regions/eu-central-1/start":   "extend to it first",
		"/regions/eu-central-1/control": "failover: ",
	} {
		press(t, w.control, path)
		assert.Contains(t, shows(t, w.control), says)
	}
	assert.Contains(t, shows(t, w.control), "eu-central-1 Frankfurt Not added")

	for range 2 {
		press(t, w.control, "/extend/region")
		assert.Contains(t, shows(t, w.control), "eu-central-1 is listed in the primary Region")
		require.NoError(t, k.until(func() error { return bothActive(w) }))
		assert.Len(t, w.sp.ACS(), 2)
		assert.Equal(t, []string{us.acs}, w.acsOrder())
		assert.Contains(t, shows(t, w.control), "Not in the app yet")
	}
	line, held := check.Take(k, urlMissing)
	require.True(t, held, line)
	for range 2 {
		press(t, w.control, "/extend/acs")
		assert.Equal(t, []string{us.acs, eu.acs}, w.acsOrder())
		assert.NotContains(t, shows(t, w.control), "Not in the app yet")
	}
	require.NoError(t, k.signsIn(eu))
	for range 2 {
		press(t, w.control, "/extend/bookmark")
		assert.Len(t, w.idp.Apps(), 2)
	}
	page := ask(w.control, "GET", "/").Body.String()
	assert.Equal(t, 3, strings.Count(page, "</span> Done<"))
	assert.NotContains(t, page, `action="/extend`)
}

// The button Extend does all steps, whatever was done before.
func TestExtendAtOnce(t *testing.T) {
	w := newTestWorld(t, added)
	for range 2 {
		press(t, w.control, "/extend")
		assert.Contains(t, shows(t, w.control), "The instance is extended to eu-central-1")
		assert.Equal(t, []string{w.sites[0].acs, w.sites[1].acs}, w.acsOrder())
		assert.Len(t, w.idp.Apps(), 2)
	}
	require.NoError(t, newTestWalker(w).until(func() error {
		return newTestWalker(w).redirectorLeadsTo(w.sites[0])
	}))
	assert.Regexp(t, `eu-central-1 Frankfurt Up .* us-east-1: Replicated`, shows(t, w.control))
}

// A Region is added in the primary, and so not while the primary is stopped.
func TestExtendNeedsThePrimary(t *testing.T) {
	w := newTestWorld(t, alone)
	press(t, w.control, "/regions/us-east-1/stop")
	press(t, w.control, "/extend")
	assert.Contains(t, shows(t, w.control), "Regions are added in the primary Region only")
	assert.False(t, w.sites[1].added())
}

func TestRoutingControl(t *testing.T) {
	w := newTestWorld(t, extended)
	set := func(to string) {
		r := httptest.NewRequest("POST", w.control.url+"/regions/us-east-1/control", strings.NewReader("control="+to))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		rec := httptest.NewRecorder()
		w.control.Handler().ServeHTTP(rec, r)
		require.Equal(t, http.StatusSeeOther, rec.Code)
	}
	for _, to := range []failover.Control{failover.Off, failover.On, failover.Auto} {
		set(to.String())
		assert.Equal(t, to, w.redirector.probed("us-east-1").Control)
		assert.Contains(t, ask(w.control, "GET", "/").Body.String(), `value="`+to.String()+`" aria-pressed="true"`)
	}
	set("perhaps")
	assert.Contains(t, shows(t, w.control), "failover: ")
	assert.Equal(t, failover.Auto, w.redirector.probed("us-east-1").Control)
}

// The button ends the newest session that began in the primary, from the other
// Region while the primary is stopped. The primary ends it when it is back.
func TestRevokeButton(t *testing.T) {
	w := newTestWorld(t, extended)
	us, eu := w.sites[0], w.sites[1]
	k := newTestWalker(w)
	press(t, w.control, "/revoke")
	assert.Contains(t, shows(t, w.control), "knows no session that began in us-east-1")

	b := k.browser()
	_, err := k.signedIn(b, us)
	require.NoError(t, err)
	require.NoError(t, agree(k))
	assert.Contains(t, shows(t, w.control), "1 known here, 0 began here")
	require.NoError(t, w.stop(us))
	press(t, w.control, "/revoke")
	assert.Contains(t, shows(t, w.control), "eu-central-1 ended a session of alice@example.com that began in us-east-1. "+
		"us-east-1 is stopped. It ends the session as soon as it is back.")
	assert.Contains(t, shows(t, w.control), "The session that you ended: "+
		"us-east-1 is stopped, and has not received it yet eu-central-1 ✓ ended")
	require.NoError(t, w.start(us))
	require.NoError(t, agree(k))
	assert.NoError(t, k.until(func() error {
		page := shows(t, w.control)
		both := strings.Contains(page, "The session that you ended: us-east-1 ✓ ended eu-central-1 ✓ ended")
		return check.That("the control page", both, "ended in both", page)
	}))
	p, err := b.Look(us.url + "/applications")
	require.NoError(t, err)
	assert.Equal(t, 303, p.Status)
	// The identity provider asks for the password, so the end of the session shows.
	p, err = b.Open(us.url + "/")
	require.NoError(t, err)
	assert.Equal(t, w.idp.URL, p.Origin())
	_, asked := p.FormWith("password")
	assert.True(t, asked, p.Text())
	all, own := eu.running().Known(context.Background())
	assert.Zero(t, all+own)
}

// The redirector keeps the path of a link.
func TestRedirectorKeepsPaths(t *testing.T) {
	w := newTestWorld(t, alone)
	k := newTestWalker(w)
	require.NoError(t, k.redirectorLeadsTo(w.sites[0]))
	p, err := k.browser().Look(w.redirector.url + "/applications?x=1")
	require.NoError(t, err)
	assert.Equal(t, w.sites[0].url+"/applications?x=1", p.Header.Get("Location"))
}

// close leaves nothing on disk.
func TestCloseRemovesTheDirectory(t *testing.T) {
	w, err := newWorld(context.Background(), worldConfig{})
	require.NoError(t, err)
	dir := w.dir
	require.DirExists(t, dir)
	w.close()
	_, err = os.Stat(dir)
	assert.ErrorIs(t, err, os.ErrNotExist)
}
