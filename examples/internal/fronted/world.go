// Package fronted starts two applications behind nginx or Caddy and examples/forwardauth, for tests. The proxies have
// the configurations of its FORWARDAUTH.md.
package fronted

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The users, both with mockidp.DefaultPassword. The page's rules are about their groups.
const (
	Alice = "alice@example.com" // in wiki-admins and finance
	Bob   = "bob@example.com"   // in wiki-editors,finance, which is one group
)

// SecondFactor is Alice's.
const SecondFactor = "123456"

const idpHost = "http://idp.localhost:0"

// World is what Start starts.
type World struct {
	// Wiki and Reports are the origins of the applications, at the proxy.
	Wiki, Reports string
	// Gate is the address of forwardauth, which browsers don't reach in production.
	Gate string
	IdP  *mockidp.Server
}

// Request is what an application got. Both answer with it in JSON, within a page.
type Request struct {
	Application, Method, Target, Host string
	Header                            http.Header
}

// Of returns the request that an application got, of its answer.
func Of(t testing.TB, body string) (r Request) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(body), &r), body)
	return r
}

// Start starts all of it. proxy is "nginx" or "caddy". run starts forwardauth with these arguments.
func Start(t testing.TB, proxy string, run func(args ...string)) *World {
	t.Helper()
	program := map[string]string{"nginx": "/usr/sbin/nginx", "caddy": "/usr/bin/caddy"}[proxy]
	program = testkit.RequireProgram(t, "peers", proxy, program)
	front, gate, dir := freePort(t), freePort(t), t.TempDir()
	w := &World{
		Wiki: loopback.Origin("wiki.localhost", front), Reports: loopback.Origin("reports.localhost", front),
		Gate: loopback.Address(gate),
	}
	key := testkit.RSAKey("forwardauth")
	certificate := testkit.Certificate(key, time.Now())
	w.IdP = mockidp.New(mockidp.Config{
		BaseURL: idpHost,
		Users: []mockidp.User{
			{Login: Alice, FirstName: "Alice", LastName: "Adams", Groups: []string{"wiki-admins", "finance"},
				SecondFactor: SecondFactor},
			{Login: Bob, FirstName: "Bob", LastName: "Berg", Groups: []string{"wiki-editors,finance"}},
		},
		Apps: []mockidp.App{{
			Label: "Applications", Groups: []string{mockidp.Everyone}, LogoutURL: w.Wiki + "/.meridian/slo",
			GroupAttribute: &mockidp.GroupAttribute{}, Attributes: []mockidp.Attribute{
				{Name: "email", Values: []string{"${user.email}"}},
			},
		}},
	})
	t.Cleanup(w.IdP.Close)

	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	settings := strings.NewReplacer("https://wiki.example", w.Wiki, "https://reports.example", w.Reports).
		Replace(Block(t, "json"))
	for name, content := range map[string][]byte{
		"idp.xml": w.IdP.Metadata(""), "applications.json": []byte(settings),
		"key.pem":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	run("-listen", w.Gate, "-applications", filepath.Join(dir, "applications.json"),
		"-idp-metadata", filepath.Join(dir, "idp.xml"),
		"-key", filepath.Join(dir, "key.pem"), "-certificate", filepath.Join(dir, "cert.pem"))
	listens(t, w.Gate)

	w.startProxy(t, proxy, program, dir, front, application(t, "wiki"), application(t, "reports"))
	listens(t, loopback.Address(front))
	p, err := testkit.NewBrowser(t.Context()).Look(w.Wiki + "/.meridian/metadata")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, p.Status, p.Body)
	require.NoError(t, w.IdP.RegisterSP("", []byte(p.Body)))
	return w
}

// Block returns the code of FORWARDAUTH.md in a language.
func Block(t testing.TB, language string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root(t), "examples", "forwardauth", "FORWARDAUTH.md"))
	require.NoError(t, err)
	m := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(page, -1)
	require.Len(t, m, 1, "blocks in %s", language)
	return string(m[0][1])
}

// root returns the directory of the module.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no go.mod")
		dir = filepath.Dir(dir)
	}
}

// application starts one that answers with the requests that it gets, and returns its address.
func application(t testing.TB, name string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_ = json.NewEncoder(w).Encode(Request{name, r.Method, r.RequestURI, r.Host, r.Header})
	}))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := loopback.Listen(0)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return loopback.Port(l)
}

// listens waits until an address accepts connections.
func listens(t testing.TB, address string) {
	t.Helper()
	require.Eventually(t, func() bool {
		c, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, time.Minute, 20*time.Millisecond, address)
}
