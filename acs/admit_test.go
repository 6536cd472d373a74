package acs_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// Obligations: IIP-SSO01, IIP-SSO03, IIP-SP09, SDP-SP01, SDP-SP08, SDP-SP21.
func TestSPInitiated(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	req := b.login(eu, euACS, "?return_to=/accounts%3Fregion%3Deu")
	require.Equal(t, euACS, req.acs)
	require.NotEmpty(t, req.relayState)

	l := w.accepted(b.answer(eu, w.good(euACS, req.id), req.relayState))
	require.Equal(t, "alice@example.com", l.Assertion.NameID().Value)
	require.Equal(t, "eu-central-1", l.Region)
	require.Equal(t, "/accounts?region=eu", l.ReturnTo)
	require.Equal(t, req.id, l.RequestID)
	require.False(t, l.Unsolicited)
	v := w.lastVerdict()
	require.Equal(t, acs.FlowSP, v.Flow)
	require.Equal(t, req.id, v.RequestID)
	require.Empty(t, b.cookies, "the request cookie is deleted")
}

func TestSPInitiatedAtEveryEndpointOfTheRegion(t *testing.T) {
	w := newWorld(t)
	eu := w.region("eu-central-1")
	for _, at := range []string{euACS, euDual} {
		b := w.browser()
		req := b.login(eu, at, "")
		require.Equal(t, at, req.acs)
		w.accepted(b.answer(eu, w.good(at, req.id), req.relayState))
		require.Equal(t, at, w.lastVerdict().ACS)
	}
}

func TestInvariant6_AnsweredOnce(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	req := b.login(eu, euACS, "")
	kept := b.copy()
	w.accepted(b.answer(eu, w.good(euACS, req.id), req.relayState))
	w.refused(kept.answer(eu, w.good(euACS, req.id), req.relayState), http.StatusForbidden, acs.ReasonRequest)
	require.Equal(t, 1, w.loginCount())
}

func TestInvariant6_UnsolicitedLoosensNothing(t *testing.T) {
	w := newWorld(t)
	for _, policy := range []func(*acs.Config){accept, restart} {
		eu := w.region("eu-central-1", policy)
		w.refused(w.browser().answer(eu, w.good(euACS, "_made-up"), ""), http.StatusForbidden, saml.ReasonInResponseTo)
	}
	require.Zero(t, w.loginCount())
}

func TestTwoTabs(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	one, two := b.login(eu, euACS, "?return_to=/one"), b.login(eu, euACS, "?return_to=/two")
	l := w.accepted(b.answer(eu, w.good(euACS, two.id), two.relayState))
	require.Equal(t, "/two", l.ReturnTo)
	l = w.accepted(b.answer(eu, w.good(euACS, one.id), one.relayState))
	require.Equal(t, "/one", l.ReturnTo)
}

func TestD05_NewResponseAroundTheSameAssertion(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	a := w.good(usACS, "")
	w.accepted(w.browser().answer(us, a, ""))
	a.id = "another-response"
	w.refused(w.browser().answer(us, a, ""), http.StatusForbidden, acs.ReasonReplay)
}

// The same for solicited responses. One browser has two requests, and the assertion answers one of them. That
// request is consumed, and the assertion is recorded.
func TestD05_Solicited(t *testing.T) {
	w := newWorld(t)
	store := &keepingStore{Store: w.store}
	eu, b := w.region("eu-central-1", func(c *acs.Config) { c.Store = store }), w.browser()
	req := b.login(eu, euACS, "")
	kept := b.copy()
	a := w.good(euACS, req.id)
	w.accepted(b.answer(eu, a, req.relayState))
	a.id = "another-response"
	store.giveBack(t)
	w.refused(kept.answer(eu, a, req.relayState), http.StatusForbidden, acs.ReasonReplay)
}

func TestD06_SameRequestAnotherAssertion(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	req := b.login(eu, euACS, "")
	kept := b.copy()
	w.accepted(b.answer(eu, w.good(euACS, req.id), req.relayState))
	bob := w.good(euACS, req.id)
	bob.nameID = "bob@example.com"
	w.refused(kept.answer(eu, bob, req.relayState), http.StatusForbidden, acs.ReasonRequest)
}

