package examples_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// fed is a federation of two members. It publishes an aggregate and answers queries.
type fed struct {
	t       *testing.T
	members map[string]*mockidp.Server // by entity ID
	names   []string                   // their entity IDs
	server  *httptest.Server
	queries atomic.Int64
	sign    func(document []byte) []byte
}

func newFed(t *testing.T) *fed {
	t.Helper()
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	f := &fed{t: t, members: map[string]*mockidp.Server{}, sign: signedMetadata}
	for _, name := range []string{"one", "two"} {
		member, err := idp.Tenant(name)
		require.NoError(t, err)
		metadata, err := saml.ParseIdPMetadata(member.Metadata(""))
		require.NoError(t, err)
		f.members[metadata.EntityID()], f.names = member, append(f.names, metadata.EntityID())
	}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.server.Close)
	return f
}

func (f *fed) serve(w http.ResponseWriter, r *http.Request) {
	until := fmt.Sprintf(` validUntil="%s"`, time.Now().Add(7*24*time.Hour).UTC().Format(time.RFC3339))
	name, query := strings.CutPrefix(r.URL.Path, "/entities/")
	member := f.members[name]
	var document string
	switch {
	case !query:
		document = `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"` + until + `>`
		for _, name := range f.names {
			_, root, _ := strings.Cut(f.metadata(name), "?>")
			document += root
		}
		document += `</md:EntitiesDescriptor>`
	case member == nil:
		f.queries.Add(1)
		http.NotFound(w, r)
		return
	default:
		f.queries.Add(1)
		document = strings.Replace(f.metadata(name), " entityID=", until+" entityID=", 1)
	}
	_, _ = w.Write(f.sign([]byte(document)))
}

var idpRole = regexp.MustCompile(`<(\w+:)?IDPSSODescriptor [^>]*>`)

// metadata is a member's, with the name and the scope that the federation has verified.
func (f *fed) metadata(entityID string) string {
	name := f.members[entityID].TenantName()
	return idpRole.ReplaceAllStringFunc(string(f.members[entityID].Metadata("")), func(tag string) string {
		return tag + `<md:Extensions xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">
<s:Scope xmlns:s="urn:mace:shibboleth:metadata:1.0" regexp="false">` + name + `.example</s:Scope>
<u:UIInfo xmlns:u="urn:oasis:names:tc:SAML:metadata:ui"><u:DisplayName xml:lang="en">University ` + name + `</u:DisplayName></u:UIInfo>
</md:Extensions>`
	})
}

// xmlsecSigner signs aggregates with another program.
func xmlsecSigner(t *testing.T) func([]byte) []byte {
	xmlsec, dir := testkit.RequireProgram(t, "peers", "xmlsec1"), t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(testkit.RSAKey("federation"))
	require.NoError(t, err)
	keyFile := filepath.Join(dir, "key.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	require.NoError(t, os.WriteFile(keyFile, block, 0o600))
	const template = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
<ds:Reference URI="#_fed"><ds:Transforms>
<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>
<ds:SignatureValue/></ds:Signature>`
	return func(document []byte) []byte {
		in, err := os.CreateTemp(dir, "*.xml")
		if err != nil {
			panic(err)
		}
		root, rest, _ := strings.Cut(string(document), ">")
		_, err = in.WriteString(root + ` ID="_fed">` + template + rest)
		if err := errors.Join(err, in.Close()); err != nil {
			panic(err)
		}
		out, err := exec.Command(xmlsec, "--sign", "--privkey-pem", keyFile, "--id-attr:ID",
			"urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor", in.Name()).Output()
		if err != nil {
			panic(err)
		}
		return out
	}
}

// certificate is the federation's, as its operator gives it.
func (f *fed) certificate() []byte {
	cert := testkit.Certificate(testkit.RSAKey("federation"), time.Now())
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// local puts the test's addresses in the place of the page's.
func (f *fed) local(config federation.Config) federation.Config {
	s := &config.Sources[0]
	if s.Query != "" {
		require.Equal(f.t, "https://mdq.example/", s.Query)
		s.Query = f.server.URL + "/"
	} else {
		require.Equal(f.t, "https://metadata.example/federation.xml", s.URL)
		s.URL = f.server.URL
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
	p, err := b.Click(p, "University "+f.members[member].TenantName())
	require.NoError(f.t, err)
	require.Equal(f.t, http.StatusSeeOther, p.Status)
	return p.Location()
}

func providersSignedIn(w http.ResponseWriter, _ *http.Request, l *acs.Login) {
	_, _ = io.WriteString(w, l.Region+" "+l.Assertion.Issuer())
}

// The aggregate of the page, in two Regions: users choose on the page, and a member asserts only its own scopes.
func TestProvidersAggregate(t *testing.T) {
	t.Run("signed by the library of the mock", func(t *testing.T) { testProvidersAggregate(t, newFed(t)) })
	t.Run("signed by xmlsec1", func(t *testing.T) {
		f := newFed(t)
		f.sign = xmlsecSigner(t)
		testProvidersAggregate(t, f)
	})
	_, err := providersAggregate([]byte("no certificate"))
	require.Error(t, err)
}

func testProvidersAggregate(t *testing.T, f *fed) {
	nodes := testkit.Handlers{}
	for _, region := range providersRegions {
		config, err := providersAggregate(f.certificate())
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
	f := newFed(t)
	nodes := testkit.Handlers{}
	for _, region := range providersRegions {
		cert := testkit.Certificate(testkit.RSAKey("federation"), time.Now())
		known, err := federation.Open(t.Context(), f.local(providersQuery(cert)))
		require.NoError(t, err)
		t.Cleanup(known.Close)
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
	require.Zero(t, f.queries.Load())
	for i, region := range providersRegions {
		for j, member := range f.names {
			b := testkit.NewBrowser(context.Background())
			b.Transport = nodes
			require.Equal(t, region+" "+member, f.signIn(b, region, member, choose(member)).Body)
			require.EqualValues(t, 2*i+j+1, f.queries.Load(), "each node fetches each member once")
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
