package main_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// program builds the program once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mockidp")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "mockidp")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return path, nil
})

func TestMain(m *testing.M) {
	testkit.Main(m)
	if path, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
}

func binary(t *testing.T) string {
	t.Helper()
	path, err := program()
	require.NoError(t, err)
	return path
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestBadInputIsOneLineAndExit2(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	free := []string{"-listen", "127.0.0.1:0"}
	config := func(text string) []string { return append([]string{"-config", write(t, text)}, free...) }
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":   {[]string{"-nonsense"}, "-nonsense"},
		"stray argument": {[]string{"config.json"}, `"config.json"`},
		"port in use":    {[]string{"-listen", taken.Addr().String()}, "in use"},
		"control in use": {append([]string{"-control", taken.Addr().String(), "-control-token", "x"}, free...),
			"mockidp: -control: "},
		"not loopback":       {[]string{"-listen", "0.0.0.0:0"}, "-allow-non-loopback"},
		"every address":      {[]string{"-listen", ":0"}, "-allow-non-loopback"},
		"any SP":             {[]string{"-listen", "0.0.0.0:0", "-allow-non-loopback", "-any-sp"}, "-insecure-any-sp"},
		"any SP by the file": {[]string{"-listen", "0.0.0.0:0", "-allow-non-loopback", "-config-json", `{"anyServiceProvider": true}`}, "-insecure-any-sp"},
		"no port":            {[]string{"-listen", "127.0.0.1"}, "HOST:PORT"},
		"base URL":           {append([]string{"-base-url", "x"}, free...), "mockidp: -base-url: "},
		"help":               {[]string{"-nonsense"}, "(-h lists the flags)"},
		"fault by its flag":  {append([]string{"-fault", "drop,app=none"}, free...), "mockidp: -fault: no app"},
		"count by its flag":  {append([]string{"-fault", "drop,count=-1"}, free...), "mockidp: -fault: "},
		"attack by its flag": {append([]string{"-attack", "B01,app=none"}, free...), "mockidp: -attack: no app"},
		"SCIM by its flag": {append([]string{"-provision", "x", "-provision-token", "x"}, free...),
			"mockidp: -provision: "},
		"app by its flag": {append([]string{"-provision", "http://a.localhost", "-provision-token", "x", "-provision-app",
			"none"}, free...), "mockidp: -provision-app: no app"},
		"file by its flag":    {config(`{"apps": [{"label": "x", "groups": ["y"]}]}`), "mockidp: -config "},
		"missing file":        {append([]string{"-config", "/nonexistent/config.json"}, free...), "/nonexistent/config.json"},
		"a folder":            {append([]string{"-config", t.TempDir()}, free...), "directory"},
		"not JSON":            {config("{"), "line 1"},
		"empty":               {config(""), "EOF"},
		"unknown field":       {config("{\n\n\"user\": []}"), `line 3: the configuration: unknown field "user"`},
		"unknown inner field": {config(`{"apps": [{"label": "x", "acss": []}]}`), `apps[0]: unknown field "acss"`},
		"more after it":       {config(`{} {}`), "line 1: unexpected data after the configuration"},
		"unknown word":        {config(`{"apps": [{"label": "x", "sign": "none"}]}`), `apps[0].sign: want one of`},
		"duration":            {config(`{"sessionLifetime": "soon"}`), "soon"},
		"duplicate ACS":       {config(`{"apps": [{"label": "x", "acs": [{"url": "http://a.localhost/"}, {"url": "http://a.localhost/"}]}]}`), "twice"},
		"duplicate index":     {config(`{"apps": [{"label": "x", "acs": [{"url": "http://a.localhost/", "index": 1}, {"url": "http://b.localhost/", "index": 1}]}]}`), "index 1"},
		"unknown group":       {config(`{"apps": [{"label": "x", "groups": ["y"]}]}`), `"y"`},
		"unknown status":      {config(`{"users": [{"login": "x", "status": "gone"}]}`), `"gone"`},
		"certificate":         {config(`{"apps": [{"label": "x", "requestCertificates": ["y"]}]}`), "PEM"},
		"too many fields":     {config(`{"apps": [{"label": "x", "identityCenter": {"acsURLs": ["http://a.localhost/"]}}]}`), "AWS SSO ACS URL"},
		"more fields than 17": {config(`{"apps": [{"label": "x", "identityCenter": {"acsURL": "http://a.localhost/", "acsURLs": [` + strings.Repeat(`"",`, 17) + `""]}}]}`), "17"},
		"unknown fault":       {append([]string{"-fault", "flood"}, free...), `"flood"`},
		"which faults":        {append([]string{"-fault", "flood"}, free...), "cut-page"},
		"fault of nothing":    {append([]string{"-fault", "delay,fro=1s"}, free...), `"fro"`},
		"fault for how long":  {append([]string{"-fault", "delay,for=soon"}, free...), "soon"},
		"fault of no app":     {append([]string{"-fault", "drop,app=none"}, free...), `"none"`},
		"binding":             {append([]string{"-responses", "get"}, free...), `want one of ["post" "artifact" "artifactForm"]`},
		"channel":             {append([]string{"-logout", "x"}, free...), `want one of ["front" "back" "frame"]`},
		"control":             {append([]string{"-control", "0.0.0.0:0"}, free...), "loopback"},
		"control token":       {append([]string{"-control-token", "x"}, free...), "-control"},
		"provision app":       {append([]string{"-provision-app", "x"}, free...), "-provision"},
		"provision where":     {append([]string{"-provision", "a.localhost", "-provision-token", "x"}, free...), `"a.localhost"`},
		"provision whom":      {append([]string{"-provision", "http://a.localhost", "-provision-token", "x", "-provision-app", "none"}, free...), `"none"`},
		"provision":           {append([]string{"-provision", "http://a.localhost"}, free...), "-provision-token"},
		"attack":              {append([]string{"-attack", "Z99"}, free...), "Z99"},
		"attack of no ID":     {append([]string{"-attack", ",app=x"}, free...), "ID"},
		"attack on what":      {append([]string{"-attack", "B01,for=x"}, free...), `"for"`},
		"attack on no app":    {append([]string{"-attack", "B01,app=none"}, free...), `"none"`},
		"attack by the tool":  {append([]string{"-attack", "D48/put"}, free...), "mockidp attack can"},
		"attack in the file":  {config(`{"attacks": [{"id": "Z98"}]}`), "Z98"},
		"seed":                {append([]string{"-seed", "x"}, free...), "-seed"},
		"newline in a value":  {config(`{"apps": [{"label": "x", "groups": ["a\nb"]}]}`), `a\nb`},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			cmd := exec.Command(binary(t), c.args...)
			cmd.Stdout, cmd.Stderr = &out, &errs
			require.NoError(t, cmd.Start())
			stuck := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
			defer stuck.Stop()
			_ = cmd.Wait()
			assert.Equal(t, 2, cmd.ProcessState.ExitCode())
			assert.Empty(t, out.String())
			line := errs.String()
			assert.Equal(t, 1, strings.Count(line, "\n"), line)
			assert.True(t, strings.HasPrefix(line, "mockidp: "), line)
			assert.Contains(t, line, c.want)
			assert.NotContains(t, line, "goroutine")
		})
	}
}

