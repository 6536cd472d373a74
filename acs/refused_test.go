package acs_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// With RefusedPath every refusal has the same answer, so that it doesn't tell a replay of a genuine message from a
// forged one.
func TestInvariant9_RefusedPathIsTheSameForEveryRefusal(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept, func(c *acs.Config) { c.RefusedPath = "/refused" })
	used := w.good(usACS, "")
	w.accepted(w.browser().answer(us, used, ""))
	forged := w.form(w.good(usACS, ""), "")
	forged.Set("SAMLResponse", "AAAA"+forged.Get("SAMLResponse"))
	pages := map[string]string{}
	for reason, form := range map[any]url.Values{
		acs.ReasonReplay:        w.form(used, ""),
		saml.ReasonInResponseTo: w.form(w.good(usACS, "_unknown"), ""),
		saml.ReasonXML:          forged,
		saml.ReasonBase64:       {"SAMLResponse": {"?"}},
	} {
		rec := w.browser().post(us, usACS, form)
		v := w.refused(rec, http.StatusForbidden, reason)
		require.Equal(t, "0; url=/refused?reference="+v.Reference, rec.Header().Get("Refresh"))
		require.Empty(t, rec.Result().Cookies())
		pages[strings.ReplaceAll(rec.Body.String()+fmt.Sprint(rec.Header()), v.Reference, "")] = v.Reason
	}
	require.Len(t, pages, 1)
	require.Empty(t, w.browser().get(us, usACS).Header().Get("Refresh"), "only a response that was refused")
}

func TestRefusedPage(t *testing.T) {
	w := newWorld(t)
	region, err := acs.NewRegion(w.regionConfig("us-east-1"))
	require.NoError(t, err)
	h := http.HandlerFunc(region.Refused)
	rec := w.browser().get(h, "https://us-east-1.signin.example/refused?reference=MRD-7F3K-29QX")
	require.Equal(t, http.StatusForbidden, rec.Code)
	require.Contains(t, rec.Body.String(), "Sign-in did not work")
	require.Contains(t, rec.Body.String(), "<code>MRD-7F3K-29QX</code>")
	require.Empty(t, rec.Header().Get("Refresh"))
	for _, odd := range []string{"", "MRD-7F3K", "MRD-7F3K-29QX-", "MRD-7f3k-29qx", "call +1 555", "MRD-7F3K-29Q<",
		"MRD-7F3K-29QXX", "XYZ-7F3K-29QX", "MRD-7F3I-29QX"} {
		rec := w.browser().get(h, "https://us-east-1.signin.example/refused?reference="+url.QueryEscape(odd))
		require.Equal(t, http.StatusForbidden, rec.Code)
		require.NotContains(t, rec.Body.String(), "<code>", odd)
	}
	require.Equal(
		t,
		http.StatusMethodNotAllowed,
		w.browser().post(h, "https://us-east-1.signin.example/refused", nil).Code,
	)
}

func TestRefusedPathIsAPathOfThisHost(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"refused", "//evil.example", "https://evil.example/", "/a?b", "/a#b", "/a;url=//evil.example", "/a,b", "/a b", `/\evil.example`} {
		cfg := w.regionConfig("us-east-1")
		cfg.RefusedPath = path
		_, err := acs.NewRegion(cfg)
		var e *acs.Error
		require.ErrorAs(t, err, &e, path)
		require.Equal(t, "Config.RefusedPath", e.Rule)
	}
}

// status is a response without an assertion.
func (w *world) status(codes ...string) url.Values {
	doc := `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_s" Version="2.0" IssueInstant="` +
		w.clock.Now().Format("2006-01-02T15:04:05Z") + `"><samlp:Status>`
	for _, c := range codes {
		doc += `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:` + c + `">`
	}
	doc += strings.Repeat(`</samlp:StatusCode>`, len(codes)) + `</samlp:Status></samlp:Response>`
	return url.Values{"SAMLResponse": {base64Of(doc)}}
}

// Obligations: IIP-SSO03, SDP-SP11.
func TestCancelAtTheIdentityProvider(t *testing.T) {
	for _, code := range []string{"AuthnFailed", "RequestDenied", "NoPassive"} {
		w := newWorld(t)
		us, b := w.region("us-east-1", func(c *acs.Config) { c.RefusedPath = "/refused" }), w.browser()
		req := b.login(us, usACS, "")
		rec := b.post(us, usACS, w.status("Responder", code))
		v := w.refused(rec, http.StatusForbidden, acs.ReasonCancelled)
		require.Contains(t, v.Got, code)
		require.Contains(t, rec.Body.String(), "Sign-in was cancelled")
		require.Contains(t, rec.Body.String(), "Sign in again")
		require.Empty(t, rec.Header().Get("Refresh"))
		require.Equal(t, "cancelled", w.logged(v.Reference)["verdict"])
		require.Equal(t, "INFO", w.logged(v.Reference)["level"])
		// The message is not authenticated, so the request stays pending.
		w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState))
	}
}

// Obligations: IIP-SSO03, SDP-SP11.
func TestOtherStatusesAreRefusals(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1")
	for _, codes := range [][]string{
		{"Responder"}, {"Requester", "InvalidNameIDPolicy"}, {"Success", "AuthnFailed"}, {"AuthnFailed"},
		{"VersionMismatch", "AuthnFailed"}, {},
	} {
		rec := w.browser().post(us, usACS, w.status(codes...))
		require.Equal(t, http.StatusForbidden, rec.Code)
		require.NotEqual(t, string(acs.ReasonCancelled), w.lastVerdict().Reason, codes)
		require.NotContains(t, rec.Body.String(), "cancelled")
	}
}
