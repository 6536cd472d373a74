package main_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// attackWith runs the subcommand and returns its exit status and output.
func attackWith(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(binary(t), append([]string{"attack"}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Start())
	stuck := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// attackKeys makes an identity provider with the program.
func attackKeys(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "idp")
	status, out, errs := attackWith(t, "-write-metadata", dir)
	require.Zero(t, status, errs)
	require.Contains(t, out, dir+"/metadata.xml")
	return dir
}

func TestAttackList(t *testing.T) {
	status, out, errs := attackWith(t, "-list")
	require.Zero(t, status, errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, len(run.List()))
	assert.Regexp(t, `^A01/response +refused +XSW1 `, lines[0])
	assert.Regexp(t, `(?m)^D41/digit +accepted `, out)
}

func TestAttackUsage(t *testing.T) {
	keys := attackKeys(t)
	target := func(args ...string) []string {
		return append([]string{"-keys", keys, "-sp-login", "http://127.0.0.1:1/login", "-acs", "http://127.0.0.1:1/acs",
			"-entity-id", "sp",
			"-probe", "http://127.0.0.1:1/", "-identity", "<b>(.*)</b>"}, args...)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":   {target("-nonsense"), "-nonsense"},
		"stray argument": {target("more"), `"more"`},
		"no keys":        {[]string{"-acs", "http://127.0.0.1:1/acs"}, "-keys"},
		"missing keys":   {[]string{"-keys", t.TempDir()}, "idp.json"},
		"no ACS":         {target("-acs", ""), "-acs"},
		"no sign-in":     {target("-sp-login", ""), "-sp-login"},
		"no entity ID":   {target("-entity-id", ""), "-entity-id"},
		"no probe":       {target("-probe", ""), "-probe"},
		"no identity":    {target("-identity", ""), "-identity"},
		"weak keys":      {target("-weak-keys"), "-write-metadata"},
		"own cert":       {target("-cert", filepath.Join(keys, "rsa.crt")), "-key"},
		"bad identity":   {target("-identity", "("), "-identity"},
		"unknown id":     {target("-only", "A01,Z99"), "Z99"},
		"unknown way":    {target("-sign", "neither"), `"neither"`},
		"attribute":      {target("-attribute", "role"), "NAME=VALUE"},
		"certificate":    {target("-encrypt-to", filepath.Join(keys, "idp.json")), "-encrypt-to"},
	} {
		t.Run(name, func(t *testing.T) {
			status, out, errs := attackWith(t, c.args...)
			assert.Equal(t, 2, status)
			assert.Empty(t, out)
			assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
			assert.True(t, strings.HasPrefix(errs, "mockidp: "), errs)
			assert.Contains(t, errs, c.want)
		})
	}
	status, out, _ := attackWith(t, "-h")
	assert.Zero(t, status)
	for _, flag := range []string{"-sp-login", "-allow-host", "-junit", "Exit status"} {
		assert.Contains(t, out, flag)
	}
}

// If nothing was run, the exit status isn't that of "all refused".
func TestAttackOfNothing(t *testing.T) {
	target := []string{"-keys", attackKeys(t), "-sp-login", "http://127.0.0.1:1/login", "-acs", "http://127.0.0.1:1/acs",
		"-entity-id", "sp",
		"-probe", "http://127.0.0.1:1/", "-identity", "<b>(.*)</b>", "-q"}
	for _, chosen := range [][]string{{"-only", "D04"}, {"-only", "A", "-skip", "A"}} {
		status, out, errs := attackWith(t, append(target, chosen...)...)
		assert.Equal(t, 3, status, "%v: %s%s", chosen, out, errs)
	}
}

// A report that can't be written is an error before the run. An earlier report stays until there is another.
func TestAttackLooksAtItsFilesFirst(t *testing.T) {
	var asked atomic.Int64
	sp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer sp.Close()
	keys, old := attackKeys(t), filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, os.WriteFile(old, []byte("{}"), 0o600))
	target := []string{"-keys", keys, "-sp-login", sp.URL, "-acs", sp.URL, "-entity-id", "sp", "-probe", sp.URL,
		"-identity", "<b>(.*)</b>", "-only", "B01"}
	for _, files := range [][]string{{"-json", filepath.Join(keys, "none", "report.json")},
		{"-json", old, "-junit", keys}} {
		status, out, errs := attackWith(t, append(target, files...)...)
		assert.Equal(t, 2, status, errs)
		assert.Empty(t, out)
	}
	assert.Zero(t, asked.Load())
	kept, err := os.ReadFile(old)
	require.NoError(t, err)
	assert.Equal(t, "{}", string(kept))
}