func TestHelp(t *testing.T) {
	out, err := exec.Command(binary(t), "-h").Output()
	require.NoError(t, err)
	for _, flag := range []string{"-listen", "-config", "-base-url", "-allow-non-loopback", "-strict", "-odd-paths",
		"-sp-metadata", "-key", "-cert", "-state",
		"MOCKIDP_BASE_URL", "-config-json", "-print-config", "-seed", "-fault", "-federation", "-control", "-provision", "-attack", "mockidp attack -h",
		string(mockidp.Delay), string(mockidp.DropConnection), string(mockidp.ServerError),
		string(mockidp.CutPage), string(mockidp.CutResponse),
		string(mockidp.ClockSkew), string(mockidp.WrongContentType), string(mockidp.DuplicatePost)} {
		assert.Contains(t, string(out), flag)
	}
}

// running starts the program and returns the addresses that it announced, by the word before them, and a function
// that stops it and waits.
func running(t *testing.T, sig os.Signal, args ...string) (map[string][]string, func()) {
	t.Helper()
	cmd := exec.Command(binary(t), append([]string{"-listen", "127.0.0.1:0"}, args...)...)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	require.NoError(t, cmd.Start())
	stuck := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(stdout)
	found := map[string][]string{}
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if i := strings.Index(lines.Text(), "http://"); i >= 0 {
			found[f[0]] = append(found[f[0]], strings.Fields(lines.Text()[i:])[0])
		}
		if f[0] == "Sign" && f[1] == "in" && f[2] == "as" {
			break // the last line
		}
	}
	stop := sync.OnceFunc(func() {
		defer stuck.Stop()
		require.NoError(t, cmd.Process.Signal(sig))
		_, _ = io.Copy(io.Discard, stdout)
		assert.NoError(t, cmd.Wait(), "%v: %s", sig, errs.String())
		assert.Empty(t, errs.String())
	})
	t.Cleanup(stop)
	return found, stop
}

