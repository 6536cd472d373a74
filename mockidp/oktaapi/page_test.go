package oktaapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// admin signs in to the control page.
func admin(t *testing.T, idp *mockidp.Server) (*browser, string) {
	t.Helper()
	h := oktaapi.New(idp, oktaapi.Config{})
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	b := newBrowser(t, idp)
	p := b.get(srv.URL)
	assert.Equal(t, 401, p.Status)
	p.contains(t, `name="token"`)
	b.post(srv.URL+"/login", url.Values{"token": {"wrong"}}).contains(t, "The token is wrong")
	p = b.post(srv.URL+"/login", url.Values{"token": {h.Token()}})
	require.Equal(t, 200, p.Status)
	return b, srv.URL
}

// The control page shows the apps that each key signs for.
func TestAdminPageKeys(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Apps = append(conf.Apps, mockidp.App{ID: "wiki", Label: "Wiki", ACS: []mockidp.ACS{{URL: virginia}}})
	idp := start(t, conf)
	b, at := admin(t, idp)
	row := func(key string) string {
		_, rest, found := strings.Cut(b.get(at).Body, "<code>"+key+"</code>")
		require.True(t, found, key)
		row, _, _ := strings.Cut(rest, "</tr>")
		return row
	}
	first := idp.Keys()[0].ID
	assert.Contains(t, row(first), "<td>all apps</td><td>all apps</td>")
	own, err := idp.AddAppKey("wiki", nil, nil)
	require.NoError(t, err)
	assert.Contains(t, row(own.ID), "<td>no app</td><td>Wiki</td>")
	require.NoError(t, idp.SignAppWith("wiki", own.ID))
	assert.Contains(t, row(own.ID), "<td>Wiki</td><td>Wiki</td>")
	assert.Contains(t, row(first), "<td>Identity Center – N. Virginia</td><td>all apps</td>")
}

func TestAdminPage(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Mutations = []string{"A03"}
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) { return mockidp.Mutated{}, nil }
	idp := start(t, conf)
	b, at := admin(t, idp)
	page := b.get(at)
	for _, want := range []string{"Identity Center – N. Virginia", virginia, "and 1 more", alice, "Engineering",
		idp.Keys()[0].ID, "Nothing is queued", "No fault is set", "None yet", idp.SignInURL()} {
		page.contains(t, want)
	}
	assert.NotContains(t, page.Body, "<script")
	assert.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'")
	press := func(action string, v url.Values) string { t.Helper(); return b.post(at+"/actions/"+action, v).Body }
	press("queue-user", url.Values{"user": {alice}})
	press("queue-attack", url.Values{"attack": {"A03"}})
	press("fault", url.Values{"kind": {"skew"}})
	body := press("queue-error", url.Values{"app": {"idc"}, "status": {mockidp.StatusNoPassive}})
	for _, want := range []string{"user " + alice, "attack A03", "skew for 1h0m0s, 1 more", "NoPassive",
		"None is switched on"} {
		assert.Contains(t, body, want)
	}
	press("attack-on", url.Values{"attack": {"A03"}, "app": {"idc"}, "user": {alice}})
	body = press("attack-on", url.Values{"attack": {"A03"}, "app": {""}, "user": {""}})
	for _, want := range []string{"A03 for " + alice + ", at Identity Center – N. Virginia", "A03 for all users",
		`aria-label="Switch off A03 for all users"`} {
		assert.Contains(t, body, want)
	}
	assert.Contains(t, press("attack-on", url.Values{"attack": {"A99"}}), "no mutation has the ID")
	body = press("attack-off", url.Values{"app": {""}, "user": {""}})
	assert.NotContains(t, body, "A03 for all users")
	assert.Contains(t, body, "A03 for "+alice)
	assert.Contains(t, press("queue-clear", nil), "Nothing is queued")
	assert.Contains(t, press("fault-clear", nil), "No fault is set")
	assert.Contains(t, press("advance", url.Values{"by": {"24h"}}), "(24h0m0s offset)")
	assert.Contains(t, press("advance", url.Values{"by": {"soon"}}), "a duration such as 90m")
	body = press("reset", nil)
	assert.Contains(t, body, "None yet")
	assert.Contains(t, body, "None is switched on")
	assert.Contains(t, press("nonsense", nil), "no such action")

	// Without the cookie, or from another site's page, an action is refused.
	for name, h := range map[string]http.Header{"no cookie": {}, "cross-site": {"Sec-Fetch-Site": {"cross-site"}},
		"same-site": {"Sec-Fetch-Site": {"same-site"}}, "origin": {"Sec-Fetch-Site": nil,
			"Origin": {"http://evil.example"}}} {
		c := b.Copy()
		if c.Header = h; len(h) == 0 {
			c.Jar = testkit.Jar{}
		}
		p, err := c.Post(at, at+"/actions/advance", url.Values{"by": {"240h"}})
		require.NoError(t, err)
		assert.Contains(t, []int{401, 403}, p.Status, name)
	}
	assert.WithinDuration(t, time.Now(), idp.Now(), time.Hour)
	b.post(at+"/logout", nil).contains(t, `name="token"`)
}

