package main_test

import (
	"bufio"
	"bytes"
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
)

var program = built.New()

func TestMain(m *testing.M) { program.Main(m) }

// command is the program, to be started by the caller. It is killed if it
// takes longer than anything here should.
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
		"unknown flag":          {[]string{"-nonsense"}, "-nonsense"},
		"stray argument":        {with("more"), `"more"`},
		"no metadata":           {nil, "-idp-metadata"},
		"missing file":          {[]string{"-idp-metadata", "/nonexistent/idp.xml"}, "/nonexistent/idp.xml"},
		"a folder":              {[]string{"-idp-metadata", t.TempDir()}, "directory"},
		"not metadata":          {[]string{"-idp-metadata", write(t, []byte("<html>\n</html>"))}, "-idp-metadata"},
		"empty metadata":        {[]string{"-idp-metadata", write(t, nil)}, "-idp-metadata"},
		"port in use":           {with("-listen", taken.Addr().String()), "in use"},
		"not an ACS":            {with("-acs", "us-east-1"), "REGION=URL"},
		"not a URL":             {with("-acs", "us-east-1=%%"), "-acs"},
		"ACS without a Region":  {with("-acs", "https://admin:hunter2@a.example/acs"), "REGION=URL"},
		"ACS that has no end":   {with("-acs", "us-east-1=https://admin:hunter2@[::1"), "-acs"},
		"ACS with a password":   {with("-acs", "us-east-1=https://admin:hunter2@a.example/acs"), "…@a.example"},
		"not an absolute URL":   {with("-base-url", "x"), "x/saml/acs"},
		"duplicate ACS":         {with("-acs", "a=https://a.example/acs", "-acs", "b=https://a.example/acs"), "https://a.example/acs"},
		"http and not loopback": {with("-base-url", "http://signin.example"), "http://signin.example"},
		"unknown Region":        {with("-acs", "a=https://a.example/acs", "-region", "b"), `"b"`},
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
		})
	}
}

func TestHelp(t *testing.T) {
	out, err := command(t, "-h").Output()
	require.NoError(t, err)
	for _, flag := range []string{"-listen", "-idp-metadata", "-base-url", "-acs", "-region"} {
		assert.Contains(t, string(out), flag)
	}
}

func TestProgramServes(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	cmd := command(t, "-idp-metadata", write(t, idp.Metadata("")), "-listen", "127.0.0.1:0", "-region", "eu-central-1",
		"-acs", "us-east-1=https://us-east-1.signin.example/saml/acs", "-acs", "eu-central-1=https://eu-central-1.signin.example/saml/acs")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	var said []string
	addr := ""
	for in := bufio.NewScanner(stdout); addr == "" && in.Scan(); {
		said = append(said, strings.Join(strings.Fields(in.Text()), " "))
		addr, _ = strings.CutPrefix(in.Text(), "Listening on ")
		if addr == in.Text() {
			addr = ""
		}
	}
	require.Len(t, said, 4)
	assert.Equal(t, []string{
		"Entity ID https://us-east-1.signin.example/saml",
		"ACS URL 0 https://us-east-1.signin.example/saml/acs us-east-1",
		"ACS URL 1 https://eu-central-1.signin.example/saml/acs eu-central-1",
	}, said[:3])
	res, err := http.Get("http://" + addr + "/metadata")
	require.NoError(t, err)
	defer res.Body.Close()
	metadata, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, idp.RegisterSP("", metadata))
	app, _ := idp.App("")
	require.Len(t, app.ACS, 2)
	assert.Equal(t, "https://us-east-1.signin.example/saml/acs", app.ACS[0].URL)
}
