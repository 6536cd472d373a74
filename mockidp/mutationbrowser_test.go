package mockidp_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// A real browser sends the forms like Deliver.
func TestMutatedFormsInABrowser(t *testing.T) {
	chromium := chrome(t)
	got := make(chan arrived, 10)
	sp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasPrefix(r.URL.Path, "/acs") {
			got <- arrived{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), string(body)}
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!DOCTYPE html><link rel="icon" href="data:,"><body>arrived`))
	}))
	defer sp.Close()
	field := func(value string) mockidp.Field { return mockidp.Field{Name: "SAMLResponse", Value: value} }
	good := base64.StdEncoding.EncodeToString([]byte("<good/>?>"))
	two := []mockidp.Field{field(good), {Name: "RelayState", Value: "<\"'&>"}, field("for\nged\r\n")}
	forms := map[string]mockidp.Mutated{
		"twice": {Fields: two}, "query": {Fields: two, Query: two[2:]}, "get": {Fields: two, Method: mockidp.GET},
		"text": {Fields: two, Encoding: mockidp.PlainText}, "multipart": {Fields: two, Encoding: mockidp.Multipart},
		"array": {Fields: []mockidp.Field{{Name: "SAMLResponse[]", Value: good}}}, "none": {Fields: []mockidp.Field{}},
	}
	conf := twoRegions()
	conf.Mutate = func(m mockidp.Mutation) (mockidp.Mutated, error) { return forms[m.ID], nil }
	idp := start(t, conf)
	require.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: sp.URL + "/acs?v=1"}}))
	require.NoError(t, idp.QueueUser(alice))
	w := openWindow(t, chromium, true)
	for name := range forms {
		require.NoError(t, idp.SetMutation(name, "idc", ""))
		w.open(idp.SSOURL("idc"))
		w.reads("arrived")
		browser := <-got
		ms := idp.Messages()
		_, err := idp.Deliver(nil, ms[len(ms)-1].Form)
		require.NoError(t, err)
		own := <-got
		if name == "multipart" { // except for the boundary
			for _, a := range []*arrived{&browser, &own} {
				_, boundary, ok := strings.Cut(a.contentType, "boundary=")
				require.True(t, ok)
				a.contentType, a.body = "", strings.ReplaceAll(a.body, boundary, "boundary")
			}
		}
		assert.Equal(t, own, browser, name)
	}
}
