package examples_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The tutorial's program and configuration, as they are printed, sign a user in
// to Frankfurt while Virginia is down.
func TestTutorial(t *testing.T) {
	if testing.Short() {
		testkit.Skip(t, "it builds two programs")
	}
	text, err := os.ReadFile("../acs/TUTORIAL.md")
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), " is signed in to eu-central-1."),
		"the page says what the browser shows")
	const metadata = "http://127.0.0.1:8701/app/exk1tworegions/sso/saml/metadata"
	require.Contains(t, string(text), metadata)
	// Other tests may use the ports of the page.
	ports := map[string]string{}
	at := func(s string) string {
		for _, port := range []string{"8081", "8082", "8701"} {
			if ports[port] == "" {
				l, err := loopback.Listen(0)
				require.NoError(t, err)
				ports[port] = strconv.Itoa(loopback.Port(l))
				require.NoError(t, l.Close())
			}
			s = strings.ReplaceAll(s, ":"+port, ":"+ports[port])
		}
		return s
	}
	page := at(string(text))
	block := func(language string) []byte {
		m := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(page, -1)
		require.Len(t, m, 1, language)
		return []byte(m[0][1])
	}
	dir := t.TempDir()
	write := func(name string, text []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	write("main.go", block("go"))
	write("idp.json", block("json"))
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	sum, err := os.ReadFile("../go.sum")
	require.NoError(t, err)
	// This module and its requirements replace a release.
	write("go.mod", append(bytes.Replace(mod, []byte("module "+module), []byte("module example.com/two-regions"), 1),
		[]byte("\nrequire "+module+" v0.0.0\nreplace "+module+" => "+root+"\n")...))
	write("go.sum", sum)
	build := exec.Command("go", "build", "-mod=mod", "-o", "two-regions", ".")
	build.Dir = dir
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	mock := exec.Command("go", "build", "-o", filepath.Join(dir, "mockidp"), "./mockidp")
	out, err = mock.CombinedOutput()
	require.NoError(t, err, "%s", out)

	start := func(name string, args ...string) context.CancelFunc {
		ctx, stop := context.WithCancel(t.Context())
		cmd := exec.CommandContext(ctx, filepath.Join(dir, name), args...)
		cmd.Dir = dir
		require.NoError(t, cmd.Start())
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		end := func() { stop(); <-done }
		t.Cleanup(end)
		return end
	}
	answers := func(address string) {
		require.Eventually(t, func() bool {
			c := http.Client{Transport: &http.Transport{DialContext: testkit.DialLoopback}, Timeout: time.Second}
			r, err := c.Get(address)
			if err == nil {
				r.Body.Close()
			}
			return err == nil
		}, time.Minute, 20*time.Millisecond, address)
	}

	start("mockidp", "-config", "idp.json", "-listen", at("127.0.0.1:8701"))
	answers(at(metadata))
	resp, err := http.Get(at(metadata))
	require.NoError(t, err)
	defer resp.Body.Close()
	var idp bytes.Buffer
	_, err = idp.ReadFrom(resp.Body)
	require.NoError(t, err)
	write("idp.xml", idp.Bytes())

	virginia := start("two-regions", "-region", "us-east-1")
	start("two-regions", "-region", "eu-central-1")
	for _, region := range []string{"us-east-1.localhost:8081", "eu-central-1.localhost:8082"} {
		answers(at("http://" + region + "/metadata"))
	}
	signIn := func() {
		b := testkit.NewBrowser(t.Context())
		p, err := b.SignIn(at("http://eu-central-1.localhost:8082/"), "alice@example.com", "mockidp")
		require.NoError(t, err)
		require.Contains(t, p.Text(), "alice@example.com is signed in to eu-central-1.")
	}
	signIn()
	virginia()
	signIn()
}
