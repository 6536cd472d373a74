package acs_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// A user signs in by artifact at the mock, which has its own implementation of the binding: the metadata of both sides
// is all that they know of one another. H22: after the mock has lost our certificate, it gives nothing.
func TestArtifactOfTheMock(t *testing.T) {
	const alice = "alice@example.com"
	idp := mockidp.New(mockidp.Config{Users: []mockidp.User{{Login: alice}}})
	t.Cleanup(idp.Close)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	origin := "http://us.localhost" + server.URL[strings.LastIndexByte(server.URL, ':'):]

	key := testkit.RSAKey("artifact sp")
	metadata, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	source := saml.NewSwappableIdP(metadata)
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example", Key: key, Certificate: testkit.Certificate(key, time.Now()), IdP: source,
		ACS: []saml.Endpoint{{URL: origin + "/acs", Region: "us", ArtifactIndex: new(uint16(1000))}},
	})
	require.NoError(t, err)
	ours, err := sp.Metadata()
	require.NoError(t, err)
	apps, err := idp.AddSP(ours)
	require.NoError(t, err)
	update := func(change func(*mockidp.App)) {
		require.NoError(t, idp.UpdateApp(apps[0].ID, func(a *mockidp.App) error { change(a); return nil }))
	}
	var verdict acs.Verdict
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Region: "us", Store: acs.NewMemoryStore(acs.MemoryConfig{}), Unsolicited: acs.Accept,
		LoginOptions: func(*http.Request) acs.LoginOptions {
			return acs.LoginOptions{ResponseBinding: saml.HTTPArtifact}
		},
		OnLogin: func(w http.ResponseWriter, _ *http.Request, l *acs.Login) {
			fmt.Fprintf(w, "%s, unsolicited=%v", l.Assertion.NameID().Value, l.Unsolicited)
		},
		OnVerdict: func(_ context.Context, v acs.Verdict) { verdict = v },
	})
	require.NoError(t, err)
	region.Mount(mux, acs.Paths{Login: "/login"})

	for _, binding := range []mockidp.ResponseBinding{mockidp.ResponseArtifact, mockidp.ResponseArtifactPOST} {
		update(func(a *mockidp.App) { a.ResponseBinding = binding })
		current, err := saml.ParseIdPMetadata(idp.Metadata(apps[0].ID))
		require.NoError(t, err)
		require.Empty(t, current.Warnings())
		require.Len(t, current.ArtifactServices(), 1)
		source.Replace(current)
		page, err := testkit.SignIn(idp, origin+"/login", alice)
		require.NoError(t, err)
		require.Equal(t, alice+", unsolicited=false", page.Text(), "%+v", verdict)
		page, err = testkit.SignIn(idp, idp.TileURL(apps[0].ID), alice)
		require.NoError(t, err)
		require.Equal(t, alice+", unsolicited=true", page.Text(), "%+v", verdict)
	}
	update(func(a *mockidp.App) { a.RequestCertificates = nil })
	page, err := testkit.SignIn(idp, origin+"/login", alice)
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, page.Status)
	require.Equal(t, string(saml.ReasonNotResponse), verdict.Reason, "%+v", verdict)
}