func TestD09_UnknownRequest(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	b.login(eu, euACS, "")
	w.refused(b.answer(eu, w.good(euACS, "_0123456789abcdef-made-up"), ""), http.StatusForbidden, saml.ReasonInResponseTo)
	// A forged cookie with the request's ID names no record.
	b.cookies[acs.CookiePrefix+"_made-up"] = "1780315200." + strings.Repeat("A", 43) + ".u"
	w.refused(b.answer(eu, w.good(euACS, "_made-up"), ""), http.StatusForbidden, acs.ReasonRequest)
}

// D11: another browser can't use a response to this one's request, even if it knows the request's ID, and its
// attempt consumes nothing.
func TestInvariant6_D11_AnotherBrowser(t *testing.T) {
	w := newWorld(t)
	eu, alice, mallory := w.region("eu-central-1", accept), w.browser(), w.browser()
	req := alice.login(eu, euACS, "")
	a := w.good(euACS, req.id)

	w.refused(mallory.answer(eu, a, req.relayState), http.StatusForbidden, saml.ReasonInResponseTo)
	mallory.login(eu, euACS, "")
	w.refused(mallory.answer(eu, a, req.relayState), http.StatusForbidden, saml.ReasonInResponseTo)
	for _, value := range mallory.cookies { // a secret, but another one
		mallory.cookies[acs.CookiePrefix+req.id] = value
	}
	w.refused(mallory.answer(eu, a, req.relayState), http.StatusForbidden, acs.ReasonRequest)
	require.Zero(t, w.loginCount())

	w.accepted(alice.answer(eu, a, req.relayState))
}

// Login CSRF: the answer to the attacker's own request, posted by the victim's browser.
func TestInvariant6_D11_AnswerToTheAttackersRequest(t *testing.T) {
	w := newWorld(t)
	eu, victim, mallory := w.region("eu-central-1", accept), w.browser(), w.browser()
	victim.login(eu, euACS, "")
	req := mallory.login(eu, euACS, "")
	w.refused(victim.answer(eu, w.good(euACS, req.id), req.relayState), http.StatusForbidden, saml.ReasonInResponseTo)
}

func TestInvariant6_RefusedByVerifyConsumesNothing(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	req := b.login(eu, euACS, "")
	bad := w.good(euACS, req.id)
	bad.audience = "https://another.example"
	good := w.good(euACS, req.id)
	good.assertionID = bad.assertionID // nor is its ID remembered
	for range 3 {
		w.refused(b.answer(eu, bad, req.relayState), http.StatusForbidden, saml.ReasonAudience)
	}
	w.accepted(b.answer(eu, good, req.relayState))
}

func TestD12_AnotherIdPAnswers(t *testing.T) {
	var source *saml.SwappableIdP
	w := newWorld(t, func(c *saml.Config) {
		source = saml.NewSwappableIdP(c.IdP.IdP())
		c.IdP = source
	})
	eu, b := w.region("eu-central-1"), w.browser()
	req := b.login(eu, euACS, "")
	source.Replace(w.idpNamed("https://other.example/saml"))
	a := w.good(euACS, req.id)
	a.issuer = "https://other.example/saml"
	w.refused(b.answer(eu, a, req.relayState), http.StatusForbidden, saml.ReasonIdP)
}

func TestD17_ResponseForAnotherRegion(t *testing.T) {
	w := newWorld(t)
	us, eu, b := w.region("us-east-1", accept), w.region("eu-central-1", accept), w.browser()
	a := w.good(usACS, "")
	v := w.refused(b.post(eu, euACS, w.form(a, "")), http.StatusForbidden, saml.ReasonRecipient)
	require.Equal(t, euACS, v.Want)
	require.Equal(t, usACS, v.Got)
	w.accepted(b.answer(us, a, "")) // and it was not used up
	// The Region's dual-stack endpoint is another URL.
	w.refused(b.post(eu, euDual, w.form(w.good(euACS, ""), "")), http.StatusForbidden, saml.ReasonRecipient)
}

func TestD18_AnswerAtAnotherURLThanAsked(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	req := b.login(eu, euACS, "")
	v := w.refused(b.answer(eu, w.good(euDual, req.id), req.relayState), http.StatusForbidden, saml.ReasonRecipient)
	require.Equal(t, "AssertionConsumerServiceURL (Core 3.4.1)", v.Rule)
}

