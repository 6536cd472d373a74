package mockidp_test

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// federated returns a Server with a federation key that is made once.
func federated(t *testing.T, entities int) *mockidp.Server {
	t.Helper()
	c := twoRegions()
	c.Federation = mockidp.Federation{Entities: entities, Key: testkit.RSAKey("federation")}
	return start(t, c)
}

// fetched returns an answer with its body; header has names and values in turn.
func fetched(t *testing.T, idp *mockidp.Server, u string, header ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, body
}

func federationKeys(idp *mockidp.Server) []crypto.PublicKey {
	return []crypto.PublicKey{idp.FederationCertificate().PublicKey}
}

func queryURL(idp *mockidp.Server, id string) string {
	return idp.FederationQueryURL() + "entities/" + url.PathEscape(id)
}

func TestFederation(t *testing.T) {
	idp := federated(t, 12)
	tenant, err := idp.Tenant("campus")
	require.NoError(t, err)
	resp, doc := fetched(t, idp, idp.FederationURL())
	assert.Equal(t, "application/samlmetadata+xml", resp.Header.Get("Content-Type"))
	assert.Equal(t, string(doc), string(idp.FederationMetadata()), "it is made once")
	_, all := fetched(t, idp, idp.FederationQueryURL()+"entities")
	assert.Equal(t, string(doc), string(all))
	assert.Equal(t, idp.FederationURL(), tenant.FederationURL())
	assert.Equal(t, idp.FederationMetadata(), tenant.FederationMetadata())

	a, err := saml.VerifyAggregate(doc, federationKeys(idp))
	require.NoError(t, err)
	var ids []string
	for id := range a.EntityIDs() {
		ids = append(ids, id)
	}
	assert.Equal(t, idp.FederationEntityIDs(), ids)
	require.Len(t, ids, 14)
	for i, of := range []*mockidp.Server{idp, tenant} {
		app, _ := of.App("idc")
		assert.Equal(t, app.Issuer, ids[i])
		provider, err := a.IdP(ids[i])
		require.NoError(t, err)
		assert.Contains(t, string(of.Metadata("")), provider.SSOServices()[0].URL)
		assert.NotContains(t, federationKeys(idp), of.Certificate().PublicKey, "the federation's key is its own")
	}
	for _, id := range ids[2:] {
		_, err := a.IdP(id)
		require.NoError(t, err, id)
	}
	_, text := fetched(t, idp, idp.FederationCertificateURL())
	block, _ := pem.Decode(text)
	assert.Equal(t, idp.FederationCertificate().Raw, block.Bytes)
}

// goxmldsig canonicalizes the document itself, so the text that was signed is its canonical form.
func TestFederationTextIsCanonical(t *testing.T) {
	c := twoRegions()
	c.Org, c.Federation = `O<>&"'`, mockidp.Federation{Name: "a \"<>&' é\u00a0漢 ]]>", Entities: 30}
	c.Apps[0].Issuer = `urn:a "quoted" <&> ' > name`
	c.Apps = append(c.Apps, mockidp.App{Label: "E\u00a0<&>\"' ü", Profile: mockidp.Entra, Audience: "https://e.example"})
	idp := start(t, c)
	docs := map[string][]byte{"all": idp.FederationMetadata()}
	for _, id := range idp.FederationEntityIDs() {
		_, docs[id] = fetched(t, idp, queryURL(idp, id))
	}
	require.Len(t, docs, 33)
	for name, raw := range docs {
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromBytes(raw))
		v := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{
			Roots: []*x509.Certificate{idp.FederationCertificate()}})
		_, err := v.Validate(doc.Root())
		assert.NoError(t, err, "%s: %.1000s", name, raw)
	}
}

func TestFederationQuery(t *testing.T) {
	const odd = "urn:x:a/b?c=d&e+f#g%2Fh ü{sha1}"
	c := twoRegions()
	c.Federation = mockidp.Federation{Entities: 3, Key: testkit.RSAKey("federation")}
	c.Apps[0].Issuer = odd
	idp := start(t, c)
	const second = "https://idp-00002.example.org/metadata"
	for _, id := range []string{odd, second} {
		_, doc := fetched(t, idp, queryURL(idp, id))
		a, err := saml.VerifyAggregate(doc, federationKeys(idp))
		require.NoError(t, err, "%s", doc)
		got, single := a.Single()
		assert.True(t, single)
		assert.Equal(t, id, got)
		assert.WithinDuration(t, time.Now().Add(7*24*time.Hour), a.ValidUntil(), time.Minute)
		assert.Equal(t, time.Hour, a.CacheDuration())
		assert.WithinDuration(t, time.Now(), a.CreationInstant(), time.Minute)

		sum := sha1.Sum([]byte(id))
		_, bySum := fetched(t, idp, idp.FederationQueryURL()+"entities/%7Bsha1%7D"+hex.EncodeToString(sum[:]))
		assert.Equal(t, string(doc), string(bySum))
		_, bySum = fetched(t, idp, idp.FederationQueryURL()+"entities/{sha1}"+hex.EncodeToString(sum[:]))
		assert.Equal(t, string(doc), string(bySum))
	}
	for _, unknown := range []string{
		"https%3A%2F%2Fidp-00004.example.org%2Fmetadata", "https%3A%2F%2Fidp-00000.example.org%2Fmetadata",
		"https%3A%2F%2FIDP-00002.example.org%2Fmetadata", "https%3A%2F%2Fidp-00002.example.org%2Fmetadata%2F",
		"https%253A%252F%252Fidp-00002.example.org%252Fmetadata", "%2E%2E", "%2e%2e%2fmetadata.xml", "%00", "+", "%7Bsha1%7D",
		"%7Bsha1%7D00", "%7Bsha1%7D" + strings.Repeat("zz", 20), "%7Bsha1%7D" + strings.Repeat("00", 20),
		"%7Bsha256%7D" + strings.Repeat("00", 32), strings.Repeat("a", 100_000),
	} {
		resp, body := fetched(t, idp, idp.FederationQueryURL()+"entities/"+unknown)
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, "%.80s", unknown)
		assert.NotContains(t, string(body), "<", "the answer isn't metadata")
	}
}

