package examples_test

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// fed is the mock's federation, of its tenants one and two. Their users are of one.example and two.example.
type fed struct {
	t           *testing.T
	idp         *mockidp.Server
	members     map[string]*mockidp.Server // by entity ID
	names       []string                   // their entity IDs
	aggregate   string                     // its address
	certificate *x509.Certificate
}

func newFed(t *testing.T) *fed {
	t.Helper()
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	f := &fed{t: t, idp: idp, members: map[string]*mockidp.Server{},
		aggregate: idp.FederationURL(), certificate: idp.FederationCertificate()}
	for _, name := range []string{"one", "two"} {
		member, err := idp.Tenant(name)
		require.NoError(t, err)
		require.NoError(t, member.UpdateUser(mockidp.DefaultLogin, func(u *mockidp.User) error {
			u.Email = "alice@" + name + ".example"
			return nil
		}))
		metadata, err := saml.ParseIdPMetadata(member.Metadata(""))
		require.NoError(t, err)
		f.members[metadata.EntityID()], f.names = member, append(f.names, metadata.EntityID())
	}
	return f
}

// signedAgain has the aggregate signed by another program, with another key.
func (f *fed) signedAgain() {
	t, dir, key := f.t, f.t.TempDir(), testkit.RSAKey("xmlsec1")
	xmlsec := testkit.RequireProgram(t, "peers", "xmlsec1")
	keyFile, in := filepath.Join(dir, "key.pem"), filepath.Join(dir, "in.xml")
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	require.NoError(t, os.WriteFile(keyFile, block, 0o600))
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(f.idp.FederationMetadata()))
	signature := doc.Root().SelectElement("Signature")
	for _, tag := range []string{"DigestValue", "SignatureValue"} { // the rest is a template for the program
		signature.FindElement(".//" + tag).SetText("")
	}
	signature.RemoveChild(signature.SelectElement("KeyInfo"))
	require.NoError(t, doc.WriteToFile(in))
	document, err := exec.Command(xmlsec, "--sign", "--privkey-pem", keyFile, "--id-attr:ID",
		"urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor", in).Output()
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(document)
	}))
	t.Cleanup(server.Close)
	f.aggregate, f.certificate = server.URL, testkit.Certificate(key, time.Now())
}

// local puts the test's addresses in the place of the page's.
func (f *fed) local(config federation.Config) federation.Config {
	s := &config.Sources[0]
	if s.Query != "" {
		require.Equal(f.t, "https://mdq.example/", s.Query)
		s.Query = f.idp.FederationQueryURL()
	} else {
		require.Equal(f.t, "https://metadata.example/federation.xml", s.URL)
		s.URL = f.aggregate
	}
	s.Copy, s.AllowPrivateAddresses = filepath.Join(f.t.TempDir(), filepath.Base(s.Copy)), true
	config.Logger = slog.New(slog.DiscardHandler)
	return config
}

// register gives the members the metadata of a node.
func (f *fed) register(node http.Handler) {
	rec := httptest.NewRecorder()
	node.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://us-east-1.signin.example/metadata", nil))
	for _, member := range f.members {
		_, err := member.AddSP(rec.Body.Bytes())
		require.NoError(f.t, err)
	}
}

// signIn signs a user in at a Region: it begins there, and goes on where the user chooses.
func (f *fed) signIn(b *testkit.Browser, region, member string, choose func(*testkit.Page) string) *testkit.Page {
	f.t.Helper()
	p, err := b.Open("https://" + region + ".signin.example/login")
	require.NoError(f.t, err)
	p, err = b.SignInAs(f.members[member], choose(p), mockidp.DefaultLogin)
	require.NoError(f.t, err)
	return p
}

// choice clicks a member on the page, and returns where the browser is sent then.
func (f *fed) choice(p *testkit.Page, member string) string {
	f.t.Helper()
	b := p.Browser
	b.Stay = func(to *url.URL) bool { return strings.HasPrefix(to.String(), f.members[member].SSOURL("")) }
	defer func() { b.Stay = nil }()
	p, err := b.Click(p, "("+f.members[member].TenantName()+")")
	require.NoError(f.t, err)
	require.Equal(f.t, http.StatusSeeOther, p.Status)
	return p.Location()
}

func providersSignedIn(w http.ResponseWriter, _ *http.Request, l *acs.Login) {
	_, _ = io.WriteString(w, l.Region+" "+l.Assertion.Issuer())
}