// D18: the identity provider's app lacks our URL, so it answers at the default.
func TestD18_WrongRegion(t *testing.T) {
	w := newWorld(t)
	us, eu, b := w.region("us-east-1"), w.region("eu-central-1"), w.browser()
	req := b.login(eu, euACS, "")
	v := w.refused(
		w.browser().answer(us, w.good(usACS, req.id), req.relayState),
		http.StatusForbidden,
		saml.ReasonWrongRegion,
	)
	require.Contains(t, v.Detail, "eu-central-1")
	require.Contains(t, v.Detail, "listed in the identity provider's app?")
	require.Equal(t, acs.FlowSP, v.Flow)
}

func TestInvariant2_D19_HostDecidesNothing(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1", accept), w.browser()
	evil := "https://evil.example/platform/saml/acs/4455"
	w.refused(b.post(us, evil, w.form(w.good(evil, ""), "")), http.StatusForbidden, saml.ReasonRecipient)
	w.accepted(b.post(us, evil, w.form(w.good(usACS, ""), "")))
	require.Equal(t, usACS, w.lastVerdict().ACS)

	rec := b.get(us, "https://evil.example/login")
	require.Equal(t, usACS, w.redirected(rec).acs)
	require.NotContains(t, rec.Header().Get("Location"), "evil")
}

func TestD19_HostChoosesAmongURLsOfOnePath(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1", accept), w.browser()
	w.accepted(b.answer(eu, w.good(euDual, ""), ""))
	for _, host := range []string{"EU-central-1.signin.example", "eu-central-1.signin.example:443"} {
		w.accepted(b.post(eu, "https://"+host+"/platform/saml/acs/4455", w.form(w.good(euACS, ""), "")))
	}
	evil := "https://evil.example/platform/saml/acs/4455"
	v := w.refused(b.post(eu, evil, w.form(w.good(euACS, ""), "")), http.StatusMisdirectedRequest, acs.ReasonHost)
	require.Equal(t, "evil.example", v.Got)
}

func TestForceAuthnIsEnforced(t *testing.T) {
	w := newWorld(t)
	cfg := w.regionConfig("us-east-1")
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{})
	mux.HandleFunc("/again", func(rw http.ResponseWriter, r *http.Request) {
		region.StartLogin(rw, r, acs.LoginOptions{ForceAuthn: true, ReturnTo: "/admin"})
	})
	for _, old := range []bool{true, false} {
		b := w.browser()
		req := w.redirected(b.get(mux, "https://us-east-1.signin.example/again"))
		a := w.good(usACS, req.id)
		if old {
			a.authn = a.authn.Add(-time.Hour)
			v := w.refused(b.answer(mux, a, req.relayState), http.StatusForbidden, saml.ReasonAuthn)
			require.Equal(t, "alice@example.com", v.NameID, "the signature verified")
			require.NotEmpty(t, v.AssertionID)
			require.Equal(t, w.clock.Now(), v.Issued.UTC())
			require.Empty(t, b.cookies, "the request is consumed anyway")
			continue
		}
		require.Equal(t, "/admin", w.accepted(b.answer(mux, a, req.relayState)).ReturnTo)
	}
}

func TestRequestsExpire(t *testing.T) {
	w := newWorld(t)
	// A store that keeps them for too long.
	w.store = acs.NewMemoryStore(acs.MemoryConfig{Now: newClock().Now})
	eu := w.region("eu-central-1")
	for _, c := range []struct {
		after time.Duration
		ok    bool
	}{{15 * time.Minute, true}, {15*time.Minute + time.Second, false}} {
		b := w.browser()
		req := b.login(eu, euACS, "")
		w.clock.Advance(c.after)
		rec := b.answer(eu, w.good(euACS, req.id), req.relayState)
		if c.ok {
			w.accepted(rec)
		} else {
			v := w.refused(rec, http.StatusForbidden, acs.ReasonRequest)
			require.Equal(t, "at most 15m0s", v.Want)
		}
	}
}

