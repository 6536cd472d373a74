package main_test

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// The program waits for an identity provider that isn't there yet, and for one that isn't ready.
func TestMetadataOfAnIdPThatStarts(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())

	cmd := command(t, "-idp-metadata", "http://"+addr+"/metadata", "-listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()

	l, err = net.Listen("tcp", addr)
	require.NoError(t, err)
	var asked atomic.Int32
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write(idp.Metadata(""))
	})}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	line := make([]byte, 4096)
	n, err := out.Read(line)
	require.NoError(t, err)
	assert.Contains(t, string(line[:n]), "Entity ID")
	assert.EqualValues(t, 3, asked.Load())
}

func TestMetadataByURLIsChecked(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for from, want := range map[string]string{
		srv.URL + "/none":              "got 404",
		srv.URL + "/large":             "more than 1048576 bytes",
		srv.URL + "/moved":             "got 302",
		"http://mockidp.test/metadata": "can be forged",
		"http://a:hunter2@127.0.0.1/":  "without a password",
		"http://":                      "want a FILE or a URL",
	} {
		var errs bytes.Buffer
		cmd := command(t, "-idp-metadata", from, "-listen", "127.0.0.1:0")
		cmd.Stderr = &errs
		require.Error(t, cmd.Run(), from)
		assert.Equal(t, 2, cmd.ProcessState.ExitCode(), from)
		assert.Contains(t, errs.String(), want)
		assert.NotContains(t, errs.String(), "hunter2")
		assert.Equal(t, 1, strings.Count(errs.String(), "\n"), errs.String())
	}
}
