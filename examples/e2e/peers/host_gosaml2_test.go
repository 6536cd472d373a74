package peers_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	saml2 "github.com/russellhaering/gosaml2"
	"github.com/russellhaering/gosaml2/types"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"
)

// newGosaml2 is a service provider of gosaml2, configured as its demo program is.
func newGosaml2(t *testing.T, idpMetadata []byte, entityID, acs string) *saml2.SAMLServiceProvider {
	t.Helper()
	var idp types.EntityDescriptor
	require.NoError(t, xml.Unmarshal(idpMetadata, &idp))
	store := &dsig.MemoryX509CertificateStore{}
	for _, key := range idp.IDPSSODescriptor.KeyDescriptors {
		for _, x := range key.KeyInfo.X509Data.X509Certificates {
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(x.Data), ""))
			require.NoError(t, err)
			certificate, err := x509.ParseCertificate(der)
			require.NoError(t, err)
			store.Roots = append(store.Roots, certificate)
		}
	}
	return &saml2.SAMLServiceProvider{
		IdentityProviderSSOURL: idp.IDPSSODescriptor.SingleSignOnServices[0].Location, IdentityProviderIssuer: idp.EntityID,
		ServiceProviderIssuer: entityID, AssertionConsumerServiceURL: acs, AudienceURI: entityID, IDPCertificateStore: store,
		SPKeyStore: dsig.TLSCertKeyStore(tls.Certificate{Certificate: [][]byte{peerSPKey().cert.Raw},
			PrivateKey: peerSPKey().key}),
	}
}

// gosaml2Accepts verifies a response as the demo program does.
func gosaml2Accepts(sp *saml2.SAMLServiceProvider, response string) (*saml2.AssertionInfo, error) {
	info, err := sp.RetrieveAssertionInfo(response)
	switch {
	case err != nil:
		return nil, err
	case info.WarningInfo.InvalidTime || info.WarningInfo.NotInAudience:
		return nil, fmt.Errorf("gosaml2 warns of %+v", *info.WarningInfo)
	}
	return info, nil
}

// startGosaml2 starts a site on gosaml2. The library keeps no request and no
// session, and the site adds the session alone.
func startGosaml2(t *testing.T, s hostState) *spHost {
	metadata, err := os.ReadFile(s.idpMetadata)
	require.NoError(t, err)
	h := s.host("")
	sp := newGosaml2(t, metadata, h.EntityID, h.ACS[0])
	people := new(siteSessions)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		to, err := sp.BuildAuthURL(r.FormValue("RelayState"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	mux.HandleFunc("POST /acs", func(w http.ResponseWriter, r *http.Request) {
		info, err := gosaml2Accepts(sp, r.FormValue("SAMLResponse"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		people.signIn(w, info.NameID)
		http.Redirect(w, r, "/whoami", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /metadata", func(w http.ResponseWriter, _ *http.Request) {
		entity, err := sp.Metadata()
		if err == nil {
			err = xml.NewEncoder(w).Encode(entity)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /whoami", people.page)
	serveAt(t, s.base(), mux)
	h.Version = moduleVersion(t, "github.com/russellhaering/gosaml2")
	return h
}

// siteSessions are the users who are signed in to a site, by cookie.
type siteSessions struct {
	mu   sync.Mutex
	user map[string]string
}

func (s *siteSessions) signIn(w http.ResponseWriter, user string) {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.user == nil {
		s.user = map[string]string{}
	}
	s.user[id] = user
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true})
}

// page shows the user who is signed in.
func (s *siteSessions) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, err := r.Cookie("session"); err == nil && s.user[c.Value] != "" {
		fmt.Fprintf(w, "user=%s\n", s.user[c.Value])
		return
	}
	_, _ = io.WriteString(w, "signed out\n")
}

// serveAt serves a handler at a loopback address until the test ends.
func serveAt(t *testing.T, base string, handler http.Handler) {
	t.Helper()
	at, err := url.Parse(base)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", at.Host)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(handler)
	require.NoError(t, server.Listener.Close())
	server.Listener = listener
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
}

// moduleVersion returns the version of a module that these tests are built with.
func moduleVersion(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", path).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}
