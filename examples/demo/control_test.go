package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// ask sends a request to the control page's handler.
func ask(c *control, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, c.url+path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	c.Handler().ServeHTTP(rec, r)
	return rec
}

// press presses a button of the control page.
func press(t *testing.T, c *control, path string) {
	t.Helper()
	rec := ask(c, "POST", path, "Sec-Fetch-Site", "same-origin", "Origin", c.url)
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/", rec.Header().Get("Location"))
}

// shows returns the text of the control page.
func shows(t *testing.T, c *control) string {
	t.Helper()
	rec := ask(c, "GET", "/")
	require.Equal(t, http.StatusOK, rec.Code)
	return (&testkit.Page{Body: rec.Body.String()}).Text()
}

func TestControlPage(t *testing.T) {
	w := newTestWorld(t, extended)
	rec := ask(w.control, "GET", "/")
	require.Equal(t, 200, rec.Code)
	body := rec.Body.String()
	for _, r := range w.sites {
		assert.Contains(t, body, `href="`+r.url+`/"`)
		assert.Contains(t, body, r.acs)
	}
	assert.Contains(t, body, `href="`+w.idp.DashboardURL()+`"`)
	assert.Contains(t, shows(t, w.control), "No user has signed in yet")
	assert.Equal(t, 1, strings.Count(body, ">Default<"))
	csp := rec.Header().Get("Content-Security-Policy")
	assert.Contains(t, csp, "default-src 'none'")
	assert.NotContains(t, csp, "unsafe")
	assert.NotRegexp(t, `(?i)<(script|style)[^>]*>[^<]|\son[a-z]+=|style=`, body, "inline script or style")
	for _, m := range regexp.MustCompile(`"(/assets/[^"]+)"`).FindAllStringSubmatch(body, -1) {
		assert.Equal(t, 200, ask(w.control, "GET", m[1]).Code, m[1])
	}
	assert.Equal(t, 404, ask(w.control, "GET", "/nothing").Code)
	assert.Equal(t, 405, ask(w.control, "GET", "/swap").Code)
}

func TestSwap(t *testing.T) {
	w := newTestWorld(t, extended)
	us, eu := w.sites[0], w.sites[1]
	assert.Equal(t, []string{us.acs, eu.acs}, w.acsOrder())
	press(t, w.control, "/swap")
	assert.Equal(t, []string{eu.acs, us.acs}, w.acsOrder())
	assert.Contains(t, shows(t, w.control), "lists the URL of eu-central-1 first")
	assert.Contains(t, shows(t, w.control), "eu-central-1 Single sign-on URL us-east-1 other")
	assert.Equal(t, us.acs, w.sp.ACS()[0].URL, "the service provider's list has not changed")
	press(t, w.control, "/swap")
	assert.Equal(t, []string{us.acs, eu.acs}, w.acsOrder())
}

func TestStopAndStart(t *testing.T) {
	w := newTestWorld(t, extended)
	r := w.sites[0]
	k := newTestWalker(w)
	require.NoError(t, k.signsIn(r))
	b := k.browser()
	p, f, err := k.tile(b)
	require.NoError(t, err)
	before := b.Copy()
	p, err = b.Submit(p, f, nil)
	require.NoError(t, err)
	require.NoError(t, atPortal(p, r))

	press(t, w.control, "/regions/us-east-1/stop")
	assert.NoError(t, k.connectionRefused(r))
	assert.Contains(t, shows(t, w.control), "us-east-1 N. Virginia, primary Stopped")
	assert.Contains(t, shows(t, w.control), "eu-central-1 Frankfurt Up")
	press(t, w.control, "/regions/us-east-1/stop") // changes nothing

	taken, err := net.Listen("tcp", r.Addr)
	require.NoError(t, err)
	press(t, w.control, "/regions/us-east-1/start")
	assert.Contains(t, shows(t, w.control), "address already in use")
	assert.False(t, r.Running())
	taken.Close()

	press(t, w.control, "/regions/us-east-1/start")
	press(t, w.control, "/regions/us-east-1/start") // changes nothing
	assert.Contains(t, shows(t, w.control), "us-east-1 N. Virginia, primary Up")
	p, err = b.Open(r.url + "/")
	require.NoError(t, err)
	assert.NoError(t, atPortal(p, r), "the session has been kept")
	mark := w.signIns.mark()
	q, err := before.Submit(&testkit.Page{URL: p.URL, Header: http.Header{}}, f, nil)
	require.NoError(t, err)
	_, err = k.refused(mark, r, q, "Replay")
	assert.NoError(t, err, "the replay record has been kept")

	press(t, w.control, "/regions/mars-1/stop")
	assert.Contains(t, shows(t, w.control), `there is no Region "mars-1"`)
}

