package peers_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// debianVersion returns the version of an installed package.
func debianVersion(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command(testkit.RequireProgram(t, "peers", "dpkg-query"), "-W", "-f", "${Version}", name).Output()
	if err != nil || len(out) == 0 {
		testkit.Lacking(t, "peers", "no package "+name)
	}
	return string(out)
}

// peerScript returns the absolute path of a file in testdata.
func peerScript(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	require.NoError(t, err)
	return path
}

// run starts a host program that takes the common command line.
func (s hostState) run(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := shellCommand(program, append(args, s.args()...)...)
	cmd.Dir = s.dir
	cmd.Env = append(append(os.Environ(), noAuthorities, "TMPDIR="+s.dir), s.env...)
	require.Equal(t, s.base(), startPeer(t, cmd, listening))
}

// python starts a host program in Python that needs a module.
func (s hostState) python(t *testing.T, module, script string) {
	t.Helper()
	python := testkit.RequireProgram(t, "peers", debianPython)
	testkit.RequireSuccess(t, "peers", python, "-c", "import "+module)
	s.run(t, python, peerScript(t, script))
}

func startPysaml2Host(t *testing.T, s hostState) *spHost {
	testkit.RequireProgram(t, "peers", "xmlsec1")
	s.python(t, "saml2", "pysaml2/sp.py")
	return s.host(debianVersion(t, "python3-pysaml2")).second(s)
}

func startPython3SAML(t *testing.T, s hostState) *spHost {
	s.python(t, "onelogin.saml2", "python3-saml/sp.py")
	return s.host(debianVersion(t, "python3-onelogin-saml2"))
}

func startLassoHost(t *testing.T, s hostState) *spHost {
	s.python(t, "lasso", "lasso/sp.py")
	return s.host(debianVersion(t, "python3-lasso")).second(s)
}

// second is a host that has two consumers.
func (h *spHost) second(s hostState) *spHost {
	h.Login2, h.ACS = s.base()+"/login?acs=second", append(h.ACS, s.base()+"/acs2")
	return h
}

func startRubySAML(t *testing.T, s hostState) *spHost {
	ruby := testkit.RequireProgram(t, "peers", "ruby")
	testkit.RequireSuccess(t, "peers", ruby, "-e", `require "onelogin/ruby-saml"; require "webrick"`)
	s.run(t, ruby, peerScript(t, "ruby-saml/sp.rb"))
	return s.host(debianVersion(t, "ruby-saml"))
}

func startSimpleSAMLphpSP(t *testing.T, s hostState) *spHost {
	php := requirePHP(t)
	testkit.RequireFile(t, "peers", simpleSAMLphp+"/www/module.php")
	cmd := shellCommand(php, "-S", strings.TrimPrefix(s.base(), "http://"), "-t", filepath.Join(simpleSAMLphp, "www"), peerScript(t, "simplesamlphp-sp/router.php"))
	cmd.Env = append(os.Environ(), "SIMPLESAMLPHP_CONFIG_DIR="+peerScript(t, "simplesamlphp-sp/config"),
		"PEER_STATE="+s.dir, "PEER_IDP="+s.idpMetadata)
	startPeer(t, cmd, phpServer)
	h := s.host(debianVersion(t, "simplesamlphp"))
	h.ACS = []string{s.base() + "/module.php/saml/sp/saml2-acs.php/peer"}
	return h
}

// phpServer is the output of PHP's own server that is ready.
var phpServer = regexp.MustCompile(`Development Server \((http://127\.0\.0\.1:\d+)\) started`)

// startPHPSAML takes php-saml and its xmlseclibs out of a Debian package that
// bundles them.
func startPHPSAML(t *testing.T, s hostState) *spHost {
	php := requirePHP(t)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	archive := filepath.Join(cache, "meridian-peers", "debian", "zabbix-frontend-php.deb")
	testkit.RequireFile(t, "peers", archive)
	out, err := exec.Command("sh", "-c", `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" ./usr/share/zabbix/vendor`,
		"sh", archive, s.dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	about, err := os.ReadFile(s.file("usr/share/zabbix/vendor/onelogin/php-saml/CHANGELOG"))
	require.NoError(t, err)

	cmd := shellCommand(php, "-S", strings.TrimPrefix(s.base(), "http://"), peerScript(t, "php-saml/router.php"))
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "PEER_STATE="+s.dir, "PEER_IDP="+s.idpMetadata)
	startPeer(t, cmd, phpServer)
	return s.host(regexp.MustCompile(`(?m)^v(\S+)`).FindStringSubmatch(string(about))[1])
}
