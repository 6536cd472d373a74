package acs_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/saml"
)

var referencePattern = regexp.MustCompile(`MRD-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}`)

// Invariant 9 and D55: every refused assertion gets the same page, with the reference that is in the log.
func TestInvariant9_D55_OnePageForEveryReason(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1")
	answers := map[string]func() (*httptest.ResponseRecorder, *browser){
		string(saml.ReasonBase64): func() (*httptest.ResponseRecorder, *browser) {
			b := w.browser()
			return b.post(us, usACS, url.Values{"SAMLResponse": {"?"}}), b
		},
		string(saml.ReasonXML): func() (*httptest.ResponseRecorder, *browser) {
			b := w.browser()
			return b.post(us, usACS, url.Values{"SAMLResponse": {"QUFB"}}), b
		},
		string(acs.ReasonUnsolicited): func() (*httptest.ResponseRecorder, *browser) {
			b := w.browser()
			return b.answer(us, w.good(usACS, ""), ""), b
		},
		string(acs.ReasonRelayState): func() (*httptest.ResponseRecorder, *browser) {
			b := w.browser()
			req := b.login(us, usACS, "?return_to=/a")
			return b.answer(us, w.good(usACS, req.id), "secret-relay-state"), b
		},
	}
	for reason, change := range map[saml.Reason]func(*answer){
		saml.ReasonAudience: func(a *answer) { a.audience = "https://secret.audience.example" },
		saml.ReasonIssuer:   func(a *answer) { a.issuer = "https://secret.issuer.example" },
		saml.ReasonExpired: func(a *answer) {
			a.notOnOrAfter = a.issued.Add(-10e9)
			a.issued = a.issued.Add(-600e9)
			a.notOnOrAfter = a.issued.Add(1e9)
		},
		saml.ReasonInResponseTo: func(a *answer) { a.inResponseTo = "_secret-request" },
		saml.ReasonID:           func(a *answer) { a.assertionID = "secret id" },
	} {
		answers[string(reason)] = func() (*httptest.ResponseRecorder, *browser) {
			b := w.browser()
			req := b.login(us, usACS, "")
			a := w.good(usACS, req.id)
			change(&a)
			return b.answer(us, a, req.relayState), b
		}
	}
	pages := make(map[string]string)
	for reason, run := range answers {
		rec, _ := run()
		v := w.refused(rec, http.StatusForbidden, reason)
		body := rec.Body.String()
		require.Equal(t, []string{v.Reference}, referencePattern.FindAllString(body, -1))
		for _, word := range []string{reason, "secret", "alice", v.Rule, "assertion-", "_"} {
			require.NotContains(t, strings.ReplaceAll(body, "__", ""), word, reason)
		}
		require.Contains(t, body, `<a href="/login">Sign in again</a>`)
		rec.Header().Del("Set-Cookie") // the browser's own, where its request was used up
		pages[strings.ReplaceAll(body, v.Reference, "")+fmt.Sprint(rec.Header())] = reason
		logged := w.logged(v.Reference)
		require.Equal(t, reason, logged["reason"])
		require.Equal(t, "refused", logged["verdict"])
		require.Equal(t, "WARN", logged["level"])
	}
	require.Len(t, pages, 1)
	require.NotContains(t, w.logs.String(), "secret-relay-state")
}

// logged returns the log record with that reference.
func (w *world) logged(reference string) map[string]any {
	w.t.Helper()
	for line := range strings.Lines(w.logs.String()) {
		var record map[string]any
		require.NoError(w.t, json.Unmarshal([]byte(line), &record))
		if record["reference"] == reference {
			require.Equal(w.t, "saml sign-in", record["msg"])
			return record
		}
	}
	w.t.Fatalf("%s is not in the log", reference)
	return nil
}

func TestInvariant9_LogOfAnAcceptedSignIn(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	req := b.login(eu, euACS, "")
	var secret string
	for _, value := range b.cookies {
		_, secret, _ = strings.Cut(value, ".")
	}
	a := w.good(euACS, req.id)
	encoded := w.idp.encode(a)
	w.accepted(b.post(eu, euACS, url.Values{"SAMLResponse": {encoded}, "RelayState": {req.relayState}}))
	record := w.logged(w.lastVerdict().Reference)
	delete(record, "time")
	require.Equal(t, map[string]any{
		"level": "INFO", "msg": "saml sign-in", "verdict": "accepted", "reference": w.lastVerdict().Reference,
		"region": "eu-central-1", "acs": euACS, "flow": "sp-initiated", "name_id": "alice@example.com",
		"assertion_id": a.assertionID, "request_id": req.id, "idp": idpID,
	}, record)
	for _, never := range []string{secret, req.relayState, encoded, encoded[:100]} {
		require.NotContains(t, w.logs.String(), never)
	}
	require.Equal(t, w.clock.Now(), w.lastVerdict().Time)
}

