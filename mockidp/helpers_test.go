package mockidp_test

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

const (
	entityID = "http://us-east-1.localhost:8711/platform/saml/d-9067f1a2b3"
	virginia = "http://us-east-1.localhost:8711/platform/saml/acs/4455"
	ireland  = "http://eu-west-1.localhost:8713/platform/saml/acs/4455?v=1&w=2"
	frank    = "http://eu-central-1.localhost:8712/platform/saml/acs/4455"
	alice    = "alice@example.com"
	bob      = "bob@example.com"

	mark = "\xef\xbb\xbf" // UTF-8's byte order mark
)

func rsaKey() *rsa.PrivateKey     { return testkit.RSAKey("idp") }
func ecdsaKey() *ecdsa.PrivateKey { return testkit.ECDSAKey("idp") }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// twoRegions is a Config as the project's main job has it: one app, two
// Regions, a bookmark, and a user who is assigned to nothing.
func twoRegions() mockidp.Config {
	return mockidp.Config{
		Key:   rsaKey(),
		Users: []mockidp.User{{Login: alice, FirstName: "Alice", LastName: "Example", Groups: []string{"Engineering"}}, {Login: bob, Password: "bob's own"}},
		Apps: []mockidp.App{
			{ID: "idc", Label: "Identity Center – N. Virginia", Audience: entityID, Groups: []string{"Engineering"}, DefaultRelayState: "/start",
				ACS: []mockidp.ACS{{URL: virginia}, {URL: frank}}},
			{ID: "mark", Label: "Identity Center – Frankfurt", Kind: mockidp.Bookmark, URL: "http://eu-central-1.localhost:8712/start", Users: []string{alice}},
		},
	}
}

func start(t *testing.T, c mockidp.Config) *mockidp.Server {
	t.Helper()
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	return idp
}

// request writes an AuthnRequest; attrs are further attributes, as XML.
func request(attrs ...string) string {
	return fmt.Sprintf(`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`+
		` ID="id-1234" Version="2.0" IssueInstant="%s" %s><saml:Issuer>%s</saml:Issuer></samlp:AuthnRequest>`,
		time.Now().UTC().Format(time.RFC3339), strings.Join(attrs, " "), entityID)
}

func attr(name, value string) string { return name + `="` + html.EscapeString(value) + `"` }

func deflated(xml string) string {
	var b bytes.Buffer
	w := must(flate.NewWriter(&b, flate.BestCompression))
	must(w.Write([]byte(xml)))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func redirect(idp *mockidp.Server, xml, relayState string) string {
	v := url.Values{"SAMLRequest": {deflated(xml)}}
	if relayState != "" {
		v.Set("RelayState", relayState)
	}
	return idp.SSOURL("idc") + "?" + v.Encode()
}

func postForm(xml string) url.Values {
	return url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(xml))}}
}

// reason asserts that err is an *Error and returns its Reason.
func reason(t *testing.T, err error) mockidp.Reason {
	t.Helper()
	var e *mockidp.Error
	require.ErrorAs(t, err, &e)
	assert.True(t, strings.HasPrefix(e.Error(), "mockidp: "), e.Error())
	assert.Less(t, len(e.Error()), 1200)
	return e.Reason
}

// decode parses a form's response.
func decode(t *testing.T, f mockidp.Form) *etree.Element {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(f.SAMLResponse)
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(raw))
	return doc.Root()
}

func text(t *testing.T, el *etree.Element, path string) string {
	t.Helper()
	found := el.FindElement(path)
	require.NotNil(t, found, path)
	return found.Text()
}

func attrOf(t *testing.T, el *etree.Element, path, name string) string {
	t.Helper()
	found := el.FindElement(path)
	require.NotNil(t, found, path)
	return found.SelectAttrValue(name, "")
}

// browser is a client that keeps cookies and stops at other hosts.
type browser struct {
	t   *testing.T
	idp *mockidp.Server
	c   *http.Client
}

type page struct {
	status   int
	body     string
	location string // of a redirect that was not followed
	header   http.Header
}

func newBrowser(t *testing.T, idp *mockidp.Server) *browser {
	c := idp.Client()
	c.Jar = must(cookiejar.New(nil))
	c.CheckRedirect = func(req *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(req.URL.String(), idp.URL+"/") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &browser{t, idp, c}
}

func (b *browser) read(r *http.Response, err error) page {
	b.t.Helper()
	require.NoError(b.t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(b.t, err)
	return page{r.StatusCode, string(body), r.Header.Get("Location"), r.Header}
}

func (b *browser) get(u string) page {
	b.t.Helper()
	return b.read(b.c.Get(u))
}

func (b *browser) post(u string, v url.Values) page {
	b.t.Helper()
	return b.read(b.c.PostForm(u, v))
}

// signIn fills in the sign-in page p, hidden fields and all.
func (b *browser) signIn(p page, login, password string) page {
	b.t.Helper()
	require.Contains(b.t, p.body, `name="password"`, "not the sign-in page")
	v := p.fields()
	v.Set("username", login)
	v.Set("password", password)
	return b.post(b.idp.SignInURL(), v)
}

var (
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	action = regexp.MustCompile(`<form method="post" action="([^"]*)" id="answer">`)
)

func (p page) fields() url.Values {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(p.body, -1) {
		v.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
	}
	return v
}

// answer reads the page that posts to the service provider.
func (p page) answer(t *testing.T) mockidp.Form {
	t.Helper()
	m := action.FindStringSubmatch(p.body)
	require.NotNil(t, m, "no answer on this page (%d):\n%s", p.status, p.body)
	v := p.fields()
	return mockidp.Form{URL: html.UnescapeString(m[1]), SAMLResponse: v.Get("SAMLResponse"), RelayState: v.Get("RelayState")}
}

func (p page) refused(t *testing.T, status int, why mockidp.Reason) {
	t.Helper()
	assert.Equal(t, status, p.status)
	assert.Contains(t, p.body, fmt.Sprintf("%d · %s", status, why))
	assert.NotContains(t, p.body, `name="SAMLResponse"`)
}

var crewjamInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)" ?/>`)

// crewjamFields reads the hidden fields of a page that crewjam/saml wrote.
func (p page) crewjamFields() map[string]string {
	out := map[string]string{}
	for _, m := range crewjamInput.FindAllStringSubmatch(p.body, -1) {
		out[html.UnescapeString(m[1])] = html.UnescapeString(m[2])
	}
	return out
}