func TestFederationIsPublishedAgain(t *testing.T) {
	idp := federated(t, 5)
	id := idp.FederationEntityIDs()[0]
	var etag string
	for _, u := range []string{idp.FederationURL(), queryURL(idp, id)} {
		resp, doc := fetched(t, idp, u)
		etag = resp.Header.Get("ETag")
		for _, list := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
			resp, body := fetched(t, idp, u, "If-None-Match", list)
			assert.Equal(t, http.StatusNotModified, resp.StatusCode, list)
			assert.Empty(t, body)
			assert.Equal(t, etag, resp.Header.Get("ETag"))
		}
		resp, again := fetched(t, idp, u, "If-None-Match", `"another"`)
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, string(doc), string(again))

		resp, zipped := fetched(t, idp, u, "Accept-Encoding", "br, gzip;q=0.5")
		assert.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
		assert.NotEqual(t, etag, resp.Header.Get("ETag"), "of another encoding")
		assert.Less(t, len(zipped), len(doc))
		z, err := gzip.NewReader(bytes.NewReader(zipped))
		require.NoError(t, err)
		plain, err := io.ReadAll(z)
		require.NoError(t, err)
		assert.Equal(t, string(doc), string(plain))
		resp, _ = fetched(t, idp, u, "Accept-Encoding", "gzip;q=0")
		assert.Empty(t, resp.Header.Get("Content-Encoding"))

		// The other entity's document has another ETag.
		resp, _ = fetched(t, idp, queryURL(idp, idp.FederationEntityIDs()[1]), "If-None-Match", etag)
		assert.Equal(t, http.StatusOK, resp.StatusCode)
	}
	changes := map[string]func(){
		"a tenant":  func() { must(idp.Tenant("new")) },
		"a key":     func() { must(idp.AddKey(ecdsaKey(), nil)) },
		"the clock": func() { idp.Advance(time.Hour) },
		"backwards": func() { idp.Advance(-time.Hour) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			resp, _ := fetched(t, idp, idp.FederationURL())
			change()
			again, doc := fetched(t, idp, idp.FederationURL(), "If-None-Match", resp.Header.Get("ETag"))
			assert.Equal(t, http.StatusOK, again.StatusCode)
			_, err := saml.VerifyAggregate(doc, federationKeys(idp))
			assert.NoError(t, err)
		})
	}
}

func TestFederationTimes(t *testing.T) {
	for name, c := range map[string]struct {
		federation mockidp.Federation
		until      time.Duration // 0: none
		cache      time.Duration
	}{
		"defaults": {mockidp.Federation{}, 7 * 24 * time.Hour, time.Hour},
		"set": {mockidp.Federation{Validity: 2 * time.Hour, CacheDuration: 90 * time.Second}, 2 * time.Hour,
			90 * time.Second},
		"none": {mockidp.Federation{Validity: -1, CacheDuration: -1}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.federation.Key = testkit.RSAKey("federation")
			idp := start(t, mockidp.Config{Federation: c.federation})
			a, err := saml.VerifyAggregate(idp.FederationMetadata(), federationKeys(idp))
			require.NoError(t, err)
			assert.Equal(t, c.cache, a.CacheDuration())
			if c.until == 0 {
				assert.Zero(t, a.ValidUntil())
			} else {
				assert.Equal(t, c.until, a.ValidUntil().Sub(a.CreationInstant()))
			}
		})
	}
}

