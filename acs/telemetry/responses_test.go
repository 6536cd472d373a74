package telemetry_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
)

func TestResponses(t *testing.T) {
	w := newWorld(t)
	w.slow.took = 20 * time.Millisecond
	require.Equal(t, mockidp.DefaultLogin, w.signIn().Body)
	good := "{cloud.region=eu,saml.flow=sp-initiated,saml.idp=okta}"
	require.Equal(t, map[string]float64{good: 1}, w.named("meridian.saml.responses"))
	require.Equal(t, map[string]float64{good: 1, good + " sum": 0.04}, w.named("meridian.saml.response.duration"))
	require.Equal(t, map[string]float64{
		"{cloud.region=eu,store.operation=add}": 2, "{cloud.region=eu,store.operation=add} sum": 0.04,
		"{cloud.region=eu,store.operation=take}": 1, "{cloud.region=eu,store.operation=take} sum": 0.02,
	}, w.named("meridian.store.operation.duration"))

	require.NoError(t, w.idp.SetMutation("B01", "", ""))
	require.Equal(t, http.StatusForbidden, w.signIn().Status)
	bad := "{cloud.region=eu,error.type=Unsigned,saml.idp=_other}"
	require.Equal(t, map[string]float64{good: 1, bad: 1}, w.named("meridian.saml.responses"))

	require.NoError(t, w.idp.SetMutation("", "", ""))
	w.slow.err = errors.New("connection lost")
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://eu.sp.example/login", nil))
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	const failed = "{cloud.region=eu,error.type=Unavailable,store.operation=add}"
	require.InDelta(t, 1, w.named("meridian.store.operation.duration")[failed], 0)
}

// A request that is refused before it was read counts, and has no duration.
func TestUnreadResponses(t *testing.T) {
	w := newWorld(t)
	w.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, acsURL, nil))
	require.Equal(t, map[string]float64{"{cloud.region=eu,error.type=Method,saml.idp=_other}": 1},
		w.named("meridian.saml.responses"))
	require.Empty(t, w.named("meridian.saml.response.duration"))
}

// 10,000 issuers, and 10,000 identity providers of a federation, have the series of one.
func TestSeriesAreBounded(t *testing.T) {
	w := newWorld(t)
	message := func(issuer string) string {
		return base64.StdEncoding.EncodeToString([]byte(`<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ` +
			`xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0" ` +
			`IssueInstant="2026-01-01T00:00:00Z"><a:Issuer>` + issuer + `</a:Issuer></p:Response>`))
	}
	require.Equal(t, http.StatusForbidden, w.post(message("https://idp.example/0")))
	before := w.named("meridian.saml.responses")
	require.Len(t, before, 1)
	for i := range 10_000 {
		w.post(message(fmt.Sprint("https://idp.example/", i)))
		_, end := w.ObserveResponse(context.Background())
		end(acs.Verdict{Accepted: true, Flow: acs.FlowSP, IdP: fmt.Sprint("https://idp.example/", i)})
		w.ObserveLogout(context.Background(), acs.Verdict{Accepted: true, IdP: fmt.Sprint("https://idp.example/", i)})
	}
	after := w.named("meridian.saml.responses")
	require.Len(t, after, 2)
	for series := range before {
		require.InDelta(t, 10_001, after[series], 0, series)
	}
	require.InDelta(t, 10_000, after["{cloud.region=eu,saml.flow=sp-initiated,saml.idp=_other}"], 0)
	require.Equal(t, map[string]float64{"{cloud.region=eu,saml.idp=_other}": 10_000}, w.named("meridian.saml.logouts"))
}

func TestLogoutsAndSignIns(t *testing.T) {
	m := newMeters(t, map[string]string{"https://idp.example": "okta"})
	m.ObserveLogout(t.Context(), acs.Verdict{Flow: acs.FlowIdP, IdP: "https://idp.example", Reason: "EndSessions"})
	require.Equal(t, map[string]float64{
		"{cloud.region=eu,error.type=EndSessions,saml.flow=idp-initiated,saml.idp=okta}": 1,
	}, m.named("meridian.saml.logouts"))
	m.ObserveSignIn(t.Context(), "https://idp.example", false, "UnknownUser")
	m.ObserveSignIn(t.Context(), "https://other.example", true, "")
	require.Equal(t, map[string]float64{
		"{cloud.region=eu,error.type=UnknownUser,saml.flow=sp-initiated,saml.idp=okta}": 1,
		"{cloud.region=eu,saml.flow=idp-initiated,saml.idp=_other}":                     1,
	}, m.named("meridian.saml.sign_ins"))
}