// examples/sp refuses every attack.
func TestAttackOnTheSampleServiceProvider(t *testing.T) {
	sp := filepath.Join(t.TempDir(), "sp")
	out, err := exec.Command("go", "build", "-o", sp, "../sp").CombinedOutput()
	require.NoError(t, err, string(out))
	keys := attackKeys(t)
	l, err := loopback.Listen(0) // at a port that is likely to be free still in a moment
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	at := "http://sp.localhost:" + port
	cmd := exec.Command(sp, "-idp-metadata", filepath.Join(keys, "metadata.xml"), "-base-url", at, "-listen", addr)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for in := bufio.NewScanner(stdout); in.Scan() && !strings.HasPrefix(in.Text(), "Listening on "); {
	}

	files := t.TempDir()
	status, said, errs := attackWith(t, "-keys", keys, "-sp-login", at+"/login", "-acs", at+"/saml/acs", "-entity-id",
		at+"/saml", "-probe", at+"/",
		"-identity", "Signed in as <strong>([^<]+)</strong>", "-only", "A,B,D", "-sign", "assertion,both", "-parallel", "2",
		"-json", filepath.Join(files, "report.json"), "-junit", filepath.Join(files, "report.xml"))
	assert.Zero(t, status, "%s%s", said, errs)
	assert.Empty(t, errs)
	assert.Regexp(t, `\d+ attacks in .*: 1 tolerated, \d+ refused, \d+ accepted, \d+ not run\n$`, said)
	assert.Regexp(t, `(?m)^D45/missing +tolerated .* some identity providers drop it`, said)
	assert.Regexp(t, `(?m)^A03/assertion +refused `, said)
	assert.Regexp(t, `(?m)^D28/merely-old +accepted .* as alice@example.com`, said)

	text, err := os.ReadFile(filepath.Join(files, "report.json"))
	require.NoError(t, err)
	var report run.Report
	require.NoError(t, json.Unmarshal(text, &report))
	assert.Equal(t, at+"/saml", report.ServiceProvider)
	text, err = os.ReadFile(filepath.Join(files, "report.xml"))
	require.NoError(t, err)
	var suites struct {
		Cases []struct {
			Name string `xml:"name,attr"`
		} `xml:"testsuite>testcase"`
	}
	require.NoError(t, xml.Unmarshal(text, &suites))
	assert.Len(t, suites.Cases, len(report.Results))
}

// If a service provider accepts everything, the exit status is 1, and the output names the identity.
func TestAttackLetIn(t *testing.T) {
	nameID := regexp.MustCompile(`NameID [^>]*>([^<]+)<`)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /acs", func(w http.ResponseWriter, r *http.Request) {
		text, _ := base64.StdEncoding.DecodeString(r.PostFormValue("SAMLResponse"))
		if m := nameID.FindSubmatch(text); m != nil {
			http.SetCookie(w, &http.Cookie{Name: "who", Value: string(m[1])})
		}
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("who"); err == nil {
			fmt.Fprintf(w, "Hello %s.", c.Value)
		}
	})
	sp := httptest.NewServer(mux)
	defer sp.Close()
	args := []string{"-keys", attackKeys(t), "-idp-initiated", "-acs", sp.URL + "/acs", "-entity-id", "sp", "-probe", sp.URL + "/", "-identity", `Hello (\S+)\.`}
	status, out, errs := attackWith(t, append(args, "-only", "A03/assertion", "-json", "-")...)
	assert.Equal(t, 1, status, errs)
	assert.Contains(t, errs, `A03/assertion  let in as "admin@example.com"`)
	var report run.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Len(t, report.Results, 1)
	assert.Equal(t, run.LetIn, report.Results[0].Verdict)

	sp.Close() // no server: everything stays open
	status, _, _ = attackWith(t, append(args, "-only", "A03/assertion", "-q")...)
	assert.Equal(t, 3, status)
}
