package main_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/built"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

var program = built.New()

func TestMain(m *testing.M) { program.Main(m) }

// command returns the program, for the caller to start. It is killed after a time that is longer than any test.
func command(t *testing.T, args ...string) *exec.Cmd {
	return program.Command(t, time.Minute, args...)
}

func write(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "idp.xml")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

func TestBadInputIsOneLineAndExit2(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	good := write(t, idp.Metadata(""))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	with := func(args ...string) []string {
		return append([]string{"-idp-metadata", good, "-listen", "127.0.0.1:0"}, args...)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":         {[]string{"-nonsense"}, "-nonsense"},
		"stray argument":       {with("more"), `"more"`},
		"no metadata":          {nil, "-idp-metadata"},
		"missing file":         {[]string{"-idp-metadata", "/nonexistent/idp.xml"}, "/nonexistent/idp.xml"},
		"a folder":             {[]string{"-idp-metadata", t.TempDir()}, "directory"},
		"not metadata":         {[]string{"-idp-metadata", write(t, []byte("<html>\n</html>"))}, "-idp-metadata"},
		"empty metadata":       {[]string{"-idp-metadata", write(t, nil)}, "-idp-metadata"},
		"port in use":          {with("-listen", taken.Addr().String()), "in use"},
		"not an ACS":           {with("-acs", "us-east-1"), "REGION=URL"},
		"not a URL":            {with("-acs", "us-east-1=%%"), "-acs"},
		"ACS without a Region": {with("-acs", "https://admin:hunter2@a.example/acs"), "REGION=URL"},
		"ACS that has no end":  {with("-acs", "us-east-1=https://admin:hunter2@[::1"), "-acs"},
		"ACS with a password":  {with("-acs", "us-east-1=https://admin:hunter2@a.example/acs"), "…@a.example"},
		"not an absolute URL":  {with("-base-url", "x"), "x/saml/acs"},
		"duplicate ACS": {with("-acs", "a=https://a.example/acs", "-acs", "b=https://a.example/acs"),
			"https://a.example/acs"},
		"http and not loopback": {with("-base-url", "http://signin.example"), "http://signin.example"},
		"unknown Region":        {with("-acs", "a=https://a.example/acs", "-region", "b"), "-region b"},
		"the URL by its flag":   {with("-base-url", "http://signin.example"), "sp: -base-url: "},
		"an ACS by its flag":    {with("-acs", "a=ftp://a.example/acs"), "sp: -acs: "},
		"metadata by its flag":  {[]string{"-idp-metadata", write(t, []byte("<html>\n</html>"))}, "idp.xml: "},
		"help":                  {[]string{"-nonsense"}, "(-h lists the flags)"},
		"TLS without a key":     {with("-tls-cert", good), "-tls-cert and -tls-key require each other"},
		"no certificate": {with("-acs", "a=https://a.example/acs", "-tls-cert", good, "-tls-key", good),
			"-tls-cert, -tls-key: "},
		"TLS for http": {with("-tls-cert", good, "-tls-key", good), "which is not https"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			cmd := command(t, c.args...)
			cmd.Stdout, cmd.Stderr = &out, &errs
			require.Error(t, cmd.Run())
			assert.Equal(t, 2, cmd.ProcessState.ExitCode(), errs.String())
			assert.Empty(t, out.String())
			assert.Equal(t, 1, strings.Count(errs.String(), "\n"), errs.String())
			assert.True(t, strings.HasPrefix(errs.String(), "sp: "), errs.String())
			assert.Contains(t, errs.String(), c.want)
			assert.NotContains(t, errs.String(), "goroutine")
			assert.NotContains(t, errs.String(), "hunter2")
			assert.NotContains(t, errs.String(), "Config.")
		})
	}
}

