package main_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const longToken = "0123456789abcdef"

// status sends a GET with a Host and a token, and returns the status.
func status(t *testing.T, addr, host, token string) int {
	t.Helper()
	req, err := http.NewRequest("GET", addr, nil)
	require.NoError(t, err)
	req.Host = host
	if token != "" {
		req.Header.Set("Authorization", "SSWS "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	return resp.StatusCode
}

// Beyond loopback the control API takes calls that have the token, by any name, and the sign-in pages are served under
// the names of -host.
func TestControlBeyondLoopback(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(longToken+"\n"), 0o600))
	for _, args := range [][]string{{"-control-token", longToken}, {"-control-token-file", file}} {
		found, stop := running(t, os.Interrupt, append(args, "-control", "0.0.0.0:0", "-control-host", "idp",
			"-host", "mockidp", "-control-origin", "http://localhost:*")...)
		at := found["Control"][0]
		at = "http://127.0.0.1" + at[strings.LastIndex(at, ":"):]
		assert.Equal(t, 200, status(t, at+"/api/v1/users", "mockidp:8702", longToken))
		assert.Equal(t, 421, status(t, at+"/api/v1/users", "mockidp:8702", "x"+longToken))
		assert.Equal(t, 421, status(t, at+"/", "mockidp:8702", ""))
		assert.Equal(t, 401, status(t, at+"/", "idp:8702", ""))
		assert.Equal(t, 200, status(t, at+"/healthz", "192.0.2.1", ""))

		signIn := found["Sign"][0]
		assert.Equal(t, 200, status(t, signIn, "mockidp:8701", ""))
		assert.Equal(t, 421, status(t, signIn, "idp:8701", ""))

		req, err := http.NewRequest("OPTIONS", at+"/api/v1/users", nil)
		require.NoError(t, err)
		req.Header.Set("Origin", "http://localhost:5173")
		req.Header.Set("Access-Control-Request-Method", "POST")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, 204, resp.StatusCode)
		stop()
	}
}

func TestControlFlags(t *testing.T) {
	empty, two := filepath.Join(t.TempDir(), "empty"), filepath.Join(t.TempDir(), "two")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	require.NoError(t, os.WriteFile(two, []byte(longToken+"\n"+longToken), 0o600))
	for want, args := range map[string][]string{
		"requires -control-token or":    {"-control", "0.0.0.0:0"},
		"with at least 16 characters":   {"-control", ":0", "-control-token", longToken[1:]},
		"exclude each other":            {"-control", ":0", "-control-token", longToken, "-control-token-file", empty},
		"want one word in " + empty:     {"-control", ":0", "-control-token-file", empty},
		"want one word in " + two:       {"-control", "127.0.0.1:0", "-control-token-file", two},
		"no such file":                  {"-control", ":0", "-control-token-file", empty + "x"},
		"-control-host requires":        {"-control-host", "x"},
		"-control-origin requires":      {"-control-origin", "http://localhost"},
		"-control-token requires":       {"-control-token", longToken},
		"-control-token-file requires":  {"-control-token-file", two},
		"-control-origin: want":         {"-control", ":0", "-control-origin", "*"},
		"-host: it: want a host name":   {"-listen", "127.0.0.1:0", "-host", "http://x"},
		"-healthcheck takes one":        {"-healthcheck", "http://x", "y"},
		"-healthcheck: want a URL such": {"-healthcheck", "x"},
	} {
		var errs bytes.Buffer
		cmd := exec.Command(binary(t), args...)
		cmd.Stderr = &errs
		require.NoError(t, cmd.Start())
		_ = cmd.Wait()
		assert.Equal(t, 2, cmd.ProcessState.ExitCode(), want)
		assert.Contains(t, strings.ReplaceAll(errs.String(), `"`, ""), want)
		assert.Equal(t, 1, strings.Count(errs.String(), "\n"))
	}
}

func TestHealthcheck(t *testing.T) {
	found, stop := running(t, os.Interrupt, "-control", "127.0.0.1:0")
	ill := httptest.NewServer(http.NotFoundHandler())
	defer ill.Close()
	at, err := url.Parse(found["Sign"][0])
	require.NoError(t, err)
	signIn := "http://" + at.Host
	check := func(addr string) int {
		cmd := exec.Command(binary(t), "-healthcheck", addr)
		cmd.Env = append(os.Environ(), "http_proxy=http://127.0.0.1:1")
		_ = cmd.Run()
		return cmd.ProcessState.ExitCode()
	}
	assert.Equal(t, 0, check(signIn+"/healthz"))
	assert.Equal(t, 0, check(found["Control"][0]+"/healthz"))
	assert.Equal(t, 1, check(ill.URL+"/healthz"))
	stop()
	assert.Equal(t, 1, check(signIn+"/healthz"))
}
