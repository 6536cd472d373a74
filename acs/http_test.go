package acs_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

func TestD48_Method(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions,
		"BREW"} {
		// All that a POST needs, in the query.
		to := usACS + "?" + w.form(w.good(usACS, ""), "").Encode()
		rec := w.browser().do(us, httptest.NewRequest(method, to, nil))
		w.refused(rec, http.StatusMethodNotAllowed, acs.ReasonMethod)
		require.Equal(t, http.MethodPost, rec.Header().Get("Allow"))
	}
	require.Zero(t, w.loginCount())
}

func TestD48_ContentType(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	for kind, ok := range map[string]bool{
		"application/x-www-form-urlencoded":                true,
		"application/x-www-form-urlencoded; charset=utf-8": true,
		"Application/X-WWW-Form-Urlencoded":                true,
		"":                                                 false,
		"text/plain":                                       false,
		"multipart/form-data; boundary=x":                  false,
		"application/json":                                 false,
		"application/x-www-form-urlencodedx":               false,
	} {
		r := httptest.NewRequest(http.MethodPost, usACS, strings.NewReader(w.form(w.good(usACS, ""), "").Encode()))
		r.Header.Set("Content-Type", kind)
		rec := w.browser().do(us, r)
		if ok {
			w.accepted(rec)
		} else {
			w.refused(rec, http.StatusUnsupportedMediaType, acs.ReasonContentType)
		}
	}
}

func TestD48_OneSAMLResponseAndInTheBody(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	one, two := url.QueryEscape(w.idp.encode(w.good(usACS, ""))), url.QueryEscape(w.idp.encode(w.good(usACS, "")))
	for name, c := range map[string]struct{ query, body string }{
		"nothing":              {"", ""},
		"empty":                {"", "SAMLResponse="},
		"other name":           {"", "samlresponse=" + one},
		"twice":                {"", "SAMLResponse=" + one + "&SAMLResponse=" + two},
		"twice the same":       {"", "SAMLResponse=" + one + "&SAMLResponse=" + one},
		"twice, one encoded":   {"", "SAMLResponse=" + one + "&%53AMLResponse=" + two},
		"twice, one empty":     {"", "SAMLResponse=&SAMLResponse=" + one},
		"twice, one bare":      {"", "SAMLResponse&SAMLResponse=" + one},
		"RelayState twice":     {"", "SAMLResponse=" + one + "&RelayState=/a&RelayState=/b"},
		"a request beside it":  {"", "SAMLResponse=" + one + "&SAMLRequest=" + two},
		"an artifact":          {"", "SAMLResponse=" + one + "&SAMLart=AAQA"},
		"in the query only":    {"SAMLResponse=" + one, ""},
		"in both":              {"SAMLResponse=" + two, "SAMLResponse=" + one},
		"RelayState in query":  {"RelayState=/a", "SAMLResponse=" + one},
		"encoded in the query": {"%52elayState=/a", "SAMLResponse=" + one},
		"bad name":             {"", "%zz=1&SAMLResponse=" + one},
		"bad value":            {"", "SAMLResponse=%zz"},
		"too many fields":      {"", strings.Repeat("a&", 100) + "SAMLResponse=" + one},
	} {
		t.Run(name, func(t *testing.T) {
			to := usACS
			if c.query != "" {
				to += "?" + c.query
			}
			r := httptest.NewRequest(http.MethodPost, to, strings.NewReader(c.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w.refused(w.browser().do(us, r), http.StatusBadRequest, acs.ReasonForm)
		})
	}
	require.Zero(t, w.loginCount())
	r := httptest.NewRequest(
		http.MethodPost,
		usACS,
		strings.NewReader("x=%zz&button=Continue&SAMLResponse="+one+"&RelayState=/a"),
	)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, "/a", w.accepted(w.browser().do(us, r)).ReturnTo)
}

func TestInvariant10_BodyIsBounded(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept, func(c *acs.Config) { c.MaxBody = 10_000 })
	big := url.Values{"SAMLResponse": {strings.Repeat("A", 10_000)}}
	w.refused(w.browser().post(us, usACS, big), http.StatusRequestEntityTooLarge, acs.ReasonTooLarge)
	w.accepted(w.browser().answer(us, w.good(usACS, ""), ""))
	us = w.region("us-east-1", accept)
	big.Set("SAMLResponse", strings.Repeat("A", 4<<20))
	w.refused(w.browser().post(us, usACS, big), http.StatusRequestEntityTooLarge, acs.ReasonTooLarge)
}