func TestHelp(t *testing.T) {
	out, err := command(t, "-h").Output()
	require.NoError(t, err)
	for _, flag := range []string{"-listen", "-idp-metadata", "-base-url", "-acs", "-region", "-tls-cert", "-tls-key",
		"-insecure-http", "-client-header"} {
		assert.Contains(t, string(out), flag)
	}
}

// started returns the program, its address and its output.
func started(t *testing.T, lines int, args ...string) (addr string, said []string) {
	t.Helper()
	cmd := command(t, append([]string{"-listen", "127.0.0.1:0"}, args...)...)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for in := bufio.NewScanner(stdout); len(said) < lines && in.Scan(); {
		said = append(said, in.Text())
		if at, ok := strings.CutPrefix(in.Text(), "Listening on "); ok {
			addr = at
		}
	}
	require.Len(t, said, lines)
	require.NotEmpty(t, addr)
	return addr, said
}

func get(t *testing.T, client *http.Client, addr string) []byte {
	t.Helper()
	res, err := client.Get(addr)
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	return b
}

var twoRegions = []string{
	"-region", "eu-central-1",
	"-acs", "us-east-1=https://us-east-1.signin.example/saml/acs", "-acs",
	"eu-central-1=https://eu-central-1.signin.example/saml/acs",
}

// With https URLs and no certificate it prints that a proxy must terminate TLS.
func TestProgramServes(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	addr, said := started(t, 6, append([]string{"-idp-metadata", write(t, idp.Metadata(""))}, twoRegions...)...)
	assert.Equal(t, []string{
		"Entity ID    https://us-east-1.signin.example/saml",
		"ACS URL 0    https://us-east-1.signin.example/saml/acs  us-east-1",
		"ACS URL 1    https://eu-central-1.signin.example/saml/acs  eu-central-1",
		"Listening on " + addr,
		"This is plain http. A proxy must terminate TLS for https://eu-central-1.signin.example, or use -tls-cert and -tls-key.",
		"Open         https://eu-central-1.signin.example/",
	}, said)
	require.NoError(t, idp.RegisterSP("", get(t, http.DefaultClient, "http://"+addr+"/metadata")))
	app, _ := idp.App("")
	require.Len(t, app.ACS, 2)
	assert.Equal(t, "https://us-east-1.signin.example/saml/acs", app.ACS[0].URL)
}

func TestProgramServesTLS(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	cert, key, roots := certificate(t, "eu-central-1.signin.example")
	addr, said := started(
		t,
		5,
		append([]string{"-idp-metadata", write(t, idp.Metadata("")), "-tls-cert", cert, "-tls-key", key}, twoRegions...)...)
	assert.Equal(t, "Open         https://eu-central-1.signin.example/", said[4])
	client := &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "eu-central-1.signin.example"}},
	}
	defer client.CloseIdleConnections()
	assert.Contains(t, string(get(t, client, "https://"+addr+"/")), "Not signed in")
}

// Without Regions a line ends with the URL, and the last one is the one to open.
func TestProgramSaysWhatToOpen(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	_, said := started(t, 4, "-idp-metadata", write(t, idp.Metadata("")), "-base-url", "http://sp.localhost:8720/")
	assert.Equal(t, "ACS URL 0    http://sp.localhost:8720/saml/acs", said[1])
	assert.Equal(t, "Open         http://sp.localhost:8720/", said[3])
}

func TestInsecureHTTP(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	_, said := started(
		t,
		4,
		"-idp-metadata",
		write(t, idp.Metadata("")),
		"-base-url",
		"http://sp.internal:8080",
		"-insecure-http",
	)
	assert.Equal(t, "Open         http://sp.internal:8080/", said[3])
}

// certificate returns a self-signed certificate.
func certificate(t *testing.T, host string) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private := testkit.ECDSAKey("tls")
	parsed := testkit.Certificate(private, time.Now(), host)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	inPEM := func(kind string, der []byte) string {
		return write(t, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return inPEM("CERTIFICATE", parsed.Raw), inPEM("PRIVATE KEY", pkcs8), roots
}
