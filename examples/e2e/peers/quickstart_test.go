package peers_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The walks of examples/mockidp/QUICKSTART.md lead from nothing to a sign-in, and to the first attacks.
func TestQuickstart(t *testing.T) {
	if testing.Short() && !testkit.Required("peers") {
		testkit.Skip(t, "it builds a program and runs attacks")
	}
	testkit.RequireProgram(t, "peers", "xmlsec1")
	text, err := os.ReadFile("../../mockidp/QUICKSTART.md")
	require.NoError(t, err)
	sections := strings.Split(string(text), "\n## ")
	require.Len(t, sections, 4)
	for _, section := range sections[1:3] {
		name, _, _ := strings.Cut(section, "\n")
		t.Run(name, func(t *testing.T) { newWalk(t).follow(sections[0] + section) })
	}
}

// walk is a shell that runs the code blocks of a page, in order and in an empty folder.
type walk struct {
	t   *testing.T
	dir string
	in  io.WriteCloser
	out *bufio.Reader
	n   int // commands so far
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	w := &walk{t: t, dir: t.TempDir()}
	bin := t.TempDir()
	// The packages are installed already, and installing them again would need root and the network.
	w.script(bin, "sudo", `[ "$1 $2 $3" = "apt-get install -y" ] && shift 3 && dpkg-query -W "$@"`)
	shell := exec.Command(testkit.RequireProgram(t, "peers", "bash"))
	shell.Dir = w.dir
	shell.Env = append(os.Environ(), "PATH="+bin+":/usr/bin:/bin:"+os.Getenv("PATH"), "GOBIN="+bin)
	stdout, err := shell.StdoutPipe()
	require.NoError(t, err)
	shell.Stderr = shell.Stdout
	w.in, err = shell.StdinPipe()
	require.NoError(t, err)
	w.out = bufio.NewReader(stdout)
	require.NoError(t, shell.Start())
	t.Cleanup(func() { // the programs in the background end with the shell
		_, _ = io.WriteString(w.in, "kill $(jobs -p); wait; exit\n")
		_, _ = io.Copy(io.Discard, w.out)
		_ = shell.Wait()
	})
	return w
}

func (w *walk) script(dir, name, text string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700))
}

// run runs a block. It returns its output and the status of its last command.
func (w *walk) run(block string) (string, string) {
	w.t.Helper()
	w.n++
	end := fmt.Sprintf("== end of block %d:", w.n)
	_, err := io.WriteString(w.in, block+"status=$?; echo; echo '"+end+"' $status\n")
	require.NoError(w.t, err)
	var out strings.Builder
	for {
		line, err := w.out.ReadString('\n')
		if status, ok := strings.CutPrefix(line, end); ok {
			return out.String(), strings.TrimSpace(status)
		}
		out.WriteString(line)
		require.NoError(w.t, err, "%s\n%s", block, &out)
	}
}

var (
	step      = regexp.MustCompile("(?s)(?:Save this as `([a-z.]+)`:\n\n)?```([a-z]+)\n(.*?)```|Open <(http[^>]+)>")
	goInstall = "go install github.com/meridian-saml/meridian/examples/mockidp@latest"
	summary   = regexp.MustCompile(`(?m)^(No|[0-9]+) attacks? (was|were) let in: of [0-9]+ attacks`)
)

// follow does what the page says. Only the ports are replaced, and the release that "go install" builds by this module.
func (w *walk) follow(page string) {
	t := w.t
	began, signedIn, attacked := time.Now(), false, false
	page = strings.ReplaceAll(page, "mockidp -sp-metadata", "mockidp -listen 127.0.0.1:8701 -sp-metadata")
	for _, port := range []string{"8080", "8701"} {
		require.Contains(t, page, port)
		page = strings.ReplaceAll(page, port, strconv.Itoa(freePort(t)))
	}
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(page, goInstall))
	page = strings.Replace(page, goInstall, "go -C '"+root+"' install ./examples/mockidp", 1)
	for _, m := range step.FindAllStringSubmatch(page, -1) {
		file, language, text, address := m[1], m[2], m[3], m[4]
		switch {
		case address != "":
			require.EventuallyWithT(t, func(c *assert.CollectT) { // the mock may be reading the metadata still
				p, err := testkit.NewBrowser(t.Context()).SignIn(address, mockidp.DefaultLogin, mockidp.DefaultPassword)
				require.NoError(c, err)
				require.Contains(c, p.Body, "Hello, alice@example.com")
			}, time.Minute, 100*time.Millisecond)
			signedIn = true
		case file != "":
			require.NoError(t, os.WriteFile(filepath.Join(w.dir, file), []byte(text), 0o600))
		case language == "sh":
			out, status := w.run(text)
			t.Logf("%s\n%s", text, out)
			if strings.Contains(text, "-only A ") {
				require.Contains(t, "0 1 3", status, "attacks were run: see mockidp attack -h")
				require.Regexp(t, summary, out)
				attacked = true
				continue
			}
			require.Equal(t, "0", status, text)
		}
	}
	assert.True(t, signedIn)
	assert.True(t, attacked)
	assert.Less(t, time.Since(began), 5*time.Minute)
}
