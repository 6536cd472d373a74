package acs_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// sent returns the request in a redirect as text, and the parameters beside it.
func (w *world) sent(rec *httptest.ResponseRecorder) (xml string, q url.Values) {
	w.t.Helper()
	require.Equal(w.t, http.StatusSeeOther, rec.Code, rec.Body)
	to, err := url.Parse(rec.Header().Get("Location"))
	require.NoError(w.t, err)
	q = to.Query()
	require.Len(w.t, q["SAMLRequest"], 1)
	doc, err := testkit.Inflated(q.Get("SAMLRequest"))
	require.NoError(w.t, err)
	q.Del("SAMLRequest")
	q.Del("RelayState")
	q.Del("app") // of the identity provider's address
	return string(doc), q
}

func hinted(cfg *acs.Config) {
	cfg.LoginOptions = func(r *http.Request) acs.LoginOptions {
		return acs.LoginOptions{Query: acs.Hints(r, "login_hint", "ui_locales"), ReturnTo: "/home"}
	}
}

// K14: a deep link passes hints on, encoded, and nothing else.
func TestHints(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", hinted)
	long := strings.Repeat("x", 257)
	for query, want := range map[string]url.Values{
		"login_hint=alice%2B1%40example.com":      {"login_hint": {"alice+1@example.com"}},
		"login_hint=a%26SAMLRequest%3Devil":       {"login_hint": {"a&SAMLRequest=evil"}},
		"login_hint=a%23%26Signature=b":           {"login_hint": {"a#&Signature=b"}},
		"login_hint=%C3%A9l%C3%A9a&x=y":           {"login_hint": {"éléa"}},
		"login_hint=a&ui_locales=de+en":           {"login_hint": {"a"}, "ui_locales": {"de en"}},
		"ui_locales=de&login_hint=" + long:        {"ui_locales": {"de"}},
		"login_hint=" + long[:256]:                {"login_hint": {long[:256]}},
		"login_hint=" + strings.Repeat("%26", 86): {},
		"login_hint=a%0d%0aSet-Cookie:x":          {},
		"login_hint=%00":                          {},
		"login_hint=%ff":                          {},
		"login_hint=%E2%80%AE":                    {},
		"login_hint=":                             {},
		"login_hint=a&login_hint=b":               {},
		"login_hint=%zz":                          {},
		"SigAlg=a&Signature=b&domain_hint=c":      {},
	} {
		_, got := w.sent(w.browser().get(us, usHost+"/login?"+query))
		require.Equal(t, want, got, query)
	}
	post := w.starting(acs.LoginOptions{Binding: saml.HTTPPost, Query: url.Values{"login_hint": {`a"&b'>`}}})
	require.Contains(t, w.browser().get(post, usHost+"/").Body.String(),
		`action="https://idp.example/sso/post?login_hint=a%22%26b%27%3E"`)

	b := w.browser()
	req := w.redirected(b.get(us, usHost+"/login?login_hint=alice@example.com&return_to=/reports"))
	a := w.good(usACS, req.id)
	a.nameID = "bob@example.com"
	require.Equal(t, "/reports", w.accepted(b.answer(us, a, req.relayState)).ReturnTo, "a hint is not a Subject")
	req = b.login(us, usACS, "")
	require.Equal(t, "/home", w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)).ReturnTo)
}

// K14: a parameter that is named like one of the binding's own starts no sign-in.
func TestQueryNames(t *testing.T) {
	for _, name := range []string{"SigAlg", "sigalg", "SAMLRequest", "RelayState", "app", "a&b"} {
		w := newWorld(t)
		us := w.region("us-east-1", func(cfg *acs.Config) {
			cfg.LoginOptions = func(*http.Request) acs.LoginOptions {
				return acs.LoginOptions{Query: url.Values{name: {"x"}}}
			}
		})
		b := w.browser()
		rec := b.get(us, usHost+"/login")
		require.Equal(t, http.StatusInternalServerError, rec.Code)
		require.Empty(t, b.cookies)
		require.Contains(t, w.logs.String(), `"reason":"Config","rule":"RequestOptions.Query"`)
	}
}

// mfa demands a second factor at every sign-in.
func mfa(cfg *acs.Config) {
	cfg.LoginOptions = func(r *http.Request) acs.LoginOptions {
		return acs.LoginOptions{
			AuthnContext: &saml.RequestedAuthnContext{ClassRefs: []string{"urn:mfa"}}, IdP: "https://ignored.example",
		}
	}
}

// A restarted sign-in asks for what every other one does.
func TestRestartAsksForAsMuch(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1", restart, mfa), w.browser()
	rec := b.answer(us, w.good(usACS, ""), "/a")
	xml, _ := w.sent(rec)
	require.Contains(t, xml, "urn:mfa")
	req := w.redirected(rec)
	w.refused(b.answer(us, w.good(usACS, req.id), req.relayState), http.StatusForbidden, saml.ReasonAuthn)
}

// starting begins sign-ins with options.
func (w *world) starting(o acs.LoginOptions, change ...func(*acs.Config)) http.Handler {
	cfg := w.regionConfig("us-east-1")
	for _, c := range change {
		c(&cfg)
	}
	region, err := acs.NewRegion(cfg)
	require.NoError(w.t, err)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { region.StartLogin(rw, r, o) })
}