// The viewer explains every element and attribute of the identity provider's messages.
func TestMessageViewer(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Apps[0].Attributes = []mockidp.Attribute{{Name: "mail", Values: []string{"${user.email}"}}}
	idp := start(t, conf)
	b, at := admin(t, idp)
	_, err := idp.Answer(redirect(idp, request(attr("ForceAuthn", "true"), attr("Destination", idp.SSOURL("idc")),
		attr("AssertionConsumerServiceURL", virginia)), "state"), alice)
	require.NoError(t, err)
	require.NoError(t, idp.RecordAnswer(2, mockidp.ACSAnswer{Status: 303, Location: "/home", Body: []byte("See <other>")}))
	require.NoError(t, idp.QueueError("", mockidp.Status{SubCode: mockidp.StatusRequestDenied, Message: "<no>"}))
	_, err = idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	b.get(at+"/messages/1").contains(t, "The service provider asks for a sign-in.")
	p := b.get(at + "/messages/2")
	for _, want := range []string{"Check that it is exactly the URL that received it", "Profiles 4.1.4.3", "Post it again",
		"refuse it the second time", virginia, "Check that one of them is exactly yours", "/home"} {
		p.contains(t, want)
	}
	assert.Contains(t, p.Body, "See &lt;other&gt;")
	assert.Contains(t, b.get(at+"/messages/3").Body, "&lt;no&gt;")
	for _, m := range idp.Messages() {
		assert.Empty(t, oktaapi.Unexplained(m.XML))
	}
	assert.Equal(t, 404, b.get(at+"/messages/99").Status)
	assert.Equal(t, 404, b.get(at+"/nothing").Status)
}

// The viewer explains a request with a byte order mark and a Subject.
func TestMessageViewerExplainsRequests(t *testing.T) {
	t.Parallel()
	about := strings.Replace(request(), "</saml:Issuer>",
		`</saml:Issuer><saml:Subject><saml:NameID Format="`+mockidp.NameIDEmail+`">`+bob+"</saml:NameID></saml:Subject>", 1)
	assert.Empty(t, oktaapi.Unexplained([]byte("\xef\xbb\xbf"+about)))
}

// The viewer shows the fields of a form that an attack changed.
func TestMessageViewerShowsOddForms(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) {
		return mockidp.Mutated{ACS: frank, Fields: []mockidp.Field{{Name: "SAMLResponse", Value: "<a>"},
			{Name: "x", Value: "y"}}, Method: mockidp.GET}, nil
	}
	idp := start(t, conf)
	require.NoError(t, idp.SetMutation("X1", "", ""))
	b, at := admin(t, idp)
	_, err := idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	shown := b.get(at + "/messages/1")
	for _, want := range []string{"<code>X1</code>", "Form field SAMLResponse", "&lt;a&gt;", "Form field x",
		"<code>GET</code>", "<code>" + frank + "</code>"} {
		shown.contains(t, want)
	}
}