func TestSampleConfigServesUntilSignalled(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		found, stop := running(t, sig, "-config", "config.json")
		require.Len(t, found["Metadata"], 3)
		for _, urls := range found {
			for _, u := range urls {
				r, err := http.Get(u)
				require.NoError(t, err)
				body, _ := io.ReadAll(r.Body)
				r.Body.Close()
				assert.Equal(t, 200, r.StatusCode, u)
				assert.NotEmpty(t, body)
			}
		}
		stop()
	}
}

// What -print-config prints is a configuration file that prints the same again. It has no private key.
func TestPrintConfig(t *testing.T) {
	first, err := exec.Command(binary(t), "-print-config", "-config", "config.json", "-strict",
		"-fault", "delay,for=3s").Output()
	require.NoError(t, err)
	assert.Contains(t, string(first), `"for": "3s"`)
	assert.Contains(t, string(first), `"strict": true`)
	assert.NotContains(t, string(first), "PRIVATE KEY")
	again, err := exec.Command(binary(t), "-print-config", "-config", write(t, string(first))).Output()
	require.NoError(t, err)
	assert.Equal(t, string(first), string(again))
}

// A flag goes before its variable, and a variable before the file. Errors name the variable.
func TestEnvironmentVariables(t *testing.T) {
	printed := func(env []string, args ...string) (string, string) {
		cmd := exec.Command(binary(t), append([]string{"-print-config"}, args...)...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, append(os.Environ(), env...)
		_ = cmd.Run()
		return out.String(), errs.String()
	}
	file := `{"org": "File", "strict": true, "baseURL": "http://file.localhost:1", "seed": 1}`
	byFlags, _ := printed(nil, "-config-json", file, "-strict=false", "-base-url", "http://b.localhost:2", "-seed", "7",
		"-fault", "drop", "-fault", "delay,for=1s")
	byVariables, errs := printed([]string{"MOCKIDP_CONFIG_JSON=" + strings.ReplaceAll(file, ",", ",\n"),
		"MOCKIDP_STRICT=false", "MOCKIDP_BASE_URL=http://b.localhost:2", "MOCKIDP_SEED=8", "MOCKIDP_FAULT=drop\ndelay,for=1s"},
		"-seed", "7")
	require.Empty(t, errs)
	assert.Equal(t, byFlags, byVariables)
	assert.Contains(t, byFlags, `"baseURL": "http://b.localhost:2"`)
	assert.NotContains(t, byFlags, `"strict"`)
	for variable, want := range map[string]string{
		"MOCKIDP_STRICT=maybe":       `mockidp: MOCKIDP_STRICT: invalid value "maybe"`,
		"MOCKIDP_BASE_URL=x":         "mockidp: MOCKIDP_BASE_URL: it must be a scheme",
		"MOCKIDP_LISTEN=0.0.0.0:1":   `mockidp: MOCKIDP_LISTEN "0.0.0.0:1" is not a loopback address`,
		"MOCKIDP_CONFIG=/none.json":  "mockidp: MOCKIDP_CONFIG: open /none.json",
		"MOCKIDP_FAULT=flood":        "mockidp: MOCKIDP_FAULT: ",
		"MOCKIDP_FEDERATION=-1":      "mockidp: MOCKIDP_FEDERATION",
		"MOCKIDP_CERT=/none.pem":     "mockidp: MOCKIDP_CERT requires -key",
		"MOCKIDP_SP_METADATA=/none":  "mockidp: MOCKIDP_SP_METADATA /none: ",
		"MOCKIDP_CONFIG_JSON={\n1}":  "mockidp: MOCKIDP_CONFIG_JSON: line 2: ",
		"MOCKIDP_CONTROL_TOKEN=x":    "mockidp: MOCKIDP_CONTROL_TOKEN requires -control",
		"MOCKIDP_ATTACK=B01,app=no":  "mockidp: MOCKIDP_ATTACK: no app",
		"MOCKIDP_PROVISION_APP=none": "mockidp: MOCKIDP_PROVISION_APP requires -provision",
	} {
		out, errs := printed([]string{variable})
		assert.Contains(t, errs, want)
		assert.Empty(t, out)
	}
}

// The sample configuration has an app for examples/sp with its default flags, as described in the README.
func TestSampleConfigKnowsTheExampleServiceProvider(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	says := regexp.MustCompile(`(?m)^curl -fsS -o idp\.xml (http://127\.0\.0\.1:8701/.+)$`).FindSubmatch(readme)
	require.NotNil(t, says)
	registers := regexp.MustCompile(`(?m) -sp-metadata (http://127\.0\.0\.1:8720/\S+)$`).FindSubmatch(readme)
	require.NotNil(t, registers)
	found, _ := running(t, os.Interrupt, "-config", "config.json")
	i := slices.IndexFunc(found["Metadata"], func(u string) bool { return path(t, u) == path(t, string(says[1])) })
	require.GreaterOrEqual(t, i, 0, found)
	metadata := get(t, found["Metadata"][i], 200)

	dir := t.TempDir()
	sp := filepath.Join(dir, "sp")
	out, err := exec.Command("go", "build", "-o", sp, "../sp").CombinedOutput()
	require.NoError(t, err, string(out))
	file := filepath.Join(dir, "idp.xml")
	require.NoError(t, os.WriteFile(file, []byte(metadata), 0o600))
	cmd := exec.Command(sp, "-idp-metadata", file, "-listen", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	stuck := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	addr := ""
	for lines := bufio.NewScanner(stdout); addr == ""; {
		require.True(t, lines.Scan())
		if at, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			addr = at
		}
	}
	assert.Contains(t, get(t, "http://"+addr+"/login", 200), "Send a response to Service provider of examples/sp<")
	assert.Contains(t, get(t, "http://"+addr+path(t, string(registers[1])), 200), "EntityDescriptor")
}

// get follows redirects.
func get(t *testing.T, addr string, status int) string {
	t.Helper()
	r, err := http.Get(addr)
	require.NoError(t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, status, r.StatusCode, string(body))
	return string(body)
}

// path returns the path of an address.
func path(t *testing.T, addr string) string {
	t.Helper()
	u, err := url.Parse(addr)
	require.NoError(t, err)
	return u.Path
}

func TestOddPaths(t *testing.T) {
	metadata := func(args ...string) string {
		found, stop := running(t, os.Interrupt, args...)
		defer stop()
		require.Len(t, found["Metadata"], 1)
		return path(t, found["Metadata"][0])
	}
	odd := metadata("-odd-paths")
	assert.NotEqual(t, odd, metadata("-odd-paths"))
	assert.NotRegexp(t, "^/app/", odd)
	assert.Equal(t, metadata("-odd-paths", "-seed", "7"), metadata("-odd-paths", "-seed", "7"))
	assert.Regexp(t, "^/app/exk[0-9A-Za-z]{17}/sso/saml/metadata$", metadata())
	assert.Equal(t, metadata(), metadata())
}
