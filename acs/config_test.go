package acs_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

func wantConfigError(t *testing.T, err error, field string) {
	t.Helper()
	var e *acs.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, acs.ReasonConfig, e.Reason)
	require.Contains(t, e.Rule, field)
	require.True(t, strings.HasPrefix(err.Error(), "acs: Config: "), err.Error())
	require.NotContains(t, err.Error(), "\n")
}

func TestNewRegionChecksItsConfig(t *testing.T) {
	w := newWorld(t)
	for field, breakIt := range map[string]func(*acs.Config){
		"SP":                func(c *acs.Config) { c.SP = nil },
		"Store":             func(c *acs.Config) { c.Store = nil },
		"OnLogin":           func(c *acs.Config) { c.OnLogin = nil },
		"Region":            func(c *acs.Config) { c.Region = "mars-north-1" },
		"ACS":               func(c *acs.Config) { c.ACS = usACS },
		"Unsolicited":       func(c *acs.Config) { c.Unsolicited = 3 },
		"RequestLifetime":   func(c *acs.Config) { c.RequestLifetime = -1 },
		"MaxBody":           func(c *acs.Config) { c.MaxBody = -1 },
		"MaxBodies":         func(c *acs.Config) { c.MaxBodies = -1 },
		"LoginPath":         func(c *acs.Config) { c.LoginPath = "javascript:alert(1)" },
		"RelayStateOrigins": func(c *acs.Config) { c.RelayStateOrigins = []string{"/"} },
	} {
		cfg := w.regionConfig("us-east-1")
		breakIt(&cfg)
		_, err := acs.NewRegion(cfg)
		wantConfigError(t, err, field)
	}
	cfg := w.regionConfig("us-east-1")
	cfg.RequestLifetime = 25 * time.Hour
	_, err := acs.NewRegion(cfg)
	wantConfigError(t, err, "RequestLifetime")
}

func TestNewWantsAListedURL(t *testing.T) {
	w := newWorld(t)
	cfg := acs.Config{SP: w.sp, Store: w.store, OnLogin: func(http.ResponseWriter, *http.Request, *acs.Login) {}}
	for _, bad := range []string{"", "https://evil.example/acs", usACS + "/", strings.ToUpper(usACS)} {
		cfg.ACS = bad
		_, err := acs.New(cfg)
		wantConfigError(t, err, "ACS")
	}
	cfg.ACS = euDual
	c, err := acs.New(cfg)
	require.NoError(t, err)
	require.Equal(t, euDual, c.ACS().URL)
	require.Equal(t, saml.DualStack, c.ACS().Family)
	cfg.Region = "us-east-1"
	_, err = acs.New(cfg)
	wantConfigError(t, err, "Region")
	cfg.Region = "eu-central-1"
	_, err = acs.New(cfg)
	require.NoError(t, err)
}

func TestUnroutablePaths(t *testing.T) {
	for _, bad := range []string{"https://a.example/x//y", "https://a.example/x/../y", "https://a.example/./x", "https://a.example//"} {
		w := newWorld(t, func(c *saml.Config) { c.ACS = []saml.Endpoint{{URL: bad}} })
		_, err := acs.NewRegion(w.regionConfig(""))
		wantConfigError(t, err, "path")
	}
}

// A path with any characters is matched exactly.
func TestMountedPathsAreLiteral(t *testing.T) {
	for _, c := range []struct{ url, serves, not string }{
		{"https://a.example/saml/{tenant}/acs", "https://a.example/saml/%7Btenant%7D/acs", "https://a.example/saml/other/acs"},
		{"https://a.example/acs/{$}", "https://a.example/acs/%7B$%7D", "https://a.example/acs/"},
		{"https://a.example/acs/", "https://a.example/acs/", "https://a.example/acs/below"},
		{"https://a.example", "https://a.example/", "https://a.example/x"},
		{"https://a.example/", "https://a.example/", "https://a.example/x"},
		{"https://a.example/a%2Fb", "https://a.example/a%2Fb", "https://a.example/a/b"},
		{"https://a.example/a%20b", "https://a.example/a%20b", "https://a.example/a"},
		{"https://a.example/GET /x", "https://a.example/GET%20/x", "https://a.example/x"},
		{"https://a.example/größe", "https://a.example/gr%C3%B6%C3%9Fe", "https://a.example/"},
		{"https://a.example/acs?tenant=7", "https://a.example/acs?tenant=7", "https://a.example/"},
	} {
		w := newWorld(t, func(cfg *saml.Config) { cfg.ACS = []saml.Endpoint{{URL: c.url}} })
		h, b := w.region("", accept), w.browser()
		a := w.good(c.url, "")
		w.accepted(b.post(h, c.serves, w.form(a, "")))
		require.Equal(t, http.StatusNotFound, b.post(h, c.not, w.form(a, "")).Code, c.url)
	}
}

