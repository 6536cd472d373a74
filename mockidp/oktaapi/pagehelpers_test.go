package oktaapi_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// console is a browser that is signed in to the Admin Console.
type console struct {
	*browser
	at  string // the console's address
	api *oktaapi.API
}

func openConsole(t *testing.T, idp *mockidp.Server) *console {
	t.Helper()
	api := oktaapi.New(idp, oktaapi.Config{})
	return consoleAt(t, idp, api, api, "")
}

// consoleAt is openConsole where a handler serves the API below a prefix.
func consoleAt(t *testing.T, idp *mockidp.Server, api *oktaapi.API, h http.Handler, prefix string) *console {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c := &console{newBrowser(t, idp), srv.URL + prefix, api}
	p := c.get(c.at + "/")
	require.Equal(t, 401, p.Status)
	p.has(t, `name="token"`)
	c.post(c.at+"/login", url.Values{"token": {"wrong"}}).has(t, "The token is wrong")
	require.Equal(t, 200, c.post(c.at+"/login", url.Values{"token": {api.Token()}}).Status)
	return c
}

// has requires texts on a page. A failure prints the page's readable text only.
func (p page) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(p.Body, s) && !strings.Contains(p.Text(), s) {
			require.Fail(t, "the page lacks "+s, p.Text())
		}
	}
}

func (p page) lacks(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if strings.Contains(p.Body, s) {
			require.Fail(t, "the page has "+s, p.Text())
		}
	}
}

func (c *console) page(path string) page {
	c.t.Helper()
	p := c.get(c.at + path)
	require.Equal(c.t, 200, p.Status, path+" "+p.Text())
	return p
}

// press posts values to a path, as a button does.
func (c *console) press(path string, pairs ...string) page {
	c.t.Helper()
	return c.post(c.at+path, values(pairs...))
}

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// fill posts the form of a page, with some of its values changed. A value of "" for a checkbox leaves it out.
func (c *console) fill(path string, pairs ...string) page {
	c.t.Helper()
	return c.send(path, filled(c.t, c.page(path)), pairs...)
}

// send posts a form's values with changes.
func (c *console) send(path string, v url.Values, pairs ...string) page {
	c.t.Helper()
	changes := values(pairs...)
	for name, list := range changes {
		v[name] = list
	}
	return c.post(c.at+path, v)
}

var (
	editorForm = regexp.MustCompile(`(?s)<form class="editor".*?</form>`)
	control    = regexp.MustCompile(`(?s)<input\b[^>]*>|<select\b[^>]*>.*?</select>|<textarea\b[^>]*>\n?(.*?)</textarea>`)
	attribute  = regexp.MustCompile(`\b(name|value|type)="([^"]*)"`)
	chosen     = regexp.MustCompile(`<option value="([^"]*)" selected>`)
	offered    = regexp.MustCompile(`<option value="([^"]*)"`)
)

// filled returns the values that a browser would send with the editor on a page.
func filled(t *testing.T, p page) url.Values {
	t.Helper()
	v, markup := url.Values{}, editorForm.FindString(p.Body)
	require.NotEmpty(t, markup, p.Text())
	for _, m := range control.FindAllStringSubmatch(markup, -1) {
		has := map[string]string{}
		for _, a := range attribute.FindAllStringSubmatch(m[0][:strings.Index(m[0], ">")+1], -1) {
			has[a[1]] = html.UnescapeString(a[2])
		}
		value := has["value"]
		switch {
		case has["type"] == "checkbox" && !strings.Contains(m[0], " checked"):
			continue
		case has["type"] == "checkbox":
			value = "on"
		case strings.HasPrefix(m[0], "<textarea"):
			value = strings.ReplaceAll(html.UnescapeString(m[1]), "\n", "\r\n") // as browsers send it
		case strings.HasPrefix(m[0], "<select"):
			options := slices.Concat(chosen.FindAllStringSubmatch(m[0], -1), offered.FindAllStringSubmatch(m[0], -1))
			require.NotEmpty(t, options, m[0])
			value = html.UnescapeString(options[0][1])
		}
		v.Add(has["name"], value)
	}
	return v
}

var regexpLinks = regexp.MustCompile(`(?:href|action|src)="([^"]*)"`)
