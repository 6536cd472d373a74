package loopback_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
)

func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

func get(t *testing.T, addr string) (string, error) {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.Get("http://" + addr)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

// Instead of a port in use Listen takes another one, on loopback.
func TestListen(t *testing.T) {
	first, err := loopback.Listen(0)
	require.NoError(t, err)
	defer first.Close()
	second, err := loopback.Listen(loopback.Port(first))
	require.NoError(t, err)
	defer second.Close()
	assert.NotEqual(t, loopback.Port(first), loopback.Port(second))
	assert.True(t, strings.HasPrefix(second.Addr().String(), "127.0.0.1:"))
	assert.Equal(t, "http://a.localhost:80", loopback.Origin("a.localhost", 80))

	all, err := loopback.ListenAll(0, 0, 0)
	require.NoError(t, err)
	assert.Len(t, all, 3)
	for _, l := range all {
		assert.NoError(t, l.Close())
	}
}

// A stopped server refuses connections, and starts again at its address with the new handler.
func TestServerStopsAndStarts(t *testing.T) {
	l, err := loopback.Listen(0)
	require.NoError(t, err)
	s := loopback.Serve(l, says("first"))
	defer s.Stop()
	text, err := get(t, s.Addr)
	require.NoError(t, err)
	assert.Equal(t, "first", text)
	for range 2 {
		s.Stop()
		assert.False(t, s.Running())
		_, err = get(t, s.Addr)
		assert.ErrorContains(t, err, "refused")
	}
	s.Use(says("second"))
	for range 2 {
		require.NoError(t, s.Start())
		assert.True(t, s.Running())
	}
	text, err = get(t, s.Addr)
	require.NoError(t, err)
	assert.Equal(t, "second", text)
	s.Stop()
	taken, err := loopback.Listen(loopback.Port(l))
	require.NoError(t, err)
	assert.Error(t, s.Start(), "the address is in use")
	assert.False(t, s.Running())
	assert.NoError(t, taken.Close())
}