// D50 and D51: deflated data is not inflated, so a bomb has no effect.
func TestD50_D51_DeflatedPost(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	doc, err := base64.StdEncoding.DecodeString(w.idp.encode(w.good(usACS, "")))
	require.NoError(t, err)
	for _, plain := range [][]byte{doc, make([]byte, 16<<20)} {
		form := url.Values{"SAMLResponse": {testkit.Deflated(plain)}}
		w.refused(w.browser().post(us, usACS, form), http.StatusForbidden, saml.ReasonXML)
	}
	w.refused(
		w.browser().post(us, usACS, url.Values{"SAMLResponse": {"<Response/>"}}),
		http.StatusForbidden,
		saml.ReasonBase64,
	)
}

func TestRequestCookie(t *testing.T) {
	w := newWorld(t)
	eu := w.region("eu-central-1")
	rec := w.browser().get(eu, "https://eu-central-1.signin.example/login")
	cookies := rec.Result().Cookies()
	require.Len(t, cookies, 1)
	c, req := cookies[0], w.redirected(rec)
	require.Equal(t, "__Host-meridian-request-"+req.id, c.Name)
	require.Regexp(t, `^1780315200\.[A-Za-z0-9_-]{43}\.p$`, c.Value)
	require.True(t, c.Secure)
	require.True(t, c.HttpOnly)
	require.Equal(t, http.SameSiteNoneMode, c.SameSite)
	require.Equal(t, "/", c.Path)
	require.Empty(t, c.Domain)
	require.Equal(t, 900, c.MaxAge)
	require.NotContains(t, w.logs.String(), c.Value)

	b := w.browser()
	req = b.login(eu, euACS, "")
	rec = b.answer(eu, w.good(euACS, req.id), req.relayState)
	w.accepted(rec)
	gone := rec.Result().Cookies()[0]
	require.Equal(t, "__Host-meridian-request-"+req.id, gone.Name)
	require.Negative(t, gone.MaxAge)
	require.True(t, gone.Secure, "or a browser would not take it")
	require.Equal(t, "/", gone.Path)
}

func TestAtMostEightRequestsWait(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	b.site = "none"
	var made []request
	for range 10 {
		made = append(made, b.login(eu, euACS, ""))
		w.clock.Advance(1e9)
		require.LessOrEqual(t, len(b.cookies), 8)
	}
	for i, req := range made {
		rec := b.answer(eu, w.good(euACS, req.id), req.relayState)
		if i < 2 {
			w.refused(rec, http.StatusForbidden, saml.ReasonInResponseTo)
		} else {
			w.accepted(rec)
		}
	}
}

// Simultaneous requests can leave more than eight cookies. Each can be answered until the next request removes all
// but the eight newest of those that the user began.
func TestTooManyCookies(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	var made []request
	for range 12 {
		alone := w.browser()
		alone.site = "none"
		made = append(made, alone.login(eu, euACS, ""))
		for k, v := range alone.cookies {
			b.cookies[k] = v
		}
		w.clock.Advance(1e9)
	}
	w.accepted(b.answer(eu, w.good(euACS, made[0].id), made[0].relayState))
	w.accepted(b.answer(eu, w.good(euACS, made[11].id), made[11].relayState))
	b.as(acs.InitiatorUser).login(eu, euACS, "")
	require.Len(t, b.cookies, 8, "the next request deletes the other cookies")
	w.refused(b.answer(eu, w.good(euACS, made[1].id), made[1].relayState), http.StatusForbidden, saml.ReasonInResponseTo)
	w.accepted(b.answer(eu, w.good(euACS, made[10].id), made[10].relayState))

	secret := strings.Repeat("A", 43)
	for _, odd := range []string{
		"", ".", "..", "x.y.z", "1." + secret, "1." + secret + ".", "1." + secret + ".x", "1." + secret + ".pp",
		"1." + secret + ".p.p",
		"1." + secret[1:] + ".p", secret, "99999999999999999999." + secret + ".p",
	} {
		b.cookies = map[string]string{acs.CookiePrefix + "_x": odd, acs.CookiePrefix: "1." + secret + ".p"}
		w.refused(b.answer(eu, w.good(euACS, "_x"), ""), http.StatusForbidden, saml.ReasonInResponseTo)
	}
}