// The aggregate of the page, in two Regions: users choose on the page, and a member asserts only its own scopes.
func TestProvidersAggregate(t *testing.T) {
	t.Run("signed by the mock", func(t *testing.T) { testProvidersAggregate(t, newFed(t)) })
	t.Run("signed by xmlsec1", func(t *testing.T) {
		f := newFed(t)
		f.signedAgain()
		testProvidersAggregate(t, f)
	})
	_, err := providersAggregate([]byte("no certificate"))
	require.Error(t, err)
}

func testProvidersAggregate(t *testing.T, f *fed) {
	nodes := testkit.Handlers{}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.certificate.Raw})
	for _, region := range providersRegions {
		config, err := providersAggregate(certificate)
		require.NoError(t, err)
		store := acs.NewMemoryStore(acs.MemoryConfig{})
		node, err := providersNode(t.Context(), f.local(config), region, store, providersSignedIn)
		require.NoError(t, err)
		nodes[region+".signin.example"] = node
	}
	f.register(nodes["us-east-1.signin.example"])
	browser := func() *testkit.Browser {
		b := testkit.NewBrowser(t.Context())
		b.Transport = nodes
		return b
	}
	for _, region := range providersRegions {
		for _, member := range f.names {
			p := f.signIn(browser(), region, member, func(p *testkit.Page) string {
				require.Contains(t, p.Text(), "Choose your organization")
				require.Contains(t, p.Text(), "Sign in to Our service")
				return f.choice(p, member)
			})
			require.Equal(t, region+" "+member, p.Body)
		}
	}

	for i, status := range []int{http.StatusOK, http.StatusForbidden} {
		member := f.members[f.names[i]]
		require.NoError(t, member.UpdateApp(member.Apps()[0].ID, func(a *mockidp.App) error {
			name := saml.EduPersonNames()["eduPersonPrincipalName"][0]
			a.Attributes = []mockidp.Attribute{{Name: name, Values: []string{"alice@one.example"}}}
			return nil
		}))
		p := f.signIn(browser(), providersRegions[0], f.names[i], func(p *testkit.Page) string {
			return f.choice(p, f.names[i])
		})
		require.Equal(t, status, p.Status, "only the first member has this scope")
	}
}

// The metadata query service of the page: a member is fetched when a sign-in at it begins.
func TestProvidersQuery(t *testing.T) {
	f, knows := newFed(t), map[string]*federation.Federation{}
	nodes := testkit.Handlers{}
	for _, region := range providersRegions {
		known, err := federation.Open(t.Context(), f.local(providersQuery(f.certificate)))
		require.NoError(t, err)
		t.Cleanup(known.Close)
		knows[region] = known
		var list []saml.Endpoint
		var discovered []string
		for _, name := range providersRegions {
			list = append(list, saml.Endpoint{URL: "https://" + name + signinPath + "/acs", Region: name})
			discovered = append(discovered, "https://"+name+".signin.example/login/idp")
		}
		sp, err := saml.New(saml.Config{EntityID: "https://us-east-1" + signinPath, ACS: list, IdPs: known,
			DiscoveryResponses: discovered})
		require.NoError(t, err)
		node, err := providersQueryNode(sp, known, region, acs.NewMemoryStore(acs.MemoryConfig{}), providersSignedIn)
		require.NoError(t, err)
		mux := http.NewServeMux()
		node.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
		nodes[region+".signin.example"] = mux
	}
	nodes["discovery.example"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/ds", r.URL.Path)
		_, _ = io.WriteString(w, r.URL.Query().Get("return"))
	})
	f.register(nodes["us-east-1.signin.example"])
	choose := func(member string) func(*testkit.Page) string {
		return func(p *testkit.Page) string {
			require.Equal(t, "discovery.example", p.URL.Host)
			back, err := url.Parse(p.Body)
			require.NoError(t, err)
			q := back.Query()
			q.Set("entityID", member)
			back.RawQuery = q.Encode()
			return back.String()
		}
	}
	for _, region := range providersRegions {
		for _, member := range f.names {
			_, err := knows[region].IdP(member)
			require.Error(t, err, "it is not fetched yet")
			b := testkit.NewBrowser(t.Context())
			b.Transport = nodes
			require.Equal(t, region+" "+member, f.signIn(b, region, member, choose(member)).Body)
			_, err = knows[region].IdP(member)
			require.NoError(t, err)
		}
	}
	b := testkit.NewBrowser(t.Context())
	b.Transport = nodes
	p, err := b.Open("https://us-east-1.signin.example/login")
	require.NoError(t, err)
	p, err = b.Open(choose("https://unknown.example")(p))
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, p.Status)
	require.Contains(t, p.Text(), "not known here")
}