// Two tenants have URLs that differ only in the query.
func TestQueryChoosesToo(t *testing.T) {
	one, two := "https://a.example/acs?tenant=1", "https://a.example/acs?tenant=2"
	w := newWorld(t, func(cfg *saml.Config) { cfg.ACS = []saml.Endpoint{{URL: one}, {URL: two}} })
	h, b := w.region("", accept), w.browser()
	for _, to := range []string{one, two} {
		w.accepted(b.answer(h, w.good(to, ""), ""))
		require.Equal(t, to, w.lastVerdict().ACS)
	}
	w.refused(b.post(h, one, w.form(w.good(two, ""), "")), http.StatusForbidden, saml.ReasonRecipient)
}

func TestInvariant12_ConfigIsCopied(t *testing.T) {
	w := newWorld(t)
	cfg := w.regionConfig("us-east-1")
	cfg.Unsolicited, cfg.RelayStateOrigins = acs.Accept, []string{"https://wiki.example"}
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{})
	cfg.RelayStateOrigins[0], cfg.Unsolicited = "https://evil.example", acs.Refuse
	require.Empty(t, w.accepted(w.browser().answer(mux, w.good(usACS, ""), "https://evil.example/")).ReturnTo)
	require.NotEmpty(t, w.accepted(w.browser().answer(mux, w.good(usACS, ""), "https://wiki.example/")).ReturnTo)
}

// The service provider's list is replaced at run time: consumers of removed URLs answer 410, and sign-in starts at
// one that is still listed.
func TestInvariant12_ListReplaced(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1", accept), w.browser()
	req := b.login(eu, euDual, "")
	list := w.sp.ACS()
	require.NoError(t, w.sp.ReplaceACS(list[:2]))
	rec := b.answer(eu, w.good(euDual, req.id), req.relayState)
	w.refused(rec, http.StatusGone, saml.ReasonConfig)
	w.accepted(b.answer(eu, w.good(euACS, ""), ""))
	require.Equal(t, euACS, b.login(eu, euDual, "").acs)

	require.NoError(t, w.sp.ReplaceACS(list[:1]))
	rec = b.get(eu, "https://eu-central-1.signin.example/login")
	require.Equal(t, http.StatusInternalServerError, rec.Code)
	require.Empty(t, rec.Header().Get("Location"))
}

func TestRandomnessComesThroughConfig(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", func(c *acs.Config) { c.Rand = zeros{} })
	rec := w.browser().get(us, "https://us-east-1.signin.example/login")
	require.Contains(t, rec.Result().Cookies()[0].Value, "."+strings.Repeat("A", 43))

	us = w.region("us-east-1", accept, func(c *acs.Config) { c.Rand = iotest.ErrReader(errors.New("dry")) })
	rec = w.browser().get(us, "https://us-east-1.signin.example/login")
	require.Equal(t, http.StatusInternalServerError, rec.Code)
	w.refused(w.browser().get(us, usACS), http.StatusMethodNotAllowed, acs.ReasonMethod)
	require.Equal(t, "MRD-NONE", w.lastVerdict().Reference)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

var _ io.Reader = zeros{}

func TestMetadataPastItsEnd(t *testing.T) {
	w := newWorld(t, func(c *saml.Config) {
		idp := newFakeIdP(idpID, time.Now())
		old, err := saml.NewIdP(saml.IdPConfig{
			EntityID: idpID, Certificates: certs(idp), ValidUntil: newClock().Now().Add(-time.Hour),
			SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
		})
		if err != nil {
			panic(err)
		}
		c.IdP = old
	})
	us, b := w.region("us-east-1", accept), w.browser()
	w.refused(b.answer(us, w.good(usACS, ""), ""), http.StatusServiceUnavailable, saml.ReasonMetadataExpired)
	require.Equal(t, http.StatusServiceUnavailable, b.get(us, "https://us-east-1.signin.example/login").Code)
}

// OnVerdict gets a copy, before OnLogin is called.
func TestOnVerdictComesFirst(t *testing.T) {
	w := newWorld(t)
	cfg := w.regionConfig("us-east-1")
	cfg.Unsolicited = acs.Accept
	cfg.OnLogin = func(rw http.ResponseWriter, _ *http.Request, l *acs.Login) {
		require.True(t, w.lastVerdict().Accepted)
		rw.WriteHeader(http.StatusTeapot)
	}
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{})
	require.Equal(t, http.StatusTeapot, w.browser().answer(mux, w.good(usACS, ""), "").Code)
}

func TestUnsolicitedHasNames(t *testing.T) {
	require.Equal(
		t,
		"Refuse Restart Accept Unsolicited(?)",
		strings.Join(
			[]string{acs.Refuse.String(), acs.Restart.String(), acs.Accept.String(), acs.Unsolicited(7).String()},
			" ",
		),
	)
}

// A body that ends early is refused.
func TestBodyThatEndsEarly(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	r := httptest.NewRequest(
		http.MethodPost,
		usACS,
		io.MultiReader(strings.NewReader("SAMLResponse="), iotest.ErrReader(io.ErrUnexpectedEOF)),
	)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w.refused(w.browser().do(us, r), http.StatusBadRequest, acs.ReasonForm)
}