func TestQuota(t *testing.T) {
	w := newWorld(t)
	w.store = acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now, MaxRequests: 2})
	hidden := struct{ acs.Store }{w.store} // doesn't implement Quota
	us := w.region("us-east-1", accept, func(c *acs.Config) { c.Store = hidden })
	b := w.browser()
	req := b.login(us, usACS, "")
	b.login(us, usACS, "")
	rec := w.browser().get(us, "https://us-east-1.signin.example/login")
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	require.Equal(t, "60", rec.Header().Get("Retry-After"))
	require.Empty(t, rec.Result().Cookies())
	require.Contains(t, w.logs.String(), `"msg":"saml sign-in not started"`)
	require.Contains(t, w.logs.String(), acs.ErrFull.Error())

	w.accepted(w.browser().answer(us, w.good(usACS, ""), "")) // other records have room
	w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState))
	b.login(us, usACS, "") // and so has this one again
}

func TestLoginWithABrokenStore(t *testing.T) {
	w := newWorld(t)
	store := &brokenStore{Store: w.store}
	store.add.Store(true)
	us := w.region("us-east-1", func(c *acs.Config) { c.Store = store })
	rec := w.browser().get(us, "https://us-east-1.signin.example/login")
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	require.Empty(t, rec.Result().Cookies())
	require.NotContains(t, rec.Body.String(), errBroken.Error())
	require.Contains(t, w.logs.String(), errBroken.Error())
}

func TestLoginPage(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1"), w.browser()
	rec := b.do(us, httptest.NewRequest(http.MethodHead, "https://us-east-1.signin.example/login", nil))
	require.Equal(t, http.StatusOK, rec.Code)
	require.Empty(t, b.cookies, "no sign-in starts")
	rec = b.do(us, httptest.NewRequest(http.MethodPost, "https://us-east-1.signin.example/login", nil))
	require.Equal(t, http.StatusMethodNotAllowed, rec.Code)
	require.Equal(t, "GET, HEAD", rec.Header().Get("Allow"))

	rec = b.get(us, "https://us-east-1.signin.example/login?return_to=/a")
	require.Equal(t, "no-cache, no-store", rec.Header().Get("Cache-Control"))
	require.Equal(t, "no-referrer", rec.Header().Get("Referrer-Policy"))
	require.NotContains(t, rec.Header().Get("Location"), "%2Fa&", "ReturnTo is not sent to the identity provider")
	for _, query := range []string{"?return_to=/a&return_to=/b", "?return_to=%zz", "?" + strings.Repeat("a&", 200)} {
		require.Equal(t, http.StatusSeeOther, b.get(us, "https://us-east-1.signin.example/login"+query).Code)
	}
}

func TestMetadataPage(t *testing.T) {
	w := newWorld(t)
	want, err := w.sp.Metadata()
	require.NoError(t, err)
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		rec := w.browser().get(w.region(region), "https://any.example/metadata")
		require.Equal(t, http.StatusOK, rec.Code)
		require.Equal(t, "application/samlmetadata+xml", rec.Header().Get("Content-Type"))
		require.Equal(t, string(want), rec.Body.String())
	}
	rec := w.browser().
		do(w.region("us-east-1"), httptest.NewRequest(http.MethodDelete, "https://any.example/metadata", nil))
	require.Equal(t, http.StatusMethodNotAllowed, rec.Code)
}