// K20: an answer about another user than the one asked for is refused, and uses the request up.
func TestAskedSubject(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1"), w.browser()
	alice := &saml.NameID{Value: "alice@example.com", Format: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}
	again := w.starting(acs.LoginOptions{Subject: alice, ForceAuthn: true})

	rec := b.get(again, usHost+"/")
	xml, _ := w.sent(rec)
	require.Contains(t, xml, `emailAddress">alice@example.com</saml:NameID></saml:Subject>`)
	req := w.redirected(rec)
	require.Equal(t, alice.Value, w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)).Assertion.NameID().Value)

	req = w.redirected(b.get(again, usHost+"/"))
	a := w.good(usACS, req.id)
	a.nameID = "bob@example.com"
	v := w.refused(b.answer(us, a, req.relayState), http.StatusForbidden, saml.ReasonSubject)
	require.Equal(t, alice.Value, v.Want)
	require.Equal(t, "bob@example.com", v.Got)
	require.Empty(t, b.cookies)
	w.refused(b.answer(us, w.good(usACS, req.id), req.relayState), http.StatusForbidden, saml.ReasonInResponseTo)

	unnamed := w.starting(acs.LoginOptions{Subject: &saml.NameID{}})
	require.Equal(t, http.StatusInternalServerError, b.get(unnamed, usHost+"/").Code)
}

// rewriting changes what is stored.
type rewriting struct {
	acs.Store
	change func(string) string
}

func (s rewriting) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	return s.Store.Add(ctx, key, []byte(s.change(string(v))), exp)
}

// What was asked survives the discovery, or the sign-in ends: nodes of an older version find no record, and fields of a
// newer one are refused.
func TestDiscoveryKeepsEveryOption(t *testing.T) {
	w, _ := severalWorld(t)
	unchanged := func(s string) string { return s }
	var stored string
	begin := func(o acs.LoginOptions, change func(string) string) *httptest.ResponseRecorder {
		stored = ""
		b := w.browser()
		keep := func(cfg *acs.Config) {
			discovered(cfg)
			cfg.Store = rewriting{w.store, func(s string) string {
				stored = change(s)
				return stored
			}}
		}
		rec := b.get(w.starting(o, keep), usHost+"/")
		if rec.Code != http.StatusSeeOther {
			require.Empty(t, b.cookies)
			return rec
		}
		return b.get(w.region("us-east-1", discovered), asked(t, rec).Get("return")+"&entityID="+url.QueryEscape(idpID))
	}
	full := acs.LoginOptions{
		Subject: &saml.NameID{Value: "alice"}, ProviderName: "Wiki", Scoping: &saml.Scoping{ProxyCount: new(uint(0))},
		Extensions: []string{`<x xmlns="urn:x"/>`}, Query: url.Values{"login_hint": {"alice"}}, ForceAuthn: true,
	}
	xml, q := w.sent(begin(full, unchanged))
	for _, want := range []string{
		">alice</saml:NameID>", `ProviderName="Wiki"`, `<samlp:Scoping ProxyCount="0">`, `<x xmlns="urn:x"></x>`,
		`ForceAuthn="true"`,
	} {
		require.Contains(t, xml, want)
	}
	require.Equal(t, url.Values{"login_hint": {"alice"}}, q)
	var older struct {
		At      time.Time
		Options map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(stored), &older))
	require.Zero(t, older, "it has expired long ago")

	xml, _ = w.sent(begin(acs.LoginOptions{ForceAuthn: true}, func(s string) string {
		require.NoError(t, json.Unmarshal([]byte(s), &older))
		require.Equal(t, true, older.Options["ForceAuthn"], "an older version reads it")
		older.Options = map[string]any{"ReturnTo": "/a", "IdP": "", "Binding": "", "ForceAuthn": true}
		raw, err := json.Marshal(map[string]any{"at": older.At, "options": older.Options})
		require.NoError(t, err)
		return string(raw)
	}))
	require.Contains(t, xml, `ForceAuthn="true"`, "and is read")

	for _, newer := range [][2]string{
		{`{"at":`, `{"later":1,"at":`}, {`"ForceAuthn":`, `"Later":1,"ForceAuthn":`}, {`{"at":`, `{"v3":{},"at":`},
	} {
		rec := begin(acs.LoginOptions{}, strings.NewReplacer(newer[0], newer[1]).Replace)
		require.Contains(t, stored, newer[1])
		require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	}

	require.Equal(t, http.StatusInternalServerError, begin(acs.LoginOptions{Subject: &saml.NameID{}}, unchanged).Code)
	require.Empty(t, stored, "invalid options are refused before the user chooses")
	require.Contains(t, w.logs.String(), `"rule":"RequestOptions.Subject.Value"`)
	large := make([]saml.IDPEntry, 64)
	for i := range large {
		large[i].ProviderID = strings.Repeat("x", 1024)
	}
	require.Equal(t, http.StatusInternalServerError,
		begin(acs.LoginOptions{Scoping: &saml.Scoping{IDPList: large}}, unchanged).Code)
	require.Empty(t, stored, "too long for a store")
}
