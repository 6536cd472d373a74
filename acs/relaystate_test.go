package acs_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

var listed = []string{"https://wiki.example", "https://Docs.example:443/", "http://localhost:8080", "https://[2001:db8::1]:8443"}

var allowedPlaces = append([]string{
	"https://wiki.example", "https://wiki.example/", "https://wiki.example/page?x=1#y", "https://wiki.example?x", "https://wiki.example#x",
	"https://docs.example/x", "http://localhost:8080/", "https://[2001:db8::1]:8443/x",
}, localPaths...)

// openRedirects are the attempts of D44 and similar ones.
var openRedirects = append([]string{
	"https://wiki.example.evil.example/", "https://wiki.example@evil.example/", "https://user@wiki.example/", "https://wiki.example:pw@evil.example", "https://evil.example/https://wiki.example",
	"https://wiki.example\\@evil.example", "https://wiki.example%2eevil.example", "https://wiki.example:8443/", "https://wiki.example:443/", "http://wiki.example/", "HTTPS://wiki.example/", "https://WIKI.example/",
	"https://wiki.example./", "https://wiki.example//evil.example", "https://wiki.example/%2Fevil.example", "https://wiki%2eexample/", "https://wiki.examplе/", "https://wiki.example/\\evil", "https://localhost:8080/", "http://localhost:80800/", "http://localhost/",
	"https://wiki.example/?\"><script>",
}, otherPlaces...)

func TestInvariant11_D44_Places(t *testing.T) {
	for _, raw := range allowedPlaces {
		got, err := acs.Allow(listed, raw)
		require.NoError(t, err)
		require.Equal(t, raw, got)
	}
	for _, raw := range openRedirects {
		got, err := acs.Allow(listed, raw)
		require.NoError(t, err)
		require.Empty(t, got, "%q", raw)
	}
	for _, raw := range []string{"https://wiki.example/", "http://localhost:8080/"} {
		got, err := acs.Allow(nil, raw)
		require.NoError(t, err)
		require.Empty(t, got, "nothing is listed")
	}
}

// The same through the consumer, for both flows: no error and no ReturnTo.
// Obligations: IIP-SP09.
func TestInvariant11_D44_RelayStateAndReturnTo(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept, func(c *acs.Config) { c.RelayStateOrigins = listed })
	for _, raw := range openRedirects {
		l := w.accepted(w.browser().answer(us, w.good(usACS, ""), raw))
		require.True(t, l.Unsolicited)
		require.Empty(t, l.ReturnTo, "%q", raw)
	}
	for _, raw := range append(otherPlaces[:10:10], "https://wiki.example:8443/") {
		b := w.browser()
		req := b.login(us, usACS, "?return_to="+url.QueryEscape(raw))
		require.Empty(t, w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)).ReturnTo, "%q", raw)
	}
	for _, raw := range []string{"/a?b=c", "https://wiki.example/page"} {
		require.Equal(t, raw, w.accepted(w.browser().answer(us, w.good(usACS, ""), raw)).ReturnTo)
		b := w.browser()
		req := b.login(us, usACS, "?return_to="+url.QueryEscape(raw))
		require.NotContains(t, req.relayState, "/", "RelayState is opaque")
		require.LessOrEqual(t, len(req.relayState), 80)
		require.Equal(t, raw, w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)).ReturnTo)
	}
}

// The RelayState of a solicited answer is a key, never a place.
func TestInvariant11_SolicitedRelayStateIsNoPlace(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1"), w.browser()
	req := b.login(us, usACS, "")
	require.Empty(t, w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)).ReturnTo)
}

func TestOriginsAreChecked(t *testing.T) {
	for _, bad := range []string{
		"", "wiki.example", "https://", "https://wiki.example/path", "https://wiki.example?x", "https://wiki.example#x", "https://u@wiki.example",
		"http://wiki.example", "ftp://wiki.example", "https://wiki example", "https://wiki.example\\x", "*", "https://wiki%2eexample", "https://wikié.example",
	} {
		_, err := acs.Allow([]string{bad}, "/")
		require.Error(t, err, "%q", bad)
	}
	w := newWorld(t)
	cfg := w.regionConfig("us-east-1")
	cfg.RelayStateOrigins = []string{"http://wiki.example"}
	_, err := acs.NewRegion(cfg)
	wantConfigError(t, err, "RelayStateOrigins")
}

// FuzzAllow: an allowed place resolves to our origin or a listed one, and holds nothing that another program could
// resolve differently.
func FuzzAllow(f *testing.F) {
	for _, raw := range append(allowedPlaces, openRedirects...) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := acs.Allow(listed, raw)
		if err != nil {
			t.Fatal(err)
		}
		checkPlace(t, raw, got, "https://sp.example", "https://wiki.example", "https://docs.example", "http://localhost:8080", "https://[2001:db8::1]:8443")
	})
}

// D46: no page holds the RelayState.
func TestD46_MarkupInRelayState(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1")
	for _, raw := range []string{`"><script>alert(1)</script>`, `'-alert(1)-'`, `/a"onmouseover="alert(1)`} {
		rec := w.browser().answer(us, w.good(usACS, ""), raw)
		w.refused(rec, http.StatusForbidden, acs.ReasonUnsolicited)
		require.NotContains(t, rec.Body.String(), "alert")
		require.NotContains(t, rec.Body.String(), raw)
		require.NotContains(t, w.logs.String(), "alert")
		rec = w.browser().get(us, "https://us-east-1.signin.example/login?return_to="+url.QueryEscape(raw))
		require.NotContains(t, fmt.Sprint(rec.Header(), rec.Body), "alert")
	}
}