// Warnings of an accepted assertion reach the operator's log: here, that the signing certificate has expired.
// Obligations: IIP-ALG05.
func TestWarningsAreLogged(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1", accept), w.browser()
	w.accepted(b.answer(us, w.good(usACS, ""), ""))
	require.Empty(t, w.lastVerdict().Warnings)
	w.clock.Advance(48 * time.Hour)
	w.accepted(b.answer(us, w.good(usACS, ""), ""))
	require.Contains(t, w.lastVerdict().Warnings, "certificate")
	require.Equal(t, w.lastVerdict().Warnings, w.logged(w.lastVerdict().Reference)["warnings"])
}

func TestVerdictsTextIsOneShortLine(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	a := w.good(usACS, "")
	a.audience = "a\u0085b\x7f\u202e" + strings.Repeat("x", 1000)
	v := w.refused(w.browser().answer(us, a, ""), http.StatusForbidden, saml.ReasonAudience)
	require.Contains(t, v.Got, `a\u0085b\x7f\u202e`)
	require.Less(t, len(v.Got), 300)
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1"), w.browser()
	req := b.login(us, usACS, "")
	for _, rec := range []*httptest.ResponseRecorder{
		b.get(us, usACS),
		b.get(us, "https://us-east-1.signin.example/login"),
		b.get(us, "https://us-east-1.signin.example/metadata"),
		b.answer(us, w.good(usACS, ""), ""),
		b.answer(us, w.good(usACS, req.id), req.relayState),
	} {
		require.Equal(t, "no-cache, no-store", rec.Header().Get("Cache-Control"))
		require.Equal(t, "no-cache", rec.Header().Get("Pragma"))
		require.Equal(t, "same-origin", rec.Header().Get("Cross-Origin-Opener-Policy"))
		require.Equal(t, "no-referrer", rec.Header().Get("Referrer-Policy"))
		require.Equal(t, "nosniff", rec.Header().Get("X-Content-Type-Options"))
	}
	rec := b.answer(us, w.good(usACS, ""), "")
	csp := rec.Header().Get("Content-Security-Policy")
	require.Contains(t, csp, "default-src 'none'")
	require.Contains(t, csp, "frame-ancestors 'none'")
	require.Contains(t, csp, "form-action 'none'")
	require.NotContains(t, csp, "script-src")
	wantHash(t, csp, "style-src", between(t, rec.Body.String(), "<style>", "</style>"))
	require.Equal(t, "DENY", rec.Header().Get("X-Frame-Options"))
}

func TestAllowOpenerLeavesThePolicyOff(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", func(c *acs.Config) { c.InsecureAllowOpener = true })
	require.NotContains(
		t,
		w.browser().get(us, "https://us-east-1.signin.example/login").Header(),
		"Cross-Origin-Opener-Policy",
	)
}

