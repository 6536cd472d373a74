package mockidp_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

func TestStrict(t *testing.T) {
	late := func(d time.Duration) string {
		before := request()
		xml := regexp.MustCompile(`IssueInstant="[^"]*"`).ReplaceAllString(before,
			attr("IssueInstant", time.Now().Add(d).UTC().Format(time.RFC3339)))
		require.NotEqual(t, before, xml)
		return xml
	}
	for name, c := range map[string]struct {
		xml, relayState string
		why             mockidp.Reason
	}{
		"fine":            {xml: request(), relayState: strings.Repeat("x", 80)},
		"a little late":   {xml: late(-4 * time.Minute)},
		"RelayState":      {request(), strings.Repeat("x", 81), mockidp.ReasonRelayState},
		"old":             {late(-6 * time.Minute), "", mockidp.ReasonIssueInstant},
		"from the future": {late(6 * time.Minute), "", mockidp.ReasonIssueInstant},
		"digit":           {strings.Replace(request(), `ID="id-1234"`, `ID="1234"`, 1), "", mockidp.ReasonMalformed},
		"colon":           {strings.Replace(request(), `ID="id-1234"`, `ID="id:1234"`, 1), "", mockidp.ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			conf := twoRegions()
			idp := start(t, conf)
			_, err := idp.Answer(redirect(idp, c.xml, c.relayState), alice)
			require.NoError(t, err, "accepted without Strict")
			conf.Strict = true
			idp = start(t, conf)
			_, err = idp.Answer(redirect(idp, c.xml, c.relayState), alice)
			if c.why == "" {
				assert.NoError(t, err)
				return
			}
			assert.Equal(t, c.why, reason(t, err))
		})
	}
}

func TestStrictAboutSignedRequests(t *testing.T) {
	conf := twoRegions()
	conf.Strict = true
	conf.Apps[0].SignedRequests = true
	idp := start(t, conf)
	sp := meridianSP(t, idp, func(c *saml.Config) { c.Key, c.Certificate = otherKey(), spCertificate(t) })
	require.NoError(t, idp.RegisterSP("", must(sp.Metadata())))
	_, err := ask(t, sp, saml.HTTPPost, saml.RequestOptions{ACS: frank}).answer(idp)
	assert.Equal(t, mockidp.ReasonNameIDPolicy, reason(t, err))
	policy := &saml.NameIDPolicy{Format: mockidp.NameIDEmail}
	form, err := ask(t, sp, saml.HTTPPost, saml.RequestOptions{ACS: frank, NameIDPolicy: policy}).answer(idp)
	require.NoError(t, err)
	assert.Equal(t, frank, form.URL)
}

func TestOddPaths(t *testing.T) {
	conf := twoRegions()
	conf.OddPaths = true
	conf.Apps[0].ID = ""
	one, two := start(t, conf), start(t, conf)
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+/[0-9a-f]{8}$`, one.URL)
	tail := func(s *mockidp.Server) string { return strings.TrimPrefix(s.URL, "http://"+s.Listener.Addr().String()) }
	assert.NotEqual(t, tail(one), tail(two))
	a, b := one.Apps()[0], two.Apps()[0]
	assert.NotEqual(t, a.ID, b.ID)
	assert.NotEqual(t, a.Issuer, b.Issuer)

	// All pages are below the random path, and nothing is served elsewhere.
	br := newBrowser(t, one)
	home := br.signIn(br.get(one.URL+"/"), alice, mockidp.DefaultPassword)
	home.contains(t, `href="`+strings.TrimPrefix(one.SSOURL(""), "http://"+one.Listener.Addr().String())+`"`)
	assert.Equal(t, virginia, br.get(one.SSOURL("")).answer(t).URL)
	assert.Equal(t, 200, br.get(one.AppURL("")).Status)
	assert.Equal(t, 200, br.get(one.URL+"/mockidp/assets/style.css").Status)
	br.post(one.URL+"/login/signout", nil).contains(t, "signed out")
	other := newBrowser(t, one)
	other.signIn(other.get(toFirst(one, request())), alice, mockidp.DefaultPassword).answer(t)
	third := newBrowser(t, one)
	third.signIn(third.post(one.SSOURL(""), postForm(request())), alice, mockidp.DefaultPassword).answer(t)
	r, err := one.Client().Get("http://" + one.Listener.Addr().String() + "/login/login.htm")
	require.NoError(t, err)
	r.Body.Close()
	assert.Equal(t, http.StatusNotFound, r.StatusCode)
}

// toFirst is redirect for the first SAML app.
func toFirst(idp *mockidp.Server, xml string) string {
	return idp.SSOURL("") + "?" + url.Values{"SAMLRequest": {deflated(xml)}}.Encode()
}

func TestSeed(t *testing.T) {
	answer := func(seed uint64) mockidp.Form {
		conf := twoRegions()
		conf.BaseURL = "http://idp.localhost:8701"
		conf.Now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
		conf.Seed = seed
		idp, err := mockidp.Open(conf)
		require.NoError(t, err)
		form, err := idp.IdPInitiated("idc", alice, "")
		require.NoError(t, err)
		return form
	}
	assert.Equal(t, answer(1), answer(1))
	assert.NotEqual(t, answer(1), answer(2))
	_, err := mockidp.Open(mockidp.Config{Key: rsaKey(), Seed: 1, Rand: &counter{}})
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
}

func BenchmarkNew(b *testing.B) {
	key := rsaKey()
	for b.Loop() {
		mockidp.New(mockidp.Config{Key: key}).Close()
	}
}
