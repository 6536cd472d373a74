package discovery_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

func TestFeed(t *testing.T) {
	l := two()
	l.all[1].Logos = []saml.Logo{{URL: "https://one.example/logo.png", Width: 80, Height: 60},
		{URL: "data:image/png;base64,AAAA", Width: 80, Height: 60}}
	l.all = append(l.all, saml.Description{EntityID: "https://idp.unnamed.example"})
	feed := newPage(t, l).Feed()
	fetch := func(headers ...string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, "/feed.json", nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		rec := httptest.NewRecorder()
		feed.ServeHTTP(rec, r)
		return rec.Result()
	}
	plain := fetch()
	raw, err := io.ReadAll(plain.Body)
	require.NoError(t, err)
	require.JSONEq(t, `[
		{"entityID":"`+oneIdP+`","DisplayNames":[{"value":"First University","lang":"en"}],
		 "Logos":[{"value":"https://one.example/logo.png","height":60,"width":80}]},
		{"entityID":"https://idp.unnamed.example","DisplayNames":[{"value":"idp.unnamed.example","lang":"en"}]},
		{"entityID":"`+twoIdP+`","DisplayNames":[{"value":"Second College","lang":"en"}]}
	]`, string(raw))

	compressed := fetch("Accept-Encoding", "gzip, br")
	require.Equal(t, "gzip", compressed.Header.Get("Content-Encoding"))
	z, err := gzip.NewReader(compressed.Body)
	require.NoError(t, err)
	var entries []map[string]any
	require.NoError(t, json.NewDecoder(z).Decode(&entries))
	require.Len(t, entries, 3)

	tag := plain.Header.Get("ETag")
	require.NotEmpty(t, tag)
	for _, headers := range [][]string{{"If-None-Match", tag}, {"If-None-Match", `"x", ` + tag, "Accept-Encoding", "gzip"}} {
		same := fetch(headers...)
		require.Equal(t, http.StatusNotModified, same.StatusCode)
		body, err := io.ReadAll(same.Body)
		require.NoError(t, err)
		require.Empty(t, body)
	}
	l.all = l.all[:1]
	l.version.Add(1)
	changed := fetch("If-None-Match", tag)
	require.Equal(t, http.StatusOK, changed.StatusCode)
	require.NotEqual(t, tag, changed.Header.Get("ETag"))
	require.Equal(t, "nosniff", changed.Header.Get("X-Content-Type-Options"))

	rec := httptest.NewRecorder()
	feed.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/feed.json", nil))
	require.Equal(t, http.StatusMethodNotAllowed, rec.Code)
}