// A Region that starts while the other is stopped says that it can't reach it, on
// the control page and in its portal, until both run.
func TestStartWhileTheOtherIsStopped(t *testing.T) {
	w := newTestWorld(t, extended)
	us, eu := w.sites[0], w.sites[1]
	k := newTestWalker(w)
	press(t, w.control, "/regions/us-east-1/stop")
	assert.Contains(t, shows(t, w.control), "Users sign in through another Region.")
	press(t, w.control, "/regions/eu-central-1/stop")
	assert.Contains(t, shows(t, w.control), "No other Region runs, so no user can sign in.")

	press(t, w.control, "/regions/eu-central-1/start")
	assert.Contains(t, shows(t, w.control), "us-east-1: Unreachable, not heard yet")
	p, err := k.signedIn(k.browser(), eu)
	require.NoError(t, err)
	assert.Contains(t, p.Text(), "us-east-1 (N. Virginia) can't be reached from here")

	press(t, w.control, "/regions/us-east-1/start")
	assert.NoError(t, k.until(func() error { return bothActive(w) }))
	assert.NoError(t, k.until(func() error {
		page := shows(t, w.control)
		both := strings.Contains(page, "us-east-1: Replicated") && strings.Contains(page, "eu-central-1: Replicated")
		return check.That("the control page", both, "both Replicated", page)
	}))
	assert.NoError(t, k.signsIn(us))
}

func TestReplayButton(t *testing.T) {
	w := newTestWorld(t, extended)
	k := newTestWalker(w)
	press(t, w.control, "/replay")
	assert.Contains(t, shows(t, w.control), "sign in first")

	require.NoError(t, k.tileLeadsTo(w.sites[0]))
	press(t, w.control, "/replay")
	assert.Contains(t, shows(t, w.control), "us-east-1 refused the same response, sent once more. Reason: Replay.")

	require.NoError(t, k.signsIn(w.sites[1]))
	mark := w.signIns.mark()
	press(t, w.control, "/replay")
	assert.Contains(t, shows(t, w.control),
		"eu-central-1 refused the same response, sent once more. Reason: InResponseTo.")
	v, err := k.verdict(mark)
	require.NoError(t, err)
	assert.Contains(t, shows(t, w.control), v.Reference)

	w.sites[1].Stop()
	press(t, w.control, "/replay")
	assert.Contains(t, shows(t, w.control), "eu-central-1 is stopped")
	require.NoError(t, w.sites[1].Start())

	serveInstead(t, w.sites[0], forgetting(t, w.sites[0]))
	require.NoError(t, k.tileLeadsTo(w.sites[0]))
	press(t, w.control, "/replay")
	assert.Contains(t, shows(t, w.control), "us-east-1 ACCEPTED the same response a second time")
}

func TestOtherOriginsCannotPressButtons(t *testing.T) {
	w := newTestWorld(t, extended)
	for _, path := range []string{
		"/swap", "/replay", "/revoke", "/extend", "/extend/region",
		"/regions/us-east-1/stop", "/regions/us-east-1/start", "/regions/us-east-1/control",
	} {
		rec := ask(w.control, "POST", path, "Sec-Fetch-Site", "cross-site", "Origin", "http://evil.example")
		assert.Equal(t, 403, rec.Code)
		assert.Equal(t, 403, ask(w.control, "POST", path, "Origin", w.sites[0].url).Code, "a Region's page")
	}
	// A name that resolves to this machine makes a page of the same origin.
	r := httptest.NewRequest("POST", "http://evil.example:8700/swap", nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	rec := httptest.NewRecorder()
	w.control.Handler().ServeHTTP(rec, r)
	assert.Equal(t, http.StatusMisdirectedRequest, rec.Code)
	assert.True(t, w.sites[0].Running())
	assert.Equal(t, w.sites[0].acs, w.acsOrder()[0])
}

// A portal refuses an unknown user. The list has one row for that.
func TestPortalsRefusalIsListed(t *testing.T) {
	w := newTestWorld(t, extended)
	k := newTestWalker(w)
	k.who = corp.Carol
	b := k.browser()
	p, err := k.signedIn(b, w.sites[1])
	require.NoError(t, err)
	require.Equal(t, 403, p.Status)
	list := w.signIns.newest()
	require.Len(t, list, 1)
	assert.False(t, list[0].Accepted())
	assert.Equal(t, "UnknownUser", list[0].Reason())
	assert.Equal(t, referenceOn(p), list[0].Reference)
	assert.Contains(t, shows(t, w.control), "eu-central-1 sp-initiated carol@example.com Refused UnknownUser")
}

func TestApplicationsOpen(t *testing.T) {
	w := newTestWorld(t, extended)
	k := newTestWalker(w)
	b := k.browser()
	_, err := k.signedIn(b, w.sites[0])
	require.NoError(t, err)
	p, err := b.Open(w.sites[0].url + "/applications")
	require.NoError(t, err)
	for _, a := range w.sites[0].view().Snapshot().Data().Applications {
		q, err := b.Click(p, a.Name)
		require.NoError(t, err)
		assert.Equal(t, 200, q.Status)
		assert.Contains(t, q.Body, a.Name+" runs in "+a.Region)
	}
	p, err = b.Open(w.sites[0].url + corp.AppPath + "nothing")
	require.NoError(t, err)
	assert.Equal(t, 404, p.Status)
}

func TestSignInsAreBounded(t *testing.T) {
	s := new(signIns)
	for range keptSignIns + 5 {
		s.verdict(context.Background(), acs.Verdict{NameID: "x"})
	}
	s.verdict(context.Background(), acs.Verdict{NameID: "last"})
	assert.Len(t, s.newest(), keptSignIns)
	assert.Equal(t, "last", s.newest()[0].NameID)
	assert.Len(t, s.since(s.mark()-2), 2)
	assert.Empty(t, s.since(s.mark()))
}
