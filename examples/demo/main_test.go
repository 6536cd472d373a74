package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/built"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

var demo = built.New()

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		uselessCLI(os.Args[1])
	}
	demo.Main(m)
}

// uselessCLI is the process of an AWS command line whose commands fail.
func uselessCLI(command string) {
	switch command {
	case "--version":
		fmt.Println("aws-cli/2.99.0")
		os.Exit(0)
	case "sso", "sts":
		os.Exit(1)
	}
}

// command returns the program, to be started by the caller. It is killed after
// hang.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	testkit.Long(t, "", "it builds and runs the program")
	return demo.Command(t, hang, args...)
}

// hang is a limit that only a hanging test reaches.
const hang = 3 * time.Minute

func TestWalk(t *testing.T) { walked(t, 40) }

func TestWalkOfProcesses(t *testing.T) {
	assert.Contains(t, walked(t, 15, "-processes")[11], "0 differences")
}

// walked runs a walk and returns its output. All steps hold, and no file is left.
func walked(t *testing.T, steps int, args ...string) []string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd, dir := command(t, append(args, "-walk")...), t.TempDir()
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, append(os.Environ(), "TMPDIR="+dir)
	require.NoError(t, cmd.Run(), out.String()+errs.String())
	assert.Empty(t, errs.String())
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Len(t, lines, steps+1, out.String())
	for i, line := range lines[:steps] {
		assert.Regexp(t, fmt.Sprintf(`^%d\. ok    \S.*\S$`, i+1), line)
	}
	assert.Equal(t, fmt.Sprintf("%d of %d steps held", steps, steps), lines[steps])
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left, "directories that were left behind")
	return lines
}

func TestBadInputIsOneLineAndExit2(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":   {[]string{"-nonsense"}, "-nonsense"},
		"stray argument": {[]string{"walk"}, `"walk"`},
		"bad value":      {[]string{"-walk=perhaps"}, "perhaps"},
		"both":           {[]string{"-walk", "-open"}, "-open"},
		"newline":        {[]string{"-a\nb"}, "-a b"},
		"no page":        {[]string{"-processes", "-open"}, "-open"},
		"no parent":      {[]string{childFlag}, "did not call Start"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			cmd := command(t, c.args...)
			cmd.Stdout, cmd.Stderr = &out, &errs
			require.Error(t, cmd.Run())
			assert.Equal(t, 2, cmd.ProcessState.ExitCode())
			assert.Empty(t, out.String())
			assert.Equal(t, 1, strings.Count(errs.String(), "\n"), errs.String())
			assert.True(t, strings.HasPrefix(errs.String(), "demo: "), errs.String())
			assert.Contains(t, errs.String(), c.want)
			assert.NotContains(t, errs.String(), "goroutine")
		})
	}
}

func TestHelp(t *testing.T) {
	out, err := command(t, "-h").Output()
	require.NoError(t, err)
	for _, flag := range []string{"-open", "-walk", "-processes", "-v"} {
		assert.Contains(t, string(out), flag)
	}
	assert.NotContains(t, string(out), childFlag)
}

// If its usual ports are in use, the demo uses others and prints that. It
// prints six lines at most, serves until a signal ends it, and exits with 0.
func TestPortsInUse(t *testing.T) {
	held := map[string]bool{}
	for _, port := range []string{"8700", "8701", "8702", "8711", "8712"} {
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			defer l.Close()
			held[port] = true
		} // otherwise another program has it, and may close it
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := command(t)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var lines, urls []string
		for in := bufio.NewScanner(stdout); len(urls) < 5 && in.Scan(); {
			lines = append(lines, in.Text())
			urls = append(urls, regexp.MustCompile(`http://[a-z0-9.-]*localhost:\d+/\S*`).FindAllString(in.Text(), -1)...)
		}
		require.Len(t, urls, 5, lines)
		assert.LessOrEqual(t, len(lines), 6)
		assert.Contains(t, lines[0], "Some of its usual ports are in use")
		assert.Contains(t, strings.Join(lines, "\n"), "alice@example.com")
		for _, u := range urls {
			at, err := url.Parse(u)
			require.NoError(t, err)
			assert.False(t, held[at.Port()], u)
			req, err := http.NewRequest("GET", regexp.MustCompile(`//[^:]*`).ReplaceAllString(u, "//127.0.0.1"), nil)
			require.NoError(t, err)
			res, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
			require.NoError(t, err)
			res.Body.Close()
			assert.Contains(t, []int{200, 302, 303, 503}, res.StatusCode, u) // 503: a Region that is not added
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		require.NoError(t, cmd.Process.Signal(sig))
		assert.NoError(t, cmd.Wait(), "%v: %s", sig, errs.String())
		assert.Empty(t, errs.String())
	}
}
