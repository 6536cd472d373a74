package acs_test

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

const usHost = "https://us-east-1.signin.example"

// discovered uses a discovery service on another host.
func discovered(cfg *acs.Config) {
	cfg.DiscoveryURL, cfg.DiscoveredPath = "https://ds.example/choose?skin=1", "/login/idp"
}

// asked returns the parameters of the request to the discovery service.
func asked(t testing.TB, rec *httptest.ResponseRecorder) url.Values {
	t.Helper()
	require.Equal(t, http.StatusSeeOther, rec.Code, rec.Body)
	to, err := url.Parse(rec.Header().Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "ds.example", to.Host)
	require.Equal(t, "1", to.Query().Get("skin"))
	require.Equal(t, entityID, to.Query().Get("entityID"))
	return to.Query()
}

// Obligations: IIP-SP04, IIP-SP05, SDP-SP21, SDP-SP23.
func TestDiscovery(t *testing.T) {
	w, _ := severalWorld(t)
	us, b := w.region("us-east-1", discovered), w.browser()
	q := asked(t, b.get(us, usHost+"/login?return_to=/reports"))
	require.True(t, strings.HasPrefix(q.Get("return"), usHost+"/login/idp?state="), q.Get("return"))
	require.False(t, q.Has("isPassive"))
	require.Len(t, b.cookies, 1)

	req := w.redirected(b.get(us, q.Get("return")+"&entityID="+url.QueryEscape(otherIdP)))
	require.Len(t, b.cookies, 1, "the request's instead of the discovery's")
	a := w.good(usACS, req.id)
	w.refused(b.answer(us, a, req.relayState), http.StatusForbidden, saml.ReasonIdP)
	a.issuer = otherIdP
	require.Equal(t, "/reports", w.accepted(b.answer(us, a, req.relayState)).ReturnTo)

	// What the application asked for is asked of the chosen identity provider. The browser can't change it.
	cfg := w.regionConfig("us-east-1")
	discovered(&cfg)
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		region.StartLogin(rw, r, acs.LoginOptions{ForceAuthn: true, IsPassive: true, Binding: saml.HTTPPost,
			AuthnContext: &saml.RequestedAuthnContext{ClassRefs: []string{"urn:mfa"}}})
	})
	q = asked(t, b.get(h, usHost+"/"))
	require.Equal(t, "true", q.Get("isPassive"))
	rec := b.get(us, q.Get("return")+"&entityID="+url.QueryEscape(idpID))
	require.Equal(t, http.StatusOK, rec.Code)
	_, value, _ := strings.Cut(rec.Body.String(), `name="SAMLRequest" value="`)
	value, _, _ = strings.Cut(value, `"`)
	xml, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(value, "&#43;", "+"))
	require.NoError(t, err)
	for _, want := range []string{`ForceAuthn="true"`, `IsPassive="true"`, "urn:mfa"} {
		require.Contains(t, string(xml), want)
	}
}

// K09, I08: an answer counts once, in the browser that began, for an identity provider that is known.
// Obligations: IIP-SP04, SDP-SP23.
func TestDiscoveryAnswers(t *testing.T) {
	w, _ := severalWorld(t)
	us := w.region("us-east-1", discovered)
	chosen := "&entityID=" + url.QueryEscape(idpID)
	begin := func(b *browser) string { return asked(t, b.get(us, usHost+"/login")).Get("return") }
	refused := func(b *browser, to, reason string) {
		t.Helper()
		rec := b.get(us, to)
		require.Equal(t, http.StatusForbidden, rec.Code)
		require.NotContains(t, rec.Body.String(), "example/")
		require.Contains(t, w.logs.String(), `"reason":"`+reason+`"`)
	}
	b, other := w.browser(), w.browser()
	to := begin(b)
	for _, to := range []string{
		usHost + "/login/idp", usHost + "/login/idp?" + chosen[1:], usHost + "/login/idp?state=" + chosen,
		to + chosen, usHost + "/login/idp?state=AAAAAAAAAAAAAAAAAAAAAA" + chosen,
	} {
		refused(other, to, "Discovery")
	}
	require.Empty(t, other.cookies, "no sign-in has begun")
	require.Equal(t, http.StatusSeeOther, b.get(us, to+chosen).Code, "others' answers use up nothing")
	kept := maps.Clone(b.cookies)
	refused(b, to+chosen, "Discovery") // once
	require.Equal(t, kept, b.cookies)

	for suffix, reason := range map[string]string{
		"": "Discovery", "&entityID=": "Discovery",
		"&entityID=https://idp.unknown.example":  string(saml.ReasonMetadataEntity),
		"&entityID=" + strings.Repeat("x", 2000): string(saml.ReasonMetadataEntity),
	} {
		b := w.browser()
		refused(b, begin(b)+suffix, reason)
		require.Empty(t, b.cookies)
	}
	b = w.browser()
	require.Equal(t, http.StatusBadRequest, b.get(us, begin(b)+chosen+chosen).Code, "two names")

	b = w.browser()
	to = begin(b)
	w.clock.Advance(16 * time.Minute)
	refused(b, to+chosen, "Discovery")
}

