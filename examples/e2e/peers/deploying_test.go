package peers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// deployingBlock returns the one block of a language in acs/DEPLOYING.md.
func deployingBlock(t *testing.T, language string) string {
	t.Helper()
	page, err := os.ReadFile("../../../acs/DEPLOYING.md")
	require.NoError(t, err)
	m := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	require.Len(t, m, 1, language)
	return m[0][1]
}

// The manifest of the page has the types and fields of Kubernetes' API, and an
// unknown field is an error.
func TestKubernetesManifest(t *testing.T) {
	const version = "v0.37.2"
	manifest := deployingBlock(t, "yaml")
	if testing.Short() && !testkit.Required("kubernetes") {
		testkit.Skip(t, "compiling the types of Kubernetes takes a while")
	}
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	run := func(stdin, name string, args ...string) (string, error) {
		c := exec.CommandContext(ctx, name, args...)
		c.Dir, c.Stdin = dir, strings.NewReader(stdin)
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	source, err := os.ReadFile(filepath.Join("testdata", "kubernetes", "main.go.txt"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), source, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module manifest\n\ngo 1.26.0\n\nrequire (\n"+
		"\tk8s.io/api "+version+"\n\tk8s.io/apimachinery "+version+"\n)\n"), 0o600))
	if out, err := run("", "go", "mod", "download", "k8s.io/api@"+version); err != nil {
		testkit.Lacking(t, "kubernetes", "k8s.io/api "+version+" can't be downloaded: "+err.Error()+": "+out)
	}
	out, err := run("", "go", "build", "-o", "manifest", ".")
	require.NoError(t, err, out)

	out, err = run(manifest, filepath.Join(dir, "manifest"))
	require.NoError(t, err, out)
	assert.Equal(t, []string{"ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "Ingress"}, strings.Fields(out))

	out, err = run(strings.Replace(manifest, "readinessProbe:", "readyProbe:", 1), filepath.Join(dir, "manifest"))
	require.Error(t, err, out)
	assert.Contains(t, out, "readyProbe")
}

// nginx with the page's configuration forwards what a sign-in needs, and tells
// the service the client's address, whatever headers the client sends.
func TestBehindNginx(t *testing.T) {
	nginx := testkit.RequireProgram(t, "peers", "nginx", "/usr/sbin/nginx")
	front, err := loopback.Listen(0)
	require.NoError(t, err)
	require.NoError(t, front.Close())
	base := loopback.Origin("us-east-1.localhost", loopback.Port(front))

	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	meta, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: base + "/saml", IdP: meta, ACS: []saml.Endpoint{{URL: base + "/saml/acs"}}})
	require.NoError(t, err)
	spMetadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, idp.RegisterSP("", spMetadata))
	var clients sync.Map
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		ClientAddr: func(r *http.Request) string {
			client := r.Header.Get("X-Real-IP")
			clients.Store(client, true)
			return client
		},
		OnLogin: func(w http.ResponseWriter, _ *http.Request, l *acs.Login) {
			_, _ = w.Write([]byte("hello " + l.Assertion.NameID().Value))
		},
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login"})
	service := httptest.NewServer(mux)
	t.Cleanup(service.Close)

	// The page's server, on loopback, without TLS, which a test of headers and
	// bodies does not need.
	server := deployingBlock(t, "nginx")
	for from, to := range map[string]string{
		"listen 443 ssl;":                       "listen 127.0.0.1:" + strings.TrimPrefix(base, "http://us-east-1.localhost:") + ";",
		"server_name us-east-1.signin.example;": "server_name us-east-1.localhost;",
		"http://127.0.0.1:8720":                 service.URL,
	} {
		require.Contains(t, server, from)
		server = strings.Replace(server, from, to, 1)
	}
	server = regexp.MustCompile(`(?m)^\s*ssl_.*\n`).ReplaceAllString(server, "")
	dir := t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, []byte("pid "+dir+"/pid;\nerror_log stderr notice;\n"+
		"daemon off;\nmaster_process off;\n"+
		"events {}\nhttp {\naccess_log off;\nclient_body_temp_path "+dir+"/body;\nproxy_temp_path "+dir+"/proxy;\n"+
		"fastcgi_temp_path "+dir+"/fastcgi;\nuwsgi_temp_path "+dir+"/uwsgi;\nscgi_temp_path "+dir+"/scgi;\n"+
		server+"}\n"), 0o600))
	startPeer(t, shellCommand(nginx, "-p", dir, "-c", config), regexp.MustCompile(`start worker process|(using the "[a-z]+" event method)`))

	var page *testkit.Page
	require.Eventually(t, func() bool {
		page, err = testkit.SignIn(idp, base+"/login", mockidp.DefaultLogin)
		return err == nil
	}, time.Minute, 100*time.Millisecond)
	assert.Equal(t, "hello "+mockidp.DefaultLogin, page.Body)

	forged, err := http.NewRequestWithContext(t.Context(), "POST", base+"/saml/acs",
		strings.NewReader("SAMLResponse="+strings.Repeat("A", 3<<20)))
	require.NoError(t, err)
	forged.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	forged.Header.Set("X-Real-IP", "192.0.2.1")
	c := http.Client{Transport: &http.Transport{DialContext: testkit.DialLoopback}}
	resp, err := c.Do(forged)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusForbidden, resp.StatusCode, "a body of 3 MiB reaches the consumer, which refuses it")
	clients.Range(func(client, _ any) bool {
		return assert.Equal(t, "127.0.0.1", client)
	})
	_, seen := clients.Load("127.0.0.1")
	assert.True(t, seen)
}