// A reader finds in the metadata what filters look for.
func TestFederationExtensions(t *testing.T) {
	c := twoRegions()
	c.Users[1].Login, c.Users[1].Email = "bob", "Bob@Other.Example"
	c.Federation = mockidp.Federation{Name: "https://fed.example", Entities: 420, Key: testkit.RSAKey("federation")}
	idp := start(t, c)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(idp.FederationMetadata()))
	count := func(path string) int { return len(doc.FindElements(path)) }
	const attribute = "//EntityDescriptor/Extensions/EntityAttributes/Attribute"
	assert.Equal(t, 421, count("//EntityDescriptor/Extensions/RegistrationInfo"))
	assert.Equal(t, 420/5, count("//RegistrationInfo[@registrationAuthority='https://other-federation.example']"))
	assert.Equal(t, 1+420/2, count(attribute+"[@Name='http://macedir.org/entity-category-support']"))
	assert.Equal(t, 1+420/3, count(attribute+"[@Name='urn:oasis:names:tc:SAML:attribute:assurance-certification']"))
	assert.Equal(t, 420/10, count(attribute+"[@Name='http://macedir.org/entity-category']"))
	assert.Equal(t, 420/4, count("//IDPSSODescriptor/Extensions/UIInfo/Logo"))
	assert.Equal(t, 420/7, count("//IDPSSODescriptor/Extensions/Scope[@regexp='true']"))
	own := doc.FindElement("//EntityDescriptor")
	var scopes []string
	for _, s := range own.FindElements("./IDPSSODescriptor/Extensions/Scope") {
		scopes = append(scopes, s.Text())
	}
	assert.Equal(t, []string{"example.com", "other.example"}, scopes)
	assert.Equal(t, "Identity Center – N. Virginia", text(t, own, "./IDPSSODescriptor/Extensions/UIInfo/DisplayName"))
	a, err := saml.ParseAggregate(idp.FederationMetadata())
	require.NoError(t, err)
	hidden := 0
	for d := range a.Descriptions() {
		if d.Hidden {
			hidden++
		}
	}
	assert.Equal(t, 42, hidden)
}

// Of apps with one entity ID, the first is there; inactive ones and bookmarks aren't.
func TestFederationHasEachEntityOnce(t *testing.T) {
	c := twoRegions()
	c.Apps = append(c.Apps, c.Apps[0], c.Apps[0])
	c.Apps[2].ID, c.Apps[2].Label, c.Apps[2].Issuer = "same", "Same issuer", "urn:example:idp"
	c.Apps[3].ID, c.Apps[3].Label, c.Apps[3].Inactive = "off", "Off", true
	c.Apps[0].Issuer = "urn:example:idp"
	c.Federation.Key = testkit.RSAKey("federation")
	idp := start(t, c)
	assert.Equal(t, []string{"urn:example:idp"}, idp.FederationEntityIDs())
	a, err := saml.VerifyAggregate(idp.FederationMetadata(), federationKeys(idp))
	require.NoError(t, err)
	_, err = a.IdP("urn:example:idp")
	require.NoError(t, err)

	updateApp(t, idp, "idc", func(a *mockidp.App) { a.Inactive = true })
	updateApp(t, idp, "same", func(a *mockidp.App) { a.Inactive = true })
	assert.Empty(t, idp.FederationMetadata())
	resp, _ := fetched(t, idp, idp.FederationURL())
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
}

// Tenants belong to the federation of their Server, and have none.
func TestFederationOfTenants(t *testing.T) {
	idp := federated(t, 0)
	tenant := must(idp.Tenant("one"))
	resp, _ := fetched(t, idp, tenant.URL+"/federation/metadata.xml")
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	assert.Equal(t, mockidp.ReasonConfig, reason(t, tenant.Inject(mockidp.Fault{Kind: mockidp.MetadataCut})))

	conf := twoRegions()
	conf.OddPaths, conf.Federation.Key = true, testkit.RSAKey("federation")
	odd := start(t, conf)
	assert.Contains(t, odd.FederationURL(), odd.URL+"/federation/")
	resp, _ = fetched(t, odd, odd.FederationURL())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	resp, _ = fetched(t, odd, queryURL(odd, odd.FederationEntityIDs()[0]))
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestFederationConfig(t *testing.T) {
	cert := testkit.Certificate(testkit.RSAKey("federation"), time.Now())
	for name, f := range map[string]mockidp.Federation{
		"negative":            {Entities: -1},
		"too many":            {Entities: 50_001},
		"text":                {Name: "a\x00b"},
		"short validity":      {Validity: time.Second},
		"short cacheDuration": {CacheDuration: time.Millisecond},
		"certificate alone":   {Certificate: cert},
		"another's key":       {Certificate: cert, Key: testkit.RSAKey("another")},
	} {
		_, err := mockidp.Open(mockidp.Config{Federation: f})
		assert.Equal(t, mockidp.ReasonConfig, reason(t, err), name)
	}
	given := start(t, mockidp.Config{Federation: mockidp.Federation{Certificate: cert, Key: testkit.RSAKey("federation")}})
	assert.Equal(t, cert.Raw, given.FederationCertificate().Raw)
	ec := start(t, mockidp.Config{Federation: mockidp.Federation{Key: ecdsaKey()}})
	_, err := saml.VerifyAggregate(ec.FederationMetadata(), federationKeys(ec))
	assert.NoError(t, err)
}