func TestD45_AnotherRelayStateIsRefused(t *testing.T) {
	for name, wrong := range map[string]func(request, request) string{
		"swapped": func(_, other request) string { return other.relayState },
		"null":    func(request, request) string { return "null" },
		"longer":  func(own, _ request) string { return own.relayState + "A" },
		"path":    func(request, request) string { return "/admin" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			eu, b := w.region("eu-central-1"), w.browser()
			req, other := b.login(eu, euACS, "?return_to=/one"), b.login(eu, euACS, "?return_to=/two")
			kept := b.copy()
			a := w.good(euACS, req.id)
			v := w.refused(b.answer(eu, a, wrong(req, other)), http.StatusForbidden, acs.ReasonRelayState)
			require.Empty(t, v.Got, "RelayState is in no log")
			w.refused(kept.answer(eu, a, req.relayState), http.StatusForbidden, acs.ReasonRequest)
			require.Zero(t, w.loginCount())
		})
	}
}

// Some identity providers drop the RelayState. InResponseTo names the request, and its record has ReturnTo.
func TestD45_RelayStateThatWasDropped(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1"), w.browser()
	one, two := b.login(eu, euACS, "?return_to=/one"), b.login(eu, euACS, "?return_to=/two")
	require.Equal(t, "/two", w.accepted(b.answer(eu, w.good(euACS, two.id), "")).ReturnTo)
	form := w.form(w.good(euACS, one.id), "")
	form.Set("RelayState", "")
	require.Equal(t, "/one", w.accepted(b.post(eu, euACS, form)).ReturnTo)
	w.refused(
		w.browser().answer(eu, w.good(euACS, b.login(eu, euACS, "").id), ""),
		http.StatusForbidden,
		saml.ReasonInResponseTo,
	)
}

// The race of D03 for solicited answers, on two nodes.
func TestInvariant6_D03_ConcurrentAnswersToOneRequest(t *testing.T) {
	w := newWorld(t)
	nodes := []http.Handler{w.region("eu-central-1"), w.region("eu-central-1")}
	b := w.browser()
	req := b.login(nodes[0], euACS, "")
	form := w.form(w.good(euACS, req.id), req.relayState)
	concurrently(100, func(i int) { b.copy().post(nodes[i%2], euACS, form) })
	require.Equal(t, 1, w.loginCount())
}

// Two Regions on one host share the browser's cookies, so a consumer gets the cookies of both Regions' requests. A
// response at the wrong Region is refused with ReasonWrongRegion, and its request can still be answered.
func TestD18_WrongRegionOnOneHost(t *testing.T) {
	const us, eu = "https://signin.example/us-east-1/acs", "https://signin.example/eu-central-1/acs"
	w := newWorld(t, func(c *saml.Config) {
		c.ACS = []saml.Endpoint{{URL: us, Region: "us-east-1"}, {URL: eu, Region: "eu-central-1"}}
	})
	usRegion, euRegion, b := w.region("us-east-1"), w.region("eu-central-1"), w.browser()
	req := b.login(euRegion, eu, "")
	v := w.refused(b.answer(usRegion, w.good(us, req.id), req.relayState), http.StatusForbidden, saml.ReasonWrongRegion)
	require.Contains(t, v.Detail, "eu-central-1")
	w.accepted(b.answer(euRegion, w.good(eu, req.id), req.relayState))
}

// An identity provider that wants signed requests needs a key: New returns an error, and so does the sign-in if the
// metadata changes later.
func TestSignedRequestsNeedAKey(t *testing.T) {
	signed := func(w *world) *saml.IdP {
		idp, err := saml.NewIdP(saml.IdPConfig{
			EntityID: idpID, WantAuthnRequestsSigned: true, Certificates: certs(w.idp),
			SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
		})
		require.NoError(t, err)
		return idp
	}
	var source *saml.SwappableIdP
	w := newWorld(t, func(c *saml.Config) {
		source = saml.NewSwappableIdP(c.IdP.IdP())
		c.IdP = source
	})
	region := w.region("us-east-1", accept)
	source.Replace(signed(w))
	require.Equal(t, http.StatusServiceUnavailable, w.browser().get(region, "https://us-east-1.signin.example/login").Code)
	w.accepted(w.browser().answer(region, w.good(usACS, ""), ""))

	_, err := acs.NewRegion(w.regionConfig("us-east-1"))
	var e *acs.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, acs.ReasonConfig, e.Reason)
	var cause *saml.Error
	require.ErrorAs(t, err, &cause)
	require.Equal(t, saml.ReasonMetadata, cause.Reason)
}
