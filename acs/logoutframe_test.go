package acs_test

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// A logout begins in a window: a frame, or a script's request, sends no LogoutRequest.
// Obligations: SDP-SP27.
func TestLogoutBeginsInAWindow(t *testing.T) {
	w := newLogoutWorld(t, mockidp.LogoutRedirect)
	store := acs.NewMemoryStore(acs.MemoryConfig{})
	region, err := acs.NewRegion(acs.Config{
		SP: w.sp, Region: "us", Store: store, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		OnLogin: func(http.ResponseWriter, *http.Request, *acs.Login) {}, EndSessions: endNothing,
	})
	require.NoError(t, err)
	start := func(headers map[string]string) *httptest.ResponseRecorder {
		r := withHeaders(w.origin["us"]+"/sign-out", headers)
		r.Method = http.MethodPost
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		rec := httptest.NewRecorder()
		region.StartLogout(rec, r, acs.LogoutOptions{NameID: saml.NameID{Value: "alice"}})
		return rec
	}
	for name, headers := range silent {
		rec := start(maps.Clone(headers))
		require.Equal(t, http.StatusForbidden, rec.Code, name)
		require.Empty(t, rec.Result().Cookies(), name)
		require.Empty(t, rec.Header().Get("Location"), name)
	}
	require.Contains(t, w.log.String(), "reason=Navigation")
	require.Zero(t, acs.Len(store))
	rec := start(map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"})
	require.Equal(t, http.StatusSeeOther, rec.Code, w.log)
	require.Contains(t, rec.Header().Get("Location"), "SAMLRequest=")
	require.Equal(t, 1, acs.Len(store))
}

// A program that ends its session first has ended it also when the identity provider never gets the request (G34).
// Obligations: SDP-SP34.
func TestSessionEndsThoughTheIdPIsAway(t *testing.T) {
	w := newLogoutWorld(t, mockidp.LogoutRedirect)
	b := w.browser()
	p := w.signIn(b, "us")
	w.idp.Close()
	_, err := signOut(b, p)
	require.Error(t, err, "the browser is at an address that does not answer")
	require.Nil(t, w.result)
	require.False(t, w.signedIn(b, "us"))
}
