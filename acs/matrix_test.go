package acs_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// fiveRegions have an ACS URL for IPv4 only and a dual-stack one each.
func fiveRegions() (list []saml.Endpoint) {
	for _, region := range []string{"us-east-1", "eu-central-1", "eu-west-1", "ap-southeast-2", "sa-east-1"} {
		list = append(
			list,
			saml.Endpoint{URL: "https://" + region + ".signin.example/platform/saml/acs/4455", Region: region},
			saml.Endpoint{
				URL:    "https://" + region + ".signin.api.example/platform/saml/acs/4455",
				Region: region,
				Family: saml.DualStack,
			},
		)
	}
	return list
}

// Invariant 2 (Rule 28): each consumer accepts the responses for its own URL and no others, even if all Regions
// share one store.
func TestInvariant2_OnlyTheDiagonalOfFiveRegions(t *testing.T) {
	w := newWorld(t, func(cfg *saml.Config) { cfg.ACS = fiveRegions() })
	handlers := make(map[string]http.Handler)
	for _, e := range w.sp.ACS() {
		if handlers[e.Region] == nil {
			handlers[e.Region] = w.region(e.Region, accept)
		}
	}
	require.Len(t, handlers, 5)
	var accepted, refused int
	for _, at := range w.sp.ACS() {
		h := handlers[at.Region]
		for _, made := range w.sp.ACS() {
			for _, solicited := range []bool{false, true} {
				b, a, relayState := w.browser(), w.good(made.URL, ""), ""
				if solicited {
					req := b.login(h, at.URL, "")
					require.Equal(t, at.URL, req.acs)
					a, relayState = w.good(made.URL, req.id), req.relayState
				}
				rec := b.post(h, at.URL, w.form(a, relayState))
				if made.URL == at.URL {
					l := w.accepted(rec)
					require.Equal(t, at.Region, l.Region)
					require.Equal(t, at.URL, l.Assertion.ACS().URL)
					accepted++
					continue
				}
				v := w.refused(rec, http.StatusForbidden, saml.ReasonRecipient)
				require.Equal(t, at.URL, v.ACS)
				refused++
				if !solicited {
					continue
				}
				// Refused responses consumed nothing.
				l := w.accepted(b.answer(h, w.good(at.URL, a.inResponseTo), relayState))
				require.Equal(t, at.Region, l.Region)
			}
		}
	}
	require.Equal(t, []int{2 * 10, 2 * 90}, []int{accepted, refused})
}

// A host that serves a Region for another (a misconfigured load balancer) admits no assertion for it: the Host header
// decides nothing.
func TestInvariant2_HostHeaderIsNotTrusted(t *testing.T) {
	w := newWorld(t, func(cfg *saml.Config) { cfg.ACS = fiveRegions() })
	us := w.region("us-east-1", accept)
	for _, made := range w.sp.ACS() {
		u, err := url.Parse(made.URL)
		require.NoError(t, err)
		rec := w.browser().post(us, "https://"+u.Host+u.Path, w.form(w.good(made.URL, ""), ""))
		if made.Region == "us-east-1" {
			w.accepted(rec)
			continue
		}
		w.refused(rec, http.StatusMisdirectedRequest, acs.ReasonHost)
	}
}
