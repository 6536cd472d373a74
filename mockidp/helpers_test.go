package mockidp_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"html"
	"net/url"
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

// twoRegions returns a Config with one app for two Regions, a bookmark, and a user who is assigned to neither.
func twoRegions() mockidp.Config {
	return mockidp.Config{
		Key: rsaKey(),
		Users: []mockidp.User{{Login: alice, FirstName: "Alice", LastName: "Example", Groups: []string{"Engineering"}},
			{Login: bob, Password: "bob's own"}},
		Apps: []mockidp.App{
			{ID: "idc", Label: "Identity Center – N. Virginia", Audience: entityID, Groups: []string{"Engineering"},
				DefaultRelayState: "/start",
				ACS:               []mockidp.ACS{{URL: virginia}, {URL: frank}}},
			{ID: "mark", Label: "Identity Center – Frankfurt", Kind: mockidp.Bookmark,
				URL: "http://eu-central-1.localhost:8712/start", Users: []string{alice}},
		},
	}
}

func start(t *testing.T, c mockidp.Config) *mockidp.Server {
	t.Helper()
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	return idp
}

func updateApp(t *testing.T, idp *mockidp.Server, id string, f func(*mockidp.App)) {
	t.Helper()
	require.NoError(t, idp.UpdateApp(id, func(a *mockidp.App) error { f(a); return nil }))
}

func updateUser(t *testing.T, idp *mockidp.Server, login string, f func(*mockidp.User)) {
	t.Helper()
	require.NoError(t, idp.UpdateUser(login, func(u *mockidp.User) error { f(u); return nil }))
}

// request returns an AuthnRequest; attrs are further attributes, as XML.
func request(attrs ...string) string {
	return fmt.Sprintf(`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"`+
		` xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`+
		` ID="id-1234" Version="2.0" IssueInstant="%s" %s><saml:Issuer>%s</saml:Issuer></samlp:AuthnRequest>`,
		time.Now().UTC().Format(time.RFC3339), strings.Join(attrs, " "), entityID)
}

func attr(name, value string) string { return name + `="` + html.EscapeString(value) + `"` }

func deflated(xml string) string { return testkit.Deflated([]byte(xml)) }

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

// browser is a testkit.Browser that follows redirects within the identity provider only.
type browser struct {
	*testkit.Browser
	t   *testing.T
	idp *mockidp.Server
}

type page struct{ *testkit.Page }

func newBrowser(t *testing.T, idp *mockidp.Server) *browser {
	b := testkit.NewBrowser(t.Context())
	b.Transport = idp.Client().Transport
	b.Stay = func(to *url.URL) bool { return !strings.HasPrefix(to.String(), idp.URL+"/") }
	return &browser{b, t, idp}
}

func (b *browser) get(u string) page {
	b.t.Helper()
	p, err := b.Open(u)
	require.NoError(b.t, err)
	return page{p}
}

// post sends a form of a page of the identity provider.
func (b *browser) post(u string, v url.Values) page {
	b.t.Helper()
	p, err := b.Post(b.idp.URL, u, v)
	require.NoError(b.t, err)
	return page{p}
}

// signIn submits the sign-in page p with its hidden fields.
func (b *browser) signIn(p page, login, password string) page {
	b.t.Helper()
	require.Contains(b.t, p.Body, `name="password"`, "not the sign-in page")
	v := p.fields()
	v.Set("username", login)
	v.Set("password", password)
	return b.post(b.idp.SignInURL(), v)
}

// fields returns the hidden fields of all forms.
func (p page) fields() url.Values {
	v := url.Values{}
	for _, f := range p.Forms() {
		for _, in := range f.Fields {
			if in.Type == "hidden" {
				v.Set(in.Name, in.Value)
			}
		}
	}
	return v
}

// answer returns the form of the page that posts to the service provider.
func (p page) answer(t *testing.T) mockidp.Form {
	t.Helper()
	f, ok := p.FormWith("SAMLResponse")
	require.True(t, ok, "no answer on this page (%d):\n%s", p.Status, p.Body)
	return mockidp.Form{URL: f.Action, SAMLResponse: f.Values().Get("SAMLResponse"),
		RelayState: f.Values().Get("RelayState")}
}

func (p page) refused(t *testing.T, status int, why mockidp.Reason) {
	t.Helper()
	assert.Equal(t, status, p.Status)
	assert.Contains(t, p.Body, fmt.Sprintf("%d · %s", status, why))
	assert.NotContains(t, p.Body, `name="SAMLResponse"`)
}
