package acs_test

import (
	"encoding/base64"
	"encoding/xml"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// browser keeps cookies by name, for one host. testkit's browser is not sufficient: these tests choose a node for
// every request, inspect cookies and recorded responses, and send requests that no browser would.
type browser struct {
	w       *world
	cookies map[string]string
	// Fetch Metadata headers. Empty: an old browser.
	site, user string
	addr       string // its address; empty: the default one
}

func (w *world) browser() *browser { return &browser{w: w, cookies: make(map[string]string)} }

// copy returns another browser with the same cookies.
func (b *browser) copy() *browser { return &browser{w: b.w, cookies: maps.Clone(b.cookies)} }

func (b *browser) do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for name, value := range map[string]string{"Sec-Fetch-Site": b.site, "Sec-Fetch-User": b.user} {
		if value != "" && r.Header.Get(name) == "" {
			r.Header.Set(name, value)
		}
	}
	if b.addr != "" {
		r.RemoteAddr = b.addr
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return rec
}

func (b *browser) get(h http.Handler, to string) *httptest.ResponseRecorder {
	return b.do(h, httptest.NewRequest(http.MethodGet, to, nil))
}

func (b *browser) post(h http.Handler, to string, form url.Values) *httptest.ResponseRecorder {
	return b.do(h, post(to, form))
}

func post(to string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, to, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// request is an AuthnRequest as the identity provider sees it.
type request struct{ id, acs, relayState string }

// login starts a sign-in at the host of acsURL.
func (b *browser) login(h http.Handler, acsURL, query string) request {
	b.w.t.Helper()
	u, err := url.Parse(acsURL)
	require.NoError(b.w.t, err)
	rec := b.get(h, "https://"+u.Host+"/login"+query)
	require.Equal(b.w.t, http.StatusSeeOther, rec.Code, rec.Body)
	return b.w.redirected(rec)
}

// redirected returns the request in a redirect to the identity provider.
func (w *world) redirected(rec *httptest.ResponseRecorder) request {
	w.t.Helper()
	to, err := url.Parse(rec.Header().Get("Location"))
	require.NoError(w.t, err)
	require.Equal(w.t, "idp.example", to.Host)
	doc, err := testkit.Inflated(to.Query().Get("SAMLRequest"))
	require.NoError(w.t, err)
	return w.parsed(doc, to.Query().Get("RelayState"))
}

func (w *world) parsed(doc []byte, relayState string) request {
	var root struct {
		ID  string `xml:"ID,attr"`
		ACS string `xml:"AssertionConsumerServiceURL,attr"`
	}
	require.NoError(w.t, xml.Unmarshal(doc, &root))
	return request{id: root.ID, acs: root.ACS, relayState: relayState}
}

// answer posts a to its ACS URL.
func (b *browser) answer(h http.Handler, a answer, relayState string) *httptest.ResponseRecorder {
	return b.post(h, a.to, b.w.form(a, relayState))
}

func (w *world) form(a answer, relayState string) url.Values {
	form := url.Values{"SAMLResponse": {w.idp.encode(a)}}
	if relayState != "" {
		form.Set("RelayState", relayState)
	}
	return form
}

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
