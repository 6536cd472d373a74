package awsapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/awsapi/internal/sigv4"
)

// buildWithSDK compiles a program of testdata/awssdk with the AWS SDK, in a module of its own.
func buildWithSDK(t *testing.T, source string) (program string) {
	t.Helper()
	files := map[string]string{}
	for from, to := range map[string]string{"go.mod.txt": "go.mod", source: "main.go"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "awssdk", from))
		require.NoError(t, err)
		files[to] = string(raw)
	}
	return testkit.NewModule(t, "awssdk", files, "github.com/aws/aws-sdk-go-v2").Build()
}

// The signer of the AWS SDK signs random requests: paths, parameters and headers with every kind of character. Each is
// accepted, and none with another secret, body, host, method or parameter.
func TestSignerOfTheSDK(t *testing.T) {
	const n = 3000
	out, err := exec.CommandContext(t.Context(), buildWithSDK(t, "signer.go.txt"), "3000").Output()
	require.NoError(t, err)
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	seen := 0
	for ; lines.Scan(); seen++ {
		var l struct {
			Method, URI, Host, Body, Secret, Token string
			Header                                 http.Header
			ContentLength                          int64
			At                                     time.Time
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &l))
		verify := func(body string, change func(*http.Request)) bool {
			// As the server reads it from the wire.
			raw := l.Method + " " + l.URI + " HTTP/1.1\r\nHost: " + l.Host + "\r\n"
			for name, values := range l.Header {
				raw += name + ": " + strings.Join(values, ",") + "\r\n"
			}
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw + "\r\n")))
			require.NoError(t, err, raw)
			r.ContentLength = l.ContentLength
			if change != nil {
				change(r)
			}
			scope := sigv4.Scope{Region: "eu-central-1", Service: "sts", Skew: time.Minute, Signed: []string{"x-amz-target"}}
			signed, err := sigv4.Parse(r, []byte(body), scope, l.At)
			if err != nil {
				return false
			}
			require.Equal(t, l.Token, signed.SessionToken)
			return signed.Verify(l.Secret)
		}
		require.True(t, verify(l.Body, nil), "%s", lines.Bytes())
		require.False(t, verify(l.Body+"x", nil))
		require.False(t, verify(l.Body, func(r *http.Request) { r.Host += "0" }))
		require.False(t, verify(l.Body, func(r *http.Request) { r.Method += "X" }))
		require.False(t, verify(l.Body, func(r *http.Request) { r.URL.Path += "x"; r.URL.RawPath = "" }))
		require.False(t, verify(l.Body, func(r *http.Request) { r.URL.RawQuery += "&x=y" }))
		l.Secret += "x"
		require.False(t, verify(l.Body, nil))
	}
	require.NoError(t, lines.Err())
	assert.Equal(t, n, seen)
}
