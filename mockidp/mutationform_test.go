package mockidp_test

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

var formTag = regexp.MustCompile(`<form method="([^"]*)" action="([^"]*)"(?: enctype="([^"]*)")? id="(?:answer|first)"`)

// forms returns the forms of the page that posts: method, action and enctype of each, and all fields in order.
func (p page) forms(t *testing.T) (tags [][]string, fields []mockidp.Field) {
	t.Helper()
	for _, m := range formTag.FindAllStringSubmatch(p.Body, -1) {
		tags = append(tags, []string{m[1], html.UnescapeString(m[2]), m[3]})
	}
	require.NotEmpty(t, tags, p.Body)
	for _, f := range p.Forms() {
		for _, in := range f.Fields {
			fields = append(fields, mockidp.Field{Name: in.Name, Value: in.Value})
		}
	}
	return tags, fields
}

// arrived is a request that a service provider received.
type arrived struct{ method, uri, contentType, body string }

func listening(t *testing.T) (string, chan arrived) {
	got := make(chan arrived, 10)
	sp := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- arrived{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), string(body)}
	}))
	t.Cleanup(sp.Close)
	return sp.URL, got
}

func TestMutatedForms(t *testing.T) {
	at, got := listening(t)
	two := []mockidp.Field{{Name: "SAMLResponse", Value: "Zmlyc3Q+"}, {Name: "RelayState", Value: `/"<&>`},
		{Name: "SAMLResponse", Value: "second\nline"}}
	encoded := "SAMLResponse=Zmlyc3Q%2B&RelayState=%2F%22%3C%26%3E&SAMLResponse=second%0D%0Aline"
	urlencoded := "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		m    mockidp.Mutated
		tag  []string
		want arrived
	}{
		"a field twice": {
			mockidp.Mutated{Fields: two}, []string{"post", at + "/acs?v=1", ""},
			arrived{"POST", "/acs?v=1", urlencoded, encoded}},
		"query too": {mockidp.Mutated{Fields: two, Query: []mockidp.Field{{Name: "SAMLResponse", Value: "a+b"}}},
			[]string{"post", at + "/acs?v=1&SAMLResponse=a%2Bb", ""},
			arrived{"POST", "/acs?v=1&SAMLResponse=a%2Bb", urlencoded, encoded}},
		"GET": {
			mockidp.Mutated{Fields: two, Method: mockidp.GET}, []string{"get", at + "/acs?v=1", ""},
			arrived{"GET", "/acs?" + encoded, "", ""}},
		"text": {
			mockidp.Mutated{Fields: two[:1], Encoding: mockidp.PlainText}, []string{"post", at + "/acs?v=1", "text/plain"},
			arrived{"POST", "/acs?v=1", "text/plain", "SAMLResponse=Zmlyc3Q+\r\n"}},
		"another place": {
			mockidp.Mutated{ACS: at + "/other", Fields: two}, []string{"post", at + "/other", ""},
			arrived{"POST", "/other", urlencoded, encoded}},
	} {
		t.Run(name, func(t *testing.T) {
			conf := twoRegions()
			conf.Mutate = func(m mockidp.Mutation) (mockidp.Mutated, error) {
				if m.ID == "" {
					return mockidp.Mutated{}, nil
				}
				return c.m, nil
			}
			idp := start(t, conf)
			require.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: at + "/acs?v=1"}, {URL: at + "/other"}}))
			b := newBrowser(t, idp)
			b.signIn(b.get(idp.DashboardURL()), alice, mockidp.DefaultPassword)
			require.NoError(t, idp.QueueMutation("form", "", ""))
			tags, fields := b.get(redirect(idp, request(), "state")).forms(t)
			assert.Equal(t, [][]string{c.tag}, tags)
			assert.Equal(t, c.m.Fields, fields)

			m := idp.Messages()[1]
			assert.Equal(t, "form", m.Attack)
			assert.Contains(t, string(m.XML), "saml2p:Response", "the document is the valid one")
			assert.Equal(t, strings.Split(c.tag[1], "?")[0], strings.Split(m.ACS, "?")[0])
			_, err := idp.Deliver(nil, m.Form)
			require.NoError(t, err)
			assert.Equal(t, c.want, <-got, "sent by Deliver")
			assert.Equal(t, 200, idp.Messages()[1].Answer.Status)

			// The valid answer is unchanged.
			tags, fields = b.get(redirect(idp, request(), "state")).forms(t)
			assert.Equal(t, []string{"post", at + "/acs?v=1", ""}, tags[0])
			assert.Equal(t, []string{"SAMLResponse", "RelayState"}, []string{fields[0].Name, fields[1].Name})
			assert.Empty(t, idp.Messages()[3].Attack)
		})
	}
}

