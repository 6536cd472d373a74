package oktaapi_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/configfile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// upload sends a form with a file, as a browser does.
func (c *console) upload(path, file, text string) page {
	c.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	w, err := m.CreateFormFile("file", "mockidp.json")
	require.NoError(c.t, err)
	_, err = io.WriteString(w, file)
	require.NoError(c.t, err)
	require.NoError(c.t, m.WriteField("text", text))
	require.NoError(c.t, m.Close())
	resp, err := c.Client().Post(c.at+path, m.FormDataContentType(), &body)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return page{&testkit.Page{Status: resp.StatusCode, URL: resp.Request.URL, Header: resp.Header, Body: string(read)}}
}

// What is exported is imported as it was, by the pages. They ask first.
func TestConsoleExportAndImport(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Users[0].Attributes = map[string][]string{"note": {"</textarea><script>"}}
	idp := start(t, conf)
	_, err := idp.AddKey(ecdsaKey(), nil)
	require.NoError(t, err)
	c := openConsole(t, idp)
	c.page("/configuration").has(t, "Export", "Import", "Reset")
	plain := c.page("/configuration/file")
	assert.Equal(t, `attachment; filename="mockidp.json"`, plain.Header.Get("Content-Disposition"))
	plain.lacks(t, "PRIVATE KEY")
	whole := c.page("/configuration/file?keys=on")
	assert.Equal(t, 2, strings.Count(whole.Body, "BEGIN PRIVATE KEY"))

	before, keys := idp.Config(), idp.Keys()
	require.NoError(t, idp.RemoveUser(bob))
	require.NoError(t, idp.RemoveApp("mark"))
	require.NoError(t, idp.RetireKey(keys[1].ID))
	for _, sent := range [][2]string{{whole.Body, ""}, {"", strings.ReplaceAll(whole.Body, "\n", "\r\n")}} {
		p := c.upload("/configuration", sent[0], sent[1])
		p.has(t, "Replace the configuration?", "2 users instead of 1", "2 apps instead of 1", "2 keys")
		assert.Len(t, idp.Users(), 1, "it asks first")
		form, ok := p.FormFor("/configuration/replace")
		require.True(t, ok)
		require.Contains(t, p.Body, `enctype="multipart/form-data"`)
		c.upload("/configuration/replace", "", form.Values().Get("text")).has(t, "The configuration was replaced")
		after := idp.Config()
		assert.Equal(t, before.Users, after.Users)
		assert.Equal(t, before.Apps, after.Apps)
		assert.Len(t, idp.Keys(), 2)
		require.NoError(t, idp.RemoveUser(bob))
		require.NoError(t, idp.RemoveApp("mark"))
		require.NoError(t, idp.RetireKey(keys[1].ID))
	}
	c.upload("/configuration", plain.Body, "").has(t, "The keys stay.")
	c.upload("/configuration", "{}", "").has(t, "The default user instead of 1", "The example app instead of 1")
}

// An invalid file is refused as a whole, and what was sent is shown.
func TestConsoleRefusesAnImport(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	for _, test := range []struct{ file, text, want string }{
		{"", " ", "Choose a file, or paste its text"},
		{`{"user": []}`, "", `unknown field`},
		{"", `{"users": [{"login": "a"}, {"login": "A"}]}`, "uplicate user"},
		{"", `{"apps": [{"label": "x", "users": ["<carol>"]}]}`, "doesn't exist"},
	} {
		for _, path := range []string{"/configuration", "/configuration/replace"} {
			p := c.upload(path, test.file, test.text)
			assert.Equal(t, 422, p.Status, test.want)
			p.has(t, test.want, `aria-invalid="true"`)
			assert.Contains(t, p.Body, strings.NewReplacer("<", "&lt;", ">", "&gt;", `"`, "&#34;").Replace(test.file+test.text))
		}
	}
	assert.Len(t, idp.Users(), 2)
	p := c.upload("/configuration", strings.Repeat(" ", 9<<20), "")
	assert.Equal(t, 413, p.Status)
	p.has(t, "The form is too large")
}

// The API has the same file.
func TestConfigByAPI(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	resp, file := a.do("GET", "/control/config?privateKeys=true", nil)
	require.Equal(t, 200, resp.StatusCode)
	conf, err := configfile.Read(file)
	require.NoError(t, err)
	assert.Equal(t, a.idp.Users(), conf.Users)
	assert.Equal(t, rsaKey(), conf.Key)
	_, plain := a.do("GET", "/control/config", nil)
	assert.NotContains(t, string(plain), "PRIVATE KEY")
	a.refused(400, "E0000001", "GET", "/control/config?privateKeys=x", nil)
	require.NoError(t, a.idp.RemoveUser(bob))
	a.ok(204, "PUT", "/control/config", string(file))
	assert.Len(t, a.idp.Users(), 2)
	for _, bad := range []string{"", "{", `{"x": 1}`, `{"apps": [{"label": "x", "groups": ["Sales"]}]}`} {
		a.refused(400, "E0000001", "PUT", "/control/config", bad)
	}
	a.refused(413, "E0000003", "PUT", "/control/config", strings.Repeat(" ", 9<<20))
	assert.Len(t, a.idp.Users(), 2)
}
