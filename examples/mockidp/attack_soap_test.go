package main_test

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// A service provider that resolves artifacts at the tool is attacked by them.
func TestAttackByArtifacts(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listen := free.Addr().String()
	require.NoError(t, free.Close())
	keys := filepath.Join(t.TempDir(), "idp")
	status, _, errs := attackWith(t, "-write-metadata", keys, "-soap-listen", listen)
	require.Zero(t, status, errs)

	at := resolving(t, filepath.Join(keys, "metadata.xml"))
	flags := []string{"-keys", keys, "-all", "-only", "H01/short,H11/plain,H20/assertion,J20/unsigned", at + "/login"}
	status, out, errs := attackWith(t, flags...)
	assert.Zero(t, status, out+errs)
	assert.Contains(t, errs, "-artifact-acs "+at+"/acs")
	assert.Regexp(t, `refused +H01/short`, out)
	assert.Regexp(t, `refused +H11/plain`, out)
	assert.Regexp(t, `unusual but legal +H20/assertion`, out)
	assert.Contains(t, out, "give -attribute-probe URL")

	busy, err := net.Listen("tcp", listen)
	require.NoError(t, err)
	defer busy.Close()
	status, _, errs = attackWith(t, flags...)
	assert.Equal(t, 2, status)
	assert.Contains(t, errs, "-soap-listen")
}

// resolving starts a service provider that trusts an identity provider and takes artifacts.
func resolving(t *testing.T, metadata string) string {
	t.Helper()
	text, err := os.ReadFile(metadata)
	require.NoError(t, err)
	idp, err := saml.ParseIdPMetadata(text)
	require.NoError(t, err)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	key := testkit.RSAKey("resolving sp")
	sp, err := saml.New(saml.Config{
		EntityID: server.URL + "/saml", IdP: idp, Key: key, Certificate: testkit.Certificate(key, time.Now()),
		ACS: []saml.Endpoint{{URL: server.URL + "/acs", ArtifactIndex: new(uint16(1000))}},
	})
	require.NoError(t, err)
	var users sync.Map
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler),
		SOAP: acs.SOAPConfig{AllowPrivateAddresses: true},
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
			users.Store(l.Assertion.ID(), l.Assertion.NameID().Value)
			http.SetCookie(w, &http.Cookie{Name: "session", Value: l.Assertion.ID(), Path: "/"})
			http.Redirect(w, r, cmp.Or(l.ReturnTo, "/"), http.StatusSeeOther)
		},
	})
	require.NoError(t, err)
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); err == nil {
			name, _ := users.Load(c.Value)
			fmt.Fprintf(w, "Signed in as <b>%s</b>", name)
		}
	})
	return server.URL
}
