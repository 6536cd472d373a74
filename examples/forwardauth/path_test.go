package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlainPath(t *testing.T) {
	for target, want := range map[string]string{
		"/":                              "/",
		"/admin/users?next=../%2e%2e//;": "/admin/users", // the query is not part of the path
		"/%61dmin":                       "/admin",
		"/a/":                            "/a/",
		"/caf%C3%A9/a%20b":               "/café/a b",
		"/v1.2/...":                      "/v1.2/...",
	} {
		path, ok := plainPath(target)
		require.True(t, ok, target)
		require.Equal(t, want, path)
	}
	for _, target := range []string{
		"", "admin", "http://a.example/admin", "*", "//admin", "/a//b", "/a/./b", "/a/../b", "/..", "/.", "/a/..",
		"/%2e%2e/admin", "/.%2E/admin", "/a%2fb", "/a%2Fb", "/a%5cb", `/a\b`, "/a;b", "/a%3Bb", "/a/;/b", "/..;/admin",
		"/%252e%252e/admin", "/a%252fb", "/%25", "/%", "/%zz", "/a%00", "/a%0d%0ab", "/a\tb", "/a%7f", "/%c0%ae%c0%ae/a",
		"/%ff", "/a#b", "/a%2ehtml", "/" + strings.Repeat("a", maxTarget),
	} {
		_, ok := plainPath(target)
		require.False(t, ok, target)
	}
}
