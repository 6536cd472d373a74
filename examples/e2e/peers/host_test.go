package peers_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
)

// spHost is another vendor's service provider on a loopback port: the library in
// its default configuration, with the least code that makes a site to sign in to.
type spHost struct {
	Name    string `json:"name"`
	Version string `json:"version"`

	EntityID string `json:"entityID"`
	// Login starts a sign-in. Login2 starts one with the second ACS. Empty:
	// there is only one ACS.
	Login  string `json:"login"`
	Login2 string `json:"login2,omitempty"`
	// ACS are the assertion consumer services, the default first.
	ACS      []string `json:"acs"`
	Metadata string   `json:"metadata"`
	// Probe is a page that shows the user. Identity matches the user's name on
	// it.
	Probe    string `json:"probe"`
	Identity string `json:"identity"`
	// Certificate is the file with the key that it decrypts with. Its metadata
	// need not say so.
	Certificate string `json:"certificate"`
	// IdPMetadata is the metadata of the identity provider that it trusts.
	IdPMetadata string `json:"idpMetadata"`
}

// spHosts are the programs, each with the function that starts it.
var spHosts = map[string]func(*testing.T, hostState) *spHost{
	"shibboleth":    startShibboleth,
	"mellon":        startMellon,
	"lasso":         startLassoHost,
	"php-saml":      startPHPSAML,
	"pysaml2":       startPysaml2Host,
	"python3-saml":  startPython3SAML,
	"ruby-saml":     startRubySAML,
	"node-saml":     startNodeSAML,
	"passport-saml": startPassportSAML,
	"saml-jackson":  startSAMLJackson,
	"samlify":       startSamlify,
	"samlsp":        startSamlsp,
	"gosaml2":       startGosaml2,
	"dex":           startDex,
	"simplesamlphp": startSimpleSAMLphpSP,
}

// hostState are the parameters of a host.
type hostState struct {
	dir         string // readable by all users, as Apache's workers require
	port        int
	idpMetadata string // a file
	env         []string
	cert        *x509.Certificate // in sp.crt, with its key in sp.key
}

func (s hostState) base() string { return "http://127.0.0.1:" + strconv.Itoa(s.port) }

func (s hostState) file(name string) string { return filepath.Join(s.dir, name) }

// args are the command line that all host programs share.
func (s hostState) args() []string { return []string{strconv.Itoa(s.port), s.idpMetadata, s.dir} }

// host returns the host of a program with the pages of testdata/host.py.
func (s hostState) host(version string) *spHost {
	base := s.base()
	return &spHost{Version: version, EntityID: base + "/metadata", Login: base + "/login", ACS: []string{base + "/acs"}}
}

// listening is the output of a host program that is ready.
var listening = regexp.MustCompile(`listening on (http://127\.0\.0\.1:\d+)\n`)

// startHost starts one of spHosts, which trusts an identity provider, until
// the test ends. env is added to the environment of its program.
func startHost(t *testing.T, name string, idpMetadata []byte, env ...string) *spHost {
	t.Helper()
	start, ok := spHosts[name]
	require.True(t, ok, "no host is called %q", name)
	dir, err := os.MkdirTemp("", "peer-"+name+"-") // other users can't read t.TempDir
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))

	own := peerSPKey()
	s := hostState{dir: dir, port: freePort(t), env: env, cert: own.cert,
		idpMetadata: filepath.Join(dir, "idp-metadata.xml")}
	key, err := x509.MarshalPKCS8PrivateKey(own.key)
	require.NoError(t, err)
	s.write(t, "idp-metadata.xml", idpMetadata)
	s.write(t, "sp.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	s.write(t, "sp.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.cert.Raw}))

	h := start(t, s)
	h.Name, h.Certificate, h.IdPMetadata = name, s.file("sp.crt"), s.idpMetadata
	h.Metadata, h.Probe, h.Identity = s.base()+"/metadata", s.base()+"/whoami", `(?m)^user=(.*)$`
	return h
}

func (s hostState) write(t *testing.T, name string, content []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(s.file(name)), 0o755))
	require.NoError(t, os.WriteFile(s.file(name), content, 0o644))
}

// freePort returns a free port, which is probably still free when the host
// listens there.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := loopback.Listen(0)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return loopback.Port(l)
}

// user returns the user who is signed in to the host in this browser, or "".
func (h *spHost) user(b *peerBrowser) string {
	b.t.Helper()
	page := b.open(h.Probe)
	require.Equal(b.t, 200, page.status, page.body)
	m := regexp.MustCompile(h.Identity).FindStringSubmatch(page.body)
	if m == nil {
		require.Equal(b.t, "signed out", strings.TrimSpace(page.body))
		return ""
	}
	return m[1]
}
