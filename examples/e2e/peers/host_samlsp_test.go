package peers_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/crewjam/saml/samlsp"
	"github.com/stretchr/testify/require"
)

// startSamlsp starts a site with crewjam/saml's middleware. Beside what names the
// two sides and their keys, its configuration is the default.
func startSamlsp(t *testing.T, s hostState) *spHost {
	return startSamlspWith(t, s, func(*samlsp.Options) {})
}

func startSamlspWith(t *testing.T, s hostState, change func(*samlsp.Options)) *spHost {
	text, err := os.ReadFile(s.idpMetadata)
	require.NoError(t, err)
	idp, err := samlsp.ParseMetadata(text)
	require.NoError(t, err)
	base, err := url.Parse(s.base())
	require.NoError(t, err)
	options := samlsp.Options{URL: *base, Key: peerSPKey().key, Certificate: s.cert, IDPMetadata: idp}
	change(&options)
	m, err := samlsp.New(options)
	require.NoError(t, err)
	m.ServiceProvider.AllowInsecureSOAPEndpoints = true                   // plain http on loopback
	m.OnError = func(w http.ResponseWriter, _ *http.Request, err error) { // its own does the same, and logs
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
	}

	mux := http.NewServeMux()
	mux.Handle("/saml/", m)
	mux.Handle("/login", m.RequireAccount(http.RedirectHandler("/whoami", http.StatusSeeOther)))
	mux.Handle("/metadata", http.HandlerFunc(m.ServeMetadata))
	mux.HandleFunc("/whoami", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if session, err := m.Session.GetSession(r); err == nil {
			fmt.Fprintf(w, "user=%s\n", session.(samlsp.JWTSessionClaims).Subject)
			return
		}
		_, _ = io.WriteString(w, "signed out\n")
	})
	serveAt(t, s.base(), mux)
	h := s.host(moduleVersion(t, "github.com/crewjam/saml"))
	h.EntityID, h.ACS = s.base()+"/saml/metadata", []string{s.base() + "/saml/acs"}
	return h
}
