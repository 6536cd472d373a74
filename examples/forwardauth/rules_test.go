package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRuleFor(t *testing.T) {
	s, err := readSettings([]byte(`{"applications": [{"url": "https://wiki.example", "rules": [
		{"path": "/open", "public": true}, {"path": "/open/not", "deny": true}, {"path": "/Straße"}, {"path": "/kelvin"}
	]}]}`))
	require.NoError(t, err)
	app := s.application("wiki.example:443")
	require.NotNil(t, app)
	require.Same(t, app, s.application("WIKI.example"))
	require.Nil(t, s.application("other.example"))
	for path, want := range map[string]string{
		"/open": "/open", "/open/": "/open", "/open/x/y": "/open", "/open/not": "/open/not", "/open/not/x": "/open/not",
		"/open/nothing": "/open", "/Straße/x": "/Straße",
		"/": "", "/opener": "", "/OPEN": "", "/open/NOT": "", "/straße": "", "/\u212aelvin": "",
	} {
		r := app.ruleFor(path)
		require.Equal(t, want != "", r != nil, path)
		if r != nil {
			require.Equal(t, want, r.Path, path)
		}
	}
}

// Settings with a mistake don't start: a rule must not be read in another way than it was meant.
func TestSettingsAreChecked(t *testing.T) {
	const good = `{"applications": [{"url": "https://a.example", "rules": [{"path": "/x", "fresh": "15m"}]}],
		"headers": {"Remote-Email": "email"}}`
	_, err := readSettings([]byte(good))
	require.NoError(t, err)
	for _, c := range []struct{ from, to string }{
		{"https://a.example", "http://a.example"},
		{"https://a.example", "https://a.example/"},
		{"https://a.example", "https://A.example"},
		{"https://a.example", "https://u:p@a.example"},
		{`{"url"`, `{"url": "https://a.example", "rules": []}, {"url"`},
		{`"/x"`, `"x"`},
		{`"/x"`, `"/x/"`},
		{`"/x"`, `"/x/../y"`},
		{`"/x"`, `"/x;y"`},
		{`"/x"`, `"/.meridian/acs"`},
		{`{"path": "/x"`, `{"path": "/X"}, {"path": "/x"`},
		{`"fresh"`, `"frech"`},
		{`15m`, `15`},
		{`15m`, `59s`},
		{`"fresh"`, `"public": true, "fresh"`},
		{`"fresh": "15m"`, `"public": true, "deny": true`},
		{`"fresh": "15m"`, `"attributes": {"groups": []}`},
		{`"fresh": "15m"`, `"authn_context": [""]`},
		{`"fresh": "15m"`, `"authn_context": ["a\u0000"]`},
		{"Remote-Email", "Remote-User"},
		{"Remote-Email", "X-Forwarded-For"},
		{`"email"}}`, `"email"}} {}`},
		{`"email"`, `""`},
	} {
		require.Contains(t, good, c.from)
		_, err := readSettings([]byte(strings.Replace(good, c.from, c.to, 1)))
		require.Error(t, err, c.to)
	}
	_, err = readSettings([]byte(`{"applications": []}`))
	require.Error(t, err)
}

// Two lists of values never have the same header, and no value ends a header.
func TestHeaderValue(t *testing.T) {
	for want, values := range map[string][]string{
		"":                 nil,
		"alice@example":    {"alice@example"},
		"a,b":              {"a", "b"},
		"a%2Cb":            {"a,b"},
		"100%25":           {"100%"},
		"Domain Admins":    {"Domain Admins"},
		"%20a%20":          {" a "},
		"a%0D%0AX: b":      {"a\r\nX: b"},
		"Zo%C3%AB":         {"Zoë"},
		"%00":              {"\x00"},
		"x,%20,Domain X,y": {"x", " ", "Domain X", "y"},
	} {
		require.Equal(t, want, headerValue(values...))
	}
}
