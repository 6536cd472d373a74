package peers_test

import (
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/npm"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The example program of crewjam/saml signs a user in. It is the file of the module; only its port, 8000, is changed.
func TestCrewjamExample(t *testing.T) {
	if testing.Short() && !testkit.Required("peers") {
		testkit.Skip(t, "it builds a program")
	}
	const module = "github.com/crewjam/saml"
	source, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	require.NoError(t, err)
	program, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(source)), "example/trivial/trivial.go"))
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(program), "localhost:8000"))
	x := newExample(t, "http://localhost")
	x.write("trivial.go", string(program), "http://localhost:8000", x.base,
		"localhost:8000", strings.TrimPrefix(x.base, "http://"))
	x.write("go.mod", "module example.com/trivial\n\ngo 1.26.0\n\nrequire "+module+" "+moduleVersion(t, module)+"\n")
	sum, err := os.ReadFile("../../../go.sum")
	require.NoError(t, err)
	x.write("go.sum", string(sum))
	build := exec.Command("go", "build", "-mod=mod", "-o", "trivial", ".")
	build.Dir = x.dir
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	own := peerSPKey()
	key, err := x509.MarshalPKCS8PrivateKey(own.key)
	require.NoError(t, err)
	x.write("myservice.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	x.write("myservice.cert", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.cert.Raw})))

	// One line starts the identity provider. It has the host of the example, whose cookie has no SameSite: testkit's
	// browser sends it with a POST from the same site only.
	idp := x.startMock("localhost", "-sp-metadata", x.base+"/saml/metadata")
	x.write("idp-metadata.xml", string(x.get(idp+"/metadata")))
	x.start("/saml/metadata", "./trivial", "-idp-metadata", "idp-metadata.xml")
	page := x.signIn("/hello")
	assert.Equal(t, "Hello, !", page.Body, "the mock's default user has no attribute displayName")
	assert.Equal(t, http.StatusOK, page.Status)
}

// The examples in the README of @node-saml/passport-saml sign a user in. Only their addresses are changed: that of the
// service provider, and the identity provider's single sign-on URL. testdata/passport-saml.mjs is the application
// around them.
func TestPassportSAMLExample(t *testing.T) {
	node := testkit.RequireProgram(t, "peers", "node")
	modules, err := npm.Modules("@node-saml/passport-saml@5.1.1", "passport@0.7.0", "express@5.3.0",
		"express-session@1.19.0")
	if err != nil {
		testkit.Lacking(t, "peers", "npm packages: "+err.Error())
	}
	readme, err := os.ReadFile(filepath.Join(modules, "@node-saml/passport-saml/README.md"))
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```javascript\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	block := func(begins string) string {
		at := slices.IndexFunc(blocks, func(b []string) bool { return strings.HasPrefix(b[1], begins) })
		require.GreaterOrEqual(t, at, 0, "a block that begins with %q", begins)
		return blocks[at][1]
	}
	app, err := os.ReadFile(peerScript(t, "passport-saml.mjs"))
	require.NoError(t, err)
	program := strings.NewReplacer(
		"// README: strategy\n", block(`import { readFileSync } from "node:fs"`),
		"// README: login\n", block(`app.get("/login"`),
		"// README: callback\n", block("app.post(\n  \"/login/callback\""),
		"// README: metadata\n", block(`app.get("/metadata"`)).Replace(string(app))

	x := newExample(t, "http://127.0.0.1")
	idp := x.startMock("127.0.0.1", "-sp-metadata", x.base+"/metadata")
	var metadata crewjam.EntityDescriptor
	require.NoError(t, xml.Unmarshal(x.get(idp+"/metadata"), &metadata))
	role := metadata.IDPSSODescriptors[0]
	x.write("app.mjs", program, "https://sp.example.com", x.base,
		"https://idp.example.com/sso", role.SingleSignOnServices[0].Location)
	x.write("idp-signing-cert.pem", "-----BEGIN CERTIFICATE-----\n"+
		role.KeyDescriptors[0].KeyInfo.X509Data.X509Certificates[0].Data+"\n-----END CERTIFICATE-----\n")
	require.NoError(t, os.Symlink(modules, filepath.Join(x.dir, "node_modules"))) // import ignores NODE_PATH
	x.start("/metadata", node, "app.mjs", x.base[strings.LastIndex(x.base, ":")+1:])
	assert.Equal(t, "Hello, alice@example.com", x.signIn("/login").Body)
}

// example is an example program of another project in a folder of its own.
type example struct {
	t    *testing.T
	dir  string
	base string // its address
}

// newExample returns one with a free port at an origin.
func newExample(t *testing.T, origin string) *example {
	t.Helper()
	return &example{t, t.TempDir(), origin + ":" + strconv.Itoa(freePort(t))}
}

// write writes a file. Each old text is replaced by the new one after it.
func (x *example) write(name, text string, oldnew ...string) {
	x.t.Helper()
	for i := 0; i < len(oldnew); i += 2 {
		require.Contains(x.t, text, oldnew[i])
	}
	text = strings.NewReplacer(oldnew...).Replace(text)
	require.NoError(x.t, os.WriteFile(filepath.Join(x.dir, name), []byte(text), 0o600))
}

// start starts a program in the folder, and waits until one of its pages answers.
func (x *example) start(path, program string, args ...string) {
	x.t.Helper()
	cmd := shellCommand("sh", append([]string{"-c", `echo started; exec "$@"`, "sh", program}, args...)...)
	cmd.Dir = x.dir
	startPeer(x.t, cmd, regexp.MustCompile(`(started)`))
	c := http.Client{Transport: &http.Transport{DialContext: testkit.DialLoopback}, Timeout: 10 * time.Second}
	require.Eventually(x.t, func() bool {
		resp, err := c.Get(x.base + path)
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	}, time.Minute, 50*time.Millisecond, path)
}

// startMock starts the mock identity provider, which waits for the metadata of the example. It returns its address.
func (x *example) startMock(host string, args ...string) string {
	x.t.Helper()
	program := filepath.Join(x.t.TempDir(), "mockidp")
	out, err := exec.Command("go", "build", "-o", program, "../../mockidp").CombinedOutput()
	require.NoError(x.t, err, "%s", out)
	port := strconv.Itoa(freePort(x.t))
	base := "http://" + host + ":" + port
	cmd := shellCommand(program, append([]string{"-listen", "127.0.0.1:" + port, "-base-url", base}, args...)...)
	startPeer(x.t, cmd, regexp.MustCompile(`(not for production)`))
	return base
}

// signIn signs in at a page of the example, as soon as the mock has registered it.
func (x *example) signIn(path string) (page *testkit.Page) {
	x.t.Helper()
	require.EventuallyWithT(x.t, func(c *assert.CollectT) {
		var err error
		page, err = testkit.NewBrowser(x.t.Context()).SignIn(x.base+path, mockidp.DefaultLogin, mockidp.DefaultPassword)
		require.NoError(c, err)
		require.Equal(c, strings.TrimPrefix(x.base, "http://"), page.URL.Host, page.Text())
	}, time.Minute, 100*time.Millisecond)
	return page
}

// get returns a page.
func (x *example) get(address string) []byte {
	x.t.Helper()
	return []byte(newPeerBrowser(x.t).open(address).body)
}
