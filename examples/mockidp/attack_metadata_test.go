package main_test

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/pem"
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
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/saml"
)

// A service provider that reads the tool's metadata, and has pinned its publisher, is attacked by metadata.
func TestAttackByMetadata(t *testing.T) {
	keys := attackKeys(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listen := free.Addr().String()
	require.NoError(t, free.Close())
	flags := []string{"-keys", keys, "-metadata-listen", listen, "-only", "F01/removed,F02/another-key,F33/attributes"}

	status, _, errs := attackWith(t, append(flags, "http://127.0.0.1:1/login")...)
	require.Equal(t, 2, status)
	require.Contains(t, errs, "a publisher's key was made")
	text, err := os.ReadFile(filepath.Join(keys, "publisher.crt"))
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)

	at := readingFrom(t, "http://"+listen+"/metadata.xml", certificate.PublicKey)
	status, out, errs := attackWith(t, append(flags, "-all", "-probe", at+"/", "-identity", "<b>(.+)</b>", at+"/login")...)
	assert.Zero(t, status, out+errs)
	assert.Regexp(t, `refused +F01/removed`, out)
	assert.Regexp(t, `refused +F02/another-key`, out)
	assert.Regexp(t, `unusual but legal +F33/attributes`, out)

	status, _, errs = attackWith(t, append(flags, "-metadata-wait", "10ms", "http://127.0.0.1:1/login")...)
	assert.Equal(t, 2, status)
	assert.Contains(t, errs, "has not read")
	status, _, errs = attackWith(t, append(flags, "-key", filepath.Join(keys, "rsa.key"), at+"/login")...)
	assert.Equal(t, 2, status)
	assert.Contains(t, errs, "exclude")
}

// readingFrom starts a service provider that reads metadata from a URL.
func readingFrom(t *testing.T, url string, publisher crypto.PublicKey) string {
	t.Helper()
	idps, err := federation.Open(t.Context(), federation.Config{
		Sources:    []federation.Source{{URL: url, Keys: []crypto.PublicKey{publisher}, AllowPrivateAddresses: true}},
		MinRefresh: 5 * time.Millisecond, MaxRefresh: 10 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(idps.Close)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	sp, err := saml.New(saml.Config{
		EntityID: server.URL + "/saml", IdPs: idps, ACS: []saml.Endpoint{{URL: server.URL + "/acs"}},
	})
	require.NoError(t, err)
	var users sync.Map
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler),
		ChooseIdP: func(*http.Request) string { return run.DefaultEntityID },
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
			users.Store(l.Assertion.ID(), l.Assertion.NameID().Value)
			http.SetCookie(w, &http.Cookie{Name: "session", Value: l.Assertion.ID(), Path: "/"})
			http.Redirect(w, r, cmp.Or(l.ReturnTo, "/"), http.StatusSeeOther)
		},
	})
	require.NoError(t, err)
	region.Mount(mux, acs.Paths{Login: "/login"})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); err == nil {
			name, _ := users.Load(c.Value)
			fmt.Fprintf(w, "<b>%s</b>", name)
		}
	})
	return server.URL
}
