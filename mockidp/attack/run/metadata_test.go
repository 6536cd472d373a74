package run_test

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// readingMetadata starts Meridian's service provider with metadata from a URL. Its signature is verified, or not.
func readingMetadata(t *testing.T, verified bool) run.Target {
	t.Helper()
	server, err := run.NewMetadataServer(sharedIdP(), testkit.RSAKey("publisher"))
	require.NoError(t, err)
	published := httptest.NewServer(server)
	t.Cleanup(published.Close)
	certificate, err := x509.ParseCertificate(server.Certificate())
	require.NoError(t, err)
	source := federation.Source{URL: published.URL, AllowPrivateAddresses: true, InsecureUnverified: !verified}
	if verified {
		source.Keys = []crypto.PublicKey{certificate.PublicKey}
	}
	idps, err := federation.Open(t.Context(), federation.Config{
		Sources: []federation.Source{source}, Logger: slog.New(slog.DiscardHandler),
		MinRefresh: 5 * time.Millisecond, MaxRefresh: 10 * time.Millisecond,
	})
	require.NoError(t, err)
	t.Cleanup(idps.Close)

	mux, users := http.NewServeMux(), new(sessions)
	at := serve(t, "reading", mux)
	sp, err := saml.New(saml.Config{
		EntityID: at + "/saml", IdPs: idps, ACS: []saml.Endpoint{{URL: at + "/acs"}},
	})
	require.NoError(t, err)
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler),
		ChooseIdP: func(*http.Request) string { return run.DefaultEntityID },
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
			users.signIn(w, l.Assertion.NameID().Value)
			http.Redirect(w, r, cmp.Or(l.ReturnTo, "/"), http.StatusSeeOther)
		},
	})
	require.NoError(t, err)
	region.Mount(mux, acs.Paths{Login: "/login"})
	mux.HandleFunc("GET /{$}", users.page)
	out := target(at)
	out.Metadata, out.MetadataWait, out.MetadataSettle = server, 10*time.Second, 100*time.Millisecond
	out.Sign = nil
	return out
}

// Meridian takes no document of the catalogue that it must not take, and goes on with the last good one.
func TestRunOursByMetadata(t *testing.T) {
	to := readingMetadata(t, true)
	to.Only = []string{"B01", "F"}
	report := attacked(t, to)
	ran := 0
	for _, x := range report.Results {
		switch {
		case x.Verdict == run.NotRun:
			assert.NotEmpty(t, x.Reason, x.ID)
		case x.Expected == "accepted":
			assert.Equal(t, run.Accepted, x.Verdict, "%s: %s", x.ID, x.Reason)
			ran++
		default:
			assert.Equal(t, run.Refused, x.Verdict, "%s: %s", x.ID, x.Reason)
			ran++
		}
	}
	assert.Greater(t, ran, 80)
	assert.Empty(t, report.StoppedAt, "the metadata from before is back")
}

// A service provider that doesn't verify the signature takes any keys.
func TestRunNoticesUnverifiedMetadata(t *testing.T) {
	to := readingMetadata(t, false)
	to.Only = []string{"F01/removed", "F02/another-key", "F12/root", "F20/empty"}
	report := attacked(t, to)
	for id, want := range map[string]run.Verdict{
		"F01/removed": run.LetIn, "F02/another-key": run.LetIn, "F12/root": run.Refused, "F20/empty": run.Refused,
	} {
		assert.Equal(t, want, result(t, report, id).Verdict, "%s: %s", id, result(t, report, id).Reason)
	}
	assert.Equal(t, run.Hole, result(t, report, "F01/removed").Severity)
}

// A service provider that doesn't read the tool's metadata shows nothing.
func TestRunChecksThatMetadataIsRead(t *testing.T) {
	to := ours(t, acs.Refuse)
	to.Only = []string{"F01/removed"}
	assert.Equal(t, run.NeedMetadata, result(t, attacked(t, to), "F01/removed").Needs)
	var err error
	to.Metadata, err = run.NewMetadataServer(sharedIdP(), testkit.RSAKey("publisher"))
	require.NoError(t, err)
	to.MetadataWait = 50 * time.Millisecond
	x := result(t, attacked(t, to), "F01/removed")
	assert.Equal(t, run.Inconclusive, x.Verdict)
	assert.Contains(t, x.Reason, "has not read its metadata again")
}
