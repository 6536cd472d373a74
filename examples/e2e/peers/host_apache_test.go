package peers_test

import (
	"bytes"
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// apache is an Apache with one more module, and the values for the files in
// testdata.
type apache struct {
	Dir, Base, IdPMetadata, IdPEntityID, Certificate, UserVariable string

	Port    int
	Modules []string
}

const apacheModules = "/usr/lib/apache2/modules/"

// newApache writes the files of an Apache that has the module, whose own files
// are in a folder of testdata.
func newApache(t *testing.T, s hostState, folder, module, userVariable string) apache {
	t.Helper()
	a := apache{
		Dir: s.dir, Base: s.base(), Port: s.port, IdPMetadata: s.idpMetadata, UserVariable: userVariable,
		Certificate: base64.StdEncoding.EncodeToString(s.cert.Raw),
		Modules:     []string{"mpm_prefork", "authn_core", "authz_core", "authz_user", "alias", "mime", "include", "rewrite"},
	}
	for _, m := range append(a.Modules, module) {
		testkit.RequireFile(t, "peers", apacheModules+"mod_"+m+".so")
	}
	metadata, err := os.ReadFile(s.idpMetadata)
	require.NoError(t, err)
	idp, err := saml.ParseIdPMetadata(metadata)
	require.NoError(t, err)
	a.IdPEntityID = idp.EntityID()

	a.fill(t, s, "apache/httpd.conf", "httpd.conf")
	a.fill(t, s, "apache/whoami.txt", "www/whoami.txt")
	files, err := filepath.Glob(peerScript(t, folder+"/*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		a.fill(t, s, filepath.Join(folder, filepath.Base(file)), filepath.Base(file))
	}
	return a
}

// fill writes a file of testdata with the {{ }} filled in.
func (a apache) fill(t *testing.T, s hostState, from, to string) {
	t.Helper()
	text, err := os.ReadFile(peerScript(t, from))
	require.NoError(t, err)
	filled, err := template.New(from).Parse(string(text))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, filled.Execute(&out, a))
	s.write(t, to, out.Bytes())
}

// start starts it as a process group leader. It ends with its group.
func (a apache) start(t *testing.T) {
	t.Helper()
	setsid := testkit.RequireProgram(t, "peers", "setsid")
	cmd := shellCommand(setsid, testkit.RequireProgram(t, "peers", "/usr/sbin/apache2"),
		"-f", filepath.Join(a.Dir, "httpd.conf"), "-DFOREGROUND")
	cmd.Env = append(os.Environ(), noAuthorities)
	startPeer(t, cmd, regexp.MustCompile(`configured -- (resuming normal operations)`))
}

// startShibboleth starts a Shibboleth service provider: its daemon, and the
// module in Apache, which talk through a socket.
func startShibboleth(t *testing.T, s hostState) *spHost {
	shibd := testkit.RequireProgram(t, "peers", "/usr/sbin/shibd")
	version := debianVersion(t, "libapache2-mod-shib")
	a := newApache(t, s, "shibboleth", "shib", "REMOTE_USER")
	cmd := shellCommand(shibd, "-F", "-f", "-c", s.file("shibboleth2.xml"), "-p", s.file("shibd.pid"))
	startPeer(t, cmd, regexp.MustCompile(`(listener service starting)`))
	require.Eventually(t, func() bool { // starting isn't listening
		c, err := net.Dial("unix", s.file("shibd.sock"))
		return err == nil && c.Close() == nil
	}, 30*time.Second, 10*time.Millisecond)
	a.start(t)
	base := s.base()
	return &spHost{
		Version: version, EntityID: base + "/shibboleth", Login: base + "/login", Login2: base + "/login?acs=second",
		ACS: []string{base + "/Shibboleth.sso/SAML2/POST", base + "/Shibboleth.sso/SAML2/POST-second"},
	}
}

// startMellon starts an Apache with mod_auth_mellon.
func startMellon(t *testing.T, s hostState) *spHost {
	version := debianVersion(t, "libapache2-mod-auth-mellon")
	newApache(t, s, "mellon", "auth_mellon", "MELLON_NAME_ID").start(t)
	base := s.base()
	return &spHost{
		Version: version, EntityID: base + "/mellon/metadata", Login: base + "/login",
		ACS: []string{base + "/mellon/postResponse"},
	}
}