func TestMultipartFormAndFaults(t *testing.T) {
	at, got := listening(t)
	conf := twoRegions()
	conf.Mutate = func(m mockidp.Mutation) (mockidp.Mutated, error) {
		return mockidp.Mutated{Fields: []mockidp.Field{{Name: "SAMLResponse[]", Value: "abcd"}, {Name: "x", Value: "efgh"}},
			Encoding: mockidp.Multipart}, nil
	}
	idp := start(t, conf)
	require.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: at + "/acs"}}))
	form, err := idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	_, err = idp.Deliver(nil, form)
	require.NoError(t, err)
	a := <-got
	assert.Regexp(t, `^multipart/form-data; boundary=`, a.contentType)
	assert.Contains(t, a.body, "name=\"SAMLResponse[]\"\r\n\r\nabcd\r\n")
	assert.Equal(t, url.Values{"SAMLResponse[]": {"abcd"}, "x": {"efgh"}}, form.Values())

	b := newBrowser(t, idp)
	b.signIn(b.get(idp.DashboardURL()), alice, mockidp.DefaultPassword)
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.CutResponse}))
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.DuplicatePost}))
	tags, fields := b.get(idp.SSOURL("")).forms(t)
	assert.Equal(t, [][]string{{"post", at + "/acs", "multipart/form-data"}, {"post", at + "/acs", "multipart/form-data"}},
		tags, "both of the duplicates")
	assert.Equal(t, []mockidp.Field{{Name: "SAMLResponse[]", Value: "ab"}, {Name: "x", Value: "efgh"}}, fields[:2],
		"only the message is cut in half")
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.CutPage}))
	assert.NotContains(t, b.get(idp.SSOURL("")).Body, "</form>")
}

func TestMutationRelayStates(t *testing.T) {
	conf := twoRegions()
	var seen []string
	conf.Mutate = func(m mockidp.Mutation) (mockidp.Mutated, error) {
		seen = append(seen, m.RelayState+"|"+m.OtherRelayState)
		return mockidp.Mutated{}, nil
	}
	idp := start(t, conf)
	for _, state := range []string{"one", "two", "two"} {
		_, err := idp.Answer(redirect(idp, request(), state), alice)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"one|", "two|one", "two|one"}, seen)
}

// Values that no page can hold and URLs that aren't on the list are refused.
func TestMutatedFormsAreChecked(t *testing.T) {
	for name, m := range map[string]mockidp.Mutated{
		"unlisted":  {ACS: "http://evil.localhost/acs"},
		"NUL":       {Fields: []mockidp.Field{{Name: "SAMLResponse", Value: "a\x00b"}}},
		"not UTF-8": {Query: []mockidp.Field{{Name: "SAMLResponse", Value: "a\x80b"}}},
		"method":    {Method: "put"},
		"encoding":  {Encoding: "application/json"},
	} {
		conf := twoRegions()
		conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) { return m, nil }
		idp := start(t, conf)
		_, err := idp.IdPInitiated("", alice, "")
		assert.Equal(t, mockidp.ReasonInternal, reason(t, err), name)
		assert.Empty(t, idp.Messages(), name)
	}
}
