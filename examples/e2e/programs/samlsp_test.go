package programs_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The programs of crewjam/saml, from its README and its example folder, run on package samlspcompat after what
// MIGRATING.md says in step 1. The program of step 5 takes their place.
func TestProgramsOfSAMLSP(t *testing.T) {
	guide, err := os.ReadFile("../../../acs/samlspcompat/MIGRATING.md")
	require.NoError(t, err)
	blocks := codeBlocks(string(guide))
	require.Len(t, blocks["sh"], 1)
	crewjam := strings.TrimSpace(goOutput(t, "list", "-m", "-f", "{{.Dir}}", "github.com/crewjam/saml"))
	readme, err := os.ReadFile(filepath.Join(crewjam, "README.md"))
	require.NoError(t, err)
	trivial, err := os.ReadFile(filepath.Join(crewjam, "example", "trivial", "trivial.go"))
	require.NoError(t, err)
	small := programWith(t, codeBlocks(string(readme))["golang"], "samlsp.New(samlsp.Options{")
	next := programWith(t, blocks["go"], "middleware.New(")
	for name, p := range map[string]struct {
		source  string
		migrate string // a script, or empty
		logout  string // the path of the program's logout, or empty
	}{
		"README":  {source: small, migrate: blocks["sh"][0]},
		"trivial": {source: string(trivial), migrate: blocks["sh"][0], logout: "/logout"},
		"step 5":  {source: next, logout: "/saml/logout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newProgramWorld(t)
			w.run(p.source, p.migrate)
			w.signIn()
			if p.logout != "" {
				w.signOut(p.logout)
			}
		})
	}
}

// codeBlocks returns the blocks of a page, by their language.
func codeBlocks(page string) map[string][]string {
	out := make(map[string][]string)
	for _, m := range regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```").FindAllStringSubmatch(page, -1) {
		out[m[1]] = append(out[m[1]], m[2])
	}
	return out
}

// programWith returns the one whole program that has a text.
func programWith(t *testing.T, blocks []string, text string) string {
	t.Helper()
	var found []string
	for _, b := range blocks {
		if strings.Contains(b, "func main()") && strings.Contains(b, text) {
			found = append(found, b)
		}
	}
	require.Len(t, found, 1)
	if !strings.HasPrefix(found[0], "package main") {
		return "package main\n\n" + found[0]
	}
	return found[0]
}

// programWorld has a mock, the files of a program, and a browser.
type programWorld struct {
	t    *testing.T
	dir  string
	port string
	idp  *mockidp.Server
	b    *testkit.Browser
}

func newProgramWorld(t *testing.T) *programWorld {
	t.Helper()
	w := &programWorld{t: t, dir: t.TempDir(), b: testkit.NewBrowser(t.Context())}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, w.port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	w.idp = mockidp.New(mockidp.Config{Users: []mockidp.User{{
		Login: mockidp.DefaultLogin, Attributes: map[string][]string{"displayName": {"Alice <Adams>"}},
	}}})
	t.Cleanup(w.idp.Close)
	key := testkit.RSAKey("samlsp program")
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	w.file("myservice.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	w.file("myservice.cert", pem.EncodeToMemory(&pem.Block{
		Type: "CERTIFICATE", Bytes: testkit.Certificate(key, time.Now()).Raw,
	}))
	w.file("idp-metadata.xml", w.idp.Metadata(""))
	return w
}

func (w *programWorld) file(name string, content []byte) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, name), content, 0o600))
}

func (w *programWorld) url(path string) string { return "http://localhost:" + w.port + path }

// run changes a program, builds it as a package of this module, starts it, and registers it with the mock.
func (w *programWorld) run(source, migrate string) {
	t := w.t
	t.Helper()
	w.file("main.go", []byte(source))
	if migrate != "" {
		cmd := exec.Command("sh", "-ec", migrate)
		cmd.Dir = w.dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		changed, err := os.ReadFile(filepath.Join(w.dir, "main.go"))
		require.NoError(t, err)
		require.Contains(t, string(changed), "samlspcompat.New(samlsp.Options{")
		source = string(changed)
	}
	for _, at := range []string{`"localhost:8000"`, `":8000"`} {
		source = strings.ReplaceAll(source, at, `"127.0.0.1:`+w.port+`"`)
	}
	w.file("main.go", []byte(strings.ReplaceAll(source, "localhost:8000", "localhost:"+w.port)))
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "examples", "migrated", "main.go"): filepath.Join(w.dir, "main.go"),
	}})
	require.NoError(t, err)
	w.file("overlay.json", overlay)
	program := filepath.Join(w.dir, "program")
	with := filepath.Join(w.dir, "overlay.json")
	goOutput(t, "build", "-C", root, "-overlay", with, "-o", program, "./examples/migrated")
	args := []string{}
	if strings.Contains(source, `"idp-metadata", ""`) {
		args = append(args, "-idp-metadata", "idp-metadata.xml")
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = w.dir
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var metadata *testkit.Page
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		p, err := w.b.Look(w.url("/saml/metadata"))
		require.NoError(c, err)
		require.Equal(c, http.StatusOK, p.Status)
		metadata = p
	}, time.Minute, 50*time.Millisecond)
	require.NoError(t, w.idp.RegisterSP("", []byte(metadata.Body)))
}

// signIn signs in from the program's page, and reads it a second time.
func (w *programWorld) signIn() {
	t := w.t
	t.Helper()
	p, err := w.b.SignInAs(w.idp, w.url("/hello"), mockidp.DefaultLogin)
	require.NoError(t, err)
	require.Equal(t, w.url("/hello"), p.URL.String())
	require.Contains(t, p.Text(), "Hello, Alice")
	p, err = w.b.Look(w.url("/hello"))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, p.Status)
}

// signOut signs out by the program's page, which may ask first.
func (w *programWorld) signOut(path string) {
	t := w.t
	t.Helper()
	var p *testkit.Page
	var err error
	if path == "/logout" {
		p, err = w.b.Open(w.url(path))
		require.NoError(t, err)
		require.Contains(t, p.Body, "Sign out?")
		// Until the button is pressed, the session goes on.
		still, err := w.b.Look(w.url("/hello"))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, still.Status)
		require.Len(t, p.Forms(), 1)
		p, err = w.b.Submit(p, p.Forms()[0], nil)
		require.NoError(t, err)
	} else {
		p, err = w.b.Go(testkit.Navigation{From: w.url(""), Method: http.MethodPost, URL: w.url(path),
			Form: url.Values{}, User: true})
		require.NoError(t, err)
	}
	require.Equal(t, http.StatusOK, p.Status, fmt.Sprint(p.URL, p.Body))
	over, err := w.b.Look(w.url("/hello"))
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, over.Status)
}
