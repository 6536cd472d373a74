package oktaapi_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"slices"
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
)

func rsaKey() *rsa.PrivateKey     { return testkit.RSAKey("idp") }
func ecdsaKey() *ecdsa.PrivateKey { return testkit.ECDSAKey("idp") }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// twoRegions is one app with two Regions, a bookmark, and a user without assignments.
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

// twoApps are idc and pay, both of which Alice may use.
func twoApps() mockidp.Config {
	c := twoRegions()
	c.Apps = append(c.Apps, mockidp.App{ID: "pay", Label: "Payroll", Audience: "https://payroll.example",
		Groups: []string{"Engineering"},
		ACS:    []mockidp.ACS{{URL: "https://payroll.example/acs"}}})
	return c
}

// publishedBy returns the certificates in an app's metadata, in order.
func publishedBy(t *testing.T, metadata []byte) []string {
	t.Helper()
	var d struct {
		Certificates []string `xml:"IDPSSODescriptor>KeyDescriptor>KeyInfo>X509Data>X509Certificate"`
	}
	require.NoError(t, xml.Unmarshal(metadata, &d))
	return d.Certificates
}

// company is an organisation of n users in m groups, two groups a user.
func company(n, m int) mockidp.Config {
	c := mockidp.Config{Key: rsaKey(), Apps: []mockidp.App{{Label: "x", Groups: []string{"Group 0"}}}}
	for i := range m {
		c.Groups = append(c.Groups, mockidp.Group{Name: fmt.Sprintf("Group %d", i)})
	}
	for i := range n {
		c.Users = append(c.Users, mockidp.User{Login: fmt.Sprintf("user%d@example.com", i), FirstName: "User",
			LastName: fmt.Sprint(i),
			Groups:   slices.Compact([]string{fmt.Sprintf("Group %d", i%m), fmt.Sprintf("Group %d", (i+1)%m)})})
	}
	return c
}

func start(t *testing.T, c mockidp.Config) *mockidp.Server {
	t.Helper()
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	return idp
}

// request returns an AuthnRequest; attrs are further attributes, as XML.
func request(attrs ...string) string {
	return fmt.Sprintf(`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`+
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

// decode parses the response in a form.
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

// browser is a testkit.Browser whose errors fail the test.
type browser struct {
	*testkit.Browser
	t   *testing.T
	idp *mockidp.Server
}

type page struct{ *testkit.Page }

func newBrowser(t *testing.T, idp *mockidp.Server) *browser {
	return &browser{testkit.NewBrowser(t.Context()), t, idp}
}

func (b *browser) get(u string) page {
	b.t.Helper()
	p, err := b.Open(u)
	require.NoError(b.t, err)
	return page{p}
}

// post sends a form of the same page.
func (b *browser) post(u string, v url.Values) page {
	b.t.Helper()
	p, err := b.Post(u, u, v)
	require.NoError(b.t, err)
	return page{p}
}

func (b *browser) signIn(login, password string) page {
	b.t.Helper()
	return b.post(b.idp.SignInURL(), url.Values{"username": {login}, "password": {password}})
}

func (p page) contains(t *testing.T, s string) {
	t.Helper()
	assert.Contains(t, p.Body, s)
}