// A discovery is a pending request: it has the same limits, and only a navigation begins or continues one.
func TestDiscoveryIsBounded(t *testing.T) {
	w, _ := severalWorld(t)
	us, b := w.region("us-east-1", discovered), w.browser()
	var first string
	for i := range 20 {
		q := asked(t, b.get(us, usHost+"/login"))
		if i == 0 {
			first = q.Get("return")
		}
	}
	require.Len(t, b.cookies, 8)
	require.Equal(t, http.StatusForbidden, b.as(acs.InitiatorPage).get(us, usHost+"/login/idp").Code)

	r := httptest.NewRequest(http.MethodGet, first+"&entityID="+url.QueryEscape(idpID), nil)
	r.Header.Set("Sec-Fetch-Dest", "iframe")
	kept := maps.Clone(b.cookies)
	require.Equal(t, http.StatusForbidden, b.do(us, r).Code)
	require.Equal(t, kept, b.cookies, "nothing is consumed")
	require.Equal(t, http.StatusMethodNotAllowed, b.post(us, first, nil).Code)
	for _, name := range slices.Sorted(maps.Keys(b.cookies)) {
		_, state, _ := strings.Cut(name, "discovery-")
		rec := b.get(us, usHost+"/login/idp?state="+state+"&entityID="+url.QueryEscape(idpID))
		require.Equal(t, http.StatusSeeOther, rec.Code)
		require.Len(t, b.cookies, 8, "it replaces the discovery's cookie and no other")
	}

	broken := &brokenStore{Store: w.store}
	us = w.region("us-east-1", discovered, func(cfg *acs.Config) { cfg.Store = broken })
	b = w.browser()
	to := asked(t, b.get(us, usHost+"/login")).Get("return")
	broken.take.Store(true)
	require.Equal(t, http.StatusServiceUnavailable, b.get(us, to+"&entityID="+url.QueryEscape(idpID)).Code)
	broken.add.Store(true)
	require.Equal(t, http.StatusServiceUnavailable, b.get(us, usHost+"/login").Code)
}

// roundingStore keeps records longer than it was told.
type roundingStore struct{ acs.Store }

func (s roundingStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	return s.Store.Add(ctx, key, v, exp.Add(time.Hour))
}

func TestDiscoveryExpires(t *testing.T) {
	w, _ := severalWorld(t)
	us := w.region("us-east-1", discovered, func(cfg *acs.Config) { cfg.Store = roundingStore{w.store} })
	for after, status := range map[time.Duration]int{
		15 * time.Minute: http.StatusSeeOther, 15*time.Minute + time.Second: http.StatusForbidden,
	} {
		b := w.browser()
		to := asked(t, b.get(us, usHost+"/login")).Get("return")
		w.clock.Advance(after)
		require.Equal(t, status, b.get(us, to+"&entityID="+url.QueryEscape(idpID)).Code)
	}
}

// The state of a discovery is no ID of a request, even if an identity provider signs it.
func TestDiscoveryIsNoRequest(t *testing.T) {
	w, _ := severalWorld(t)
	us, b := w.region("us-east-1", discovered), w.browser()
	to, err := url.Parse(asked(t, b.get(us, usHost+"/login")).Get("return"))
	require.NoError(t, err)
	for _, id := range []string{"discovery-" + to.Query().Get("state"), to.Query().Get("state")} {
		w.refused(b.answer(us, w.good(usACS, id), ""), http.StatusForbidden, saml.ReasonInResponseTo)
	}
}

// Login is a request initiator. The identity provider that a link names is not chosen.
func TestRequestInitiator(t *testing.T) {
	w, _ := severalWorld(t)
	us, b := w.region("us-east-1", discovered), w.browser()
	for target, want := range map[string]string{"/reports": "/reports", "https://evil.example/": ""} {
		to := asked(t, b.get(us, usHost+"/login?target="+url.QueryEscape(target)+"&entityID="+otherIdP)).Get("return")
		req := w.redirected(b.get(us, to+"&entityID="+url.QueryEscape(idpID)))
		require.Equal(t, want, w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)).ReturnTo)
	}
}

// A provider that is named needs no discovery.
func TestDiscoveryComesLast(t *testing.T) {
	w, _ := severalWorld(t)
	us, b := w.region("us-east-1", discovered, chosen), w.browser()
	b.login(us, usACS, "?idp="+idpID)
	asked(t, b.get(us, usHost+"/login"))

	local := w.region("us-east-1", func(cfg *acs.Config) {
		cfg.DiscoveryURL, cfg.DiscoveredPath = "/choose", "/login/idp"
	})
	rec := b.get(local, usHost+"/login")
	require.True(t, strings.HasPrefix(rec.Header().Get("Location"), "/choose?entityID="), rec.Header())
	require.Contains(t, rec.Header().Get("Location"), url.QueryEscape(usHost+"/login/idp?"))
}

func TestDiscoveryConfig(t *testing.T) {
	w, _ := severalWorld(t)
	for _, c := range [][2]string{
		{"https://ds.example", ""}, {"", "/idp"}, {"http://ds.example", "/idp"}, {"//ds.example", "/idp"},
		{"javascript:alert(1)", "/idp"}, {"https://u:p@ds.example", "/idp"}, {"https://ds.example#a", "/idp"},
		{"https://ds.example", "/idp?a=b"}, {"https://ds.example", "https://sp.example/idp"}, {"choose", "/idp"},
	} {
		cfg := w.regionConfig("us-east-1")
		cfg.DiscoveryURL, cfg.DiscoveredPath = c[0], c[1]
		_, err := acs.NewRegion(cfg)
		var e *acs.Error
		require.ErrorAs(t, err, &e, "%v", c)
		require.Equal(t, acs.ReasonConfig, e.Reason)
		require.NotContains(t, err.Error(), "u:p")
	}
}
