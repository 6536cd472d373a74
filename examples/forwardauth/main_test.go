package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/program"
	"github.com/meridian-saml/meridian/mockidp"
)

// files writes the files of a small configuration, and returns the flags for them.
func files(t *testing.T) []string {
	t.Helper()
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	dir := t.TempDir()
	settings := `{"applications": [{"url": "https://wiki.example", "rules": [{"path": "/"}]}]}`
	var flags []string
	for name, content := range map[string]string{"applications": settings, "idp-metadata": string(idp.Metadata(""))} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		flags = append(flags, "-"+name, filepath.Join(dir, name))
	}
	return flags
}

func TestBadFlags(t *testing.T) {
	good := slices.Clip(files(t))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"none":         {nil, "-applications FILE"},
		"argument":     {append(good, "wiki"), `"wiki"`},
		"no file":      {append(good, "-applications", "none.json"), "none.json"},
		"no JSON":      {append(good, "-applications", "main.go"), "-applications"},
		"no metadata":  {append(good, "-idp-metadata", "main.go"), "-idp-metadata"},
		"key alone":    {append(good, "-key", "main.go"), "-certificate"},
		"no key":       {append(good, "-key", "main.go", "-certificate", "main.go"), "-key"},
		"reachable":    {append(good, "-listen", "0.0.0.0:0"), "-proxy-secret"},
		"short secret": {append(good, "-proxy-secret", good[1]), "-proxy-secret"},
	} {
		code, err := run(t.Context(), c.args, io.Discard)
		require.Equal(t, program.Usage, code, name)
		require.ErrorContains(t, err, c.want, name)
	}
	var help bytes.Buffer
	_, err := run(t.Context(), []string{"-h"}, &help)
	require.Error(t, err)
	require.Contains(t, help.String(), "-proxy-secret")
}

// On a Unix socket, a question without the proxy's headers, or with two values of one, is refused.
func TestQuestionsOnASocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	start(t, append(files(t), "-listen", "unix:"+socket)...)
	c := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	ask := func(path string, header ...string) (status int) {
		require.Eventually(t, func() bool {
			r, err := http.NewRequestWithContext(t.Context(), "GET", "http://forwardauth"+path, nil)
			require.NoError(t, err)
			for _, h := range header {
				name, value, _ := strings.Cut(h, ": ")
				r.Header.Add(name, value)
			}
			resp, err := c.Do(r)
			if err == nil {
				_ = resp.Body.Close()
				status = resp.StatusCode
			}
			return err == nil
		}, hang, tick)
		return status
	}
	const method, host, target = "X-Forwarded-Method: GET", "X-Forwarded-Host: wiki.example", "X-Forwarded-Uri: /a"
	for _, path := range []string{"/auth_request", "/forward_auth"} {
		require.Equal(t, http.StatusUnauthorized, ask(path, method, host, target), "the control")
		require.Equal(t, http.StatusForbidden, ask(path))
		require.Equal(t, http.StatusForbidden, ask(path, method, host))
		require.Equal(t, http.StatusForbidden, ask(path, method, target))
		require.Equal(t, http.StatusForbidden, ask(path, method, host, target, "X-Forwarded-Uri: /b"))
		require.Equal(t, http.StatusForbidden, ask(path, method, host, target, host))
		require.Equal(t, http.StatusForbidden, ask(path, method, "X-Forwarded-Host: other.example", target))
		require.Equal(t, http.StatusForbidden, ask(path, method, host, "X-Forwarded-Uri: http://wiki.example/a"))
	}
}