func wantHash(t *testing.T, csp, directive, text string) {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	require.Contains(t, csp, directive+" 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
}

func between(t *testing.T, s, from, to string) string {
	t.Helper()
	_, s, ok := strings.Cut(s, from)
	require.True(t, ok, "%s is missing", from)
	s, _, ok = strings.Cut(s, to)
	require.True(t, ok, "%s is missing", to)
	return s
}

func TestSignInAgainNeedsALoginPath(t *testing.T) {
	w := newWorld(t)
	cfg := w.regionConfig("us-east-1")
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	for path, want := range map[acs.Paths]string{{}: "", {Login: "/start"}: `href="/start"`} {
		mux := http.NewServeMux()
		region.Mount(mux, path) // twice, and the first doesn't see the second's
		rec := w.browser().get(mux, usACS)
		if want == "" {
			require.NotContains(t, rec.Body.String(), "Sign in again")
		} else {
			require.Contains(t, rec.Body.String(), want)
		}
	}
	cfg.LoginPath = "/portal?a=1&b=2"
	region, err = acs.NewRegion(cfg)
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/start"})
	require.Contains(t, w.browser().get(mux, usACS).Body.String(), `href="/portal?a=1&amp;b=2"`)
}

// The address in an identity provider's metadata adds no directive to the policy of the page.
func TestAddressIsNoPolicy(t *testing.T) {
	w, known := severalWorld(t)
	us := w.region("us-east-1", chosen)
	for _, url := range []string{"https://idp.example;script-src-elem", "http://localhost:8080"} {
		var err error
		known[otherIdP], err = saml.NewIdP(saml.IdPConfig{
			EntityID: otherIdP, Certificates: certs(w.idp), SSO: []saml.SSOService{{Binding: saml.HTTPPost, URL: url + "/sso"}},
		})
		require.NoError(t, err)
		csp := w.browser().get(us, usHost+"/login?idp="+otherIdP).Header().Get("Content-Security-Policy")
		require.Contains(t, csp, "form-action")
		require.NotContains(t, csp, "script-src-elem")
		require.Equal(t, strings.HasPrefix(url, "http:"), strings.Contains(csp, "form-action "+url+" https:"), csp)
	}
}

// Obligations: IIP-SSO02.
func TestPostBinding(t *testing.T) {
	w := newWorld(t)
	cfg := w.regionConfig("us-east-1")
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{})
	mux.HandleFunc("/start", func(rw http.ResponseWriter, r *http.Request) {
		region.StartLogin(rw, r, acs.LoginOptions{Binding: saml.HTTPPost, ReturnTo: "/a"})
	})
	b := w.browser()
	rec := b.get(mux, "https://us-east-1.signin.example/start")
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, "text/html; charset=utf-8", rec.Header().Get("Content-Type"))
	body, csp := rec.Body.String(), rec.Header().Get("Content-Security-Policy")
	require.Contains(t, body, `<form method="post" action="https://idp.example/sso/post">`)
	require.Contains(t, body, `<button>Continue</button>`)
	require.True(t, strings.HasSuffix(csp, "; form-action https:"), csp)
	wantHash(t, csp, "script-src", between(t, body, "<script>", "</script>"))
	wantHash(t, csp, "style-src", between(t, body, "<style>", "</style>"))

	field := func(name string) string {
		return html.UnescapeString(between(t, body, `name="`+name+`" value="`, `"`))
	}
	doc, err := base64.StdEncoding.DecodeString(field("SAMLRequest"))
	require.NoError(t, err)
	req := w.parsed(bytes.TrimSpace(doc), field("RelayState"))
	require.Equal(t, "/a", w.accepted(b.answer(mux, w.good(usACS, req.id), req.relayState)).ReturnTo)
}

// The form that sends the browser to the identity provider is in the language and the look of PageLook, as all pages
// are without RenderPage.
func TestPostFormHasTheLook(t *testing.T) {
	w := newWorld(t)
	look, err := theme.New(theme.Config{
		Name: "Example & Sons", Logo: []byte("<svg/>"), Colors: theme.Colors{Accent: "#7a1f5c"}, Support: "https://help.example/",
	})
	require.NoError(t, err)
	us := w.region("us-east-1", func(c *acs.Config) {
		c.PageLook = look.PageLook
		c.LoginOptions = func(*http.Request) acs.LoginOptions { return acs.LoginOptions{Binding: saml.HTTPPost} }
	})
	show := func(path string) (string, string) {
		r := httptest.NewRequest("GET", usHost+path, nil)
		r.Header.Set("Accept-Language", "de-AT")
		rec := httptest.NewRecorder()
		us.ServeHTTP(rec, r)
		return rec.Body.String(), rec.Header().Get("Content-Security-Policy")
	}
	body, csp := show("/login")
	for _, part := range []string{`<html lang="de" dir="ltr">`, "<h1>Anmeldung</h1>", "<button>Weiter</button>",
		"Sie werden zu Ihrem Identitätsanbieter weitergeleitet.", "Example &amp; Sons", "--accent:#7a1f5c",
		`<img src="data:`, `<a href="https://help.example/">Hilfe</a>`, `name="SAMLRequest"`} {
		require.Contains(t, body, part)
	}
	wantHash(t, csp, "script-src", between(t, body, "<script>", "</script>"))
	wantHash(t, csp, "style-src", between(t, body, "<style>", "</style>"))
	require.Contains(t, csp, "img-src data:;")
	require.True(t, strings.HasSuffix(csp, "; form-action https:"), csp)

	body, _ = show("/platform/saml/acs/4455")
	require.Contains(t, body, "Dies ist keine Antwort auf eine Anmeldung")
	require.Contains(t, body, "--accent:#7a1f5c")
}

func TestInvalidLoginOptions(t *testing.T) {
	w := newWorld(t)
	region, err := acs.NewRegion(w.regionConfig("us-east-1"))
	require.NoError(t, err)
	for _, o := range []acs.LoginOptions{{Binding: "carrier pigeon"}, {AuthnContext: &saml.RequestedAuthnContext{}}} {
		rec := httptest.NewRecorder()
		region.StartLogin(rec, httptest.NewRequest(http.MethodGet, "/", nil), o)
		require.Equal(t, http.StatusInternalServerError, rec.Code)
		require.Regexp(t, referencePattern, rec.Body.String())
		require.Empty(t, rec.Result().Cookies())
	}
}
