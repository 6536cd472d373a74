package peers_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// A publisher is the key of a federation, which signs its aggregates with xmlsec1.
type publisher struct {
	xmlsec string
	peerKey
}

func newPublisher(t *testing.T) publisher {
	t.Helper()
	return publisher{testkit.RequireProgram(t, "peers", "xmlsec1"), newPeerKey("publisher.example")}
}

const aggregateHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
	`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_aggregate" Name="https://federation.example/"` +
	` validUntil="%s">` +
	`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>` +
	`<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>` +
	`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#_aggregate">` +
	`<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>` +
	`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>` +
	`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>` +
	`<ds:SignatureValue/></ds:Signature>` + "\n"

// aggregate returns the entities in one signed document.
func (p publisher) aggregate(t *testing.T, entities [][]byte) []byte {
	t.Helper()
	s := hostState{dir: t.TempDir()}
	key, err := x509.MarshalPKCS8PrivateKey(p.key)
	require.NoError(t, err)
	s.write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	head := fmt.Sprintf(aggregateHead, time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339))
	s.write(t, "unsigned.xml", []byte(head+string(bytes.Join(entities, []byte("\n")))+"\n</md:EntitiesDescriptor>\n"))
	out, err := exec.Command(p.xmlsec, "--sign", "--privkey-pem", s.file("key.pem"), "--id-attr:ID",
		samlMetadataNS+":EntitiesDescriptor", "--output", s.file("signed.xml"), s.file("unsigned.xml")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	signed, err := os.ReadFile(s.file("signed.xml"))
	require.NoError(t, err)
	return signed
}

var entityTag = regexp.MustCompile(`<([\w.-]+:)?EntityDescriptor\b`)

// withoutProlog returns the EntityDescriptor that is the root of a document.
func withoutProlog(t *testing.T, document []byte) []byte {
	t.Helper()
	at := entityTag.FindIndex(document)
	require.NotNil(t, at, "%s", document)
	return bytes.TrimSpace(document[at[0]:])
}

// entitiesOfPrograms returns the metadata of ten entities, as seven programs write it: five identity providers and five
// service providers.
func entitiesOfPrograms(t *testing.T) (providers, services [][]byte) {
	t.Helper()
	ours := deploy(t, func(c *saml.Config, _ *acs.Config) { describeFully(c) }).metadata(t)
	sp := func() [][]byte { return [][]byte{bytes.Clone(ours)} }
	apps := []mockidp.App{{Label: "Zürich <&\">"}, {Label: "Entra", Profile: mockidp.Entra}}
	mock := mockidp.New(mockidp.Config{Apps: apps})
	t.Cleanup(mock.Close)
	for _, document := range [][]byte{
		startSimpleSAMLphp(t, requireSimpleSAMLphp(t), signBoth, "", sp()).metadata,
		requirePysaml2(t).start(t, signBoth, sp()).metadata,
		startCrewjam(t, sp()).metadata,
		mock.Metadata(mock.Apps()[0].ID), mock.Metadata(mock.Apps()[1].ID),
	} {
		providers = append(providers, withoutProlog(t, document))
	}
	services = append(services, withoutProlog(t, ours))
	for _, name := range []string{"shibboleth", "simplesamlphp", "pysaml2", "lasso"} {
		page := newPeerBrowser(t).open(startHost(t, name, newSPPeersIdP(t).Metadata("")).Metadata)
		require.Equal(t, http.StatusOK, page.status, page.body)
		services = append(services, withoutProlog(t, []byte(page.body)))
	}
	return providers, services
}

// TestXmlsecSignsAnAggregate has xmlsec1 sign the metadata that other programs write. What is read of each entity must
// be the same as of its own document.
func TestXmlsecSignsAnAggregate(t *testing.T) {
	p := newPublisher(t)
	providers, services := entitiesOfPrograms(t)
	t.Run("10 entities", func(t *testing.T) { testSmallAggregate(t, p, providers, services) })
	t.Run("10000 entities", func(t *testing.T) { testLargeAggregate(t, p, providers, services) })
}

// No changed byte of a small one may be accepted with another meaning.
func testSmallAggregate(t *testing.T, p publisher, providers, services [][]byte) {
	document, pinned := p.aggregate(t, slices.Concat(providers, services)), []crypto.PublicKey{p.key.Public()}
	a, err := saml.VerifyAggregate(document, pinned)
	require.NoError(t, err)
	require.Equal(t, len(providers), a.Len())
	want := map[string]idpReading{}
	for _, provider := range providers {
		r := p.reading(t, provider, a)
		want[r.entityID] = r
	}
	require.Len(t, want, len(providers))
	require.Equal(t, want, readAggregate(t, document, want))
	_, err = saml.VerifyAggregate(document, []crypto.PublicKey{peerIdPKey().key.Public()})
	require.Equal(t, saml.ReasonMetadataSignature, samlReason(err), "another key")

	const step = 31
	tried, refused := 0, 0
	for at := bytes.Index(document, []byte("<md:")); at < len(document); at += step {
		changed := bytes.Clone(document)
		changed[at] ^= 1
		tried++
		if _, err := saml.VerifyAggregate(changed, pinned); err != nil {
			refused++
			continue
		}
		// It is in a comment, or in what canonical XML leaves out.
		require.Equal(t, want, readAggregate(t, changed, want), "byte %d after %q", at, document[max(at-40, 0):at])
	}
	require.Greater(t, refused, tried*9/10)
	t.Logf("%d bytes changed, %d times refused", tried, refused)
}

// A large one has copies of the entities, with entity IDs of their own. Package federation fetches it.
func testLargeAggregate(t *testing.T, p publisher, providers, services [][]byte) {
	const each = 1_000
	var entities [][]byte
	first := map[string][]byte{} // of each provider's copies
	for i, entity := range slices.Concat(providers, services) {
		for range each {
			id := fmt.Sprintf("https://member-%05d.example/saml", len(entities))
			entities = append(entities, renamed(entity, id))
			if i < len(providers) && len(entities)%each == 1 {
				first[id] = entities[len(entities)-1]
			}
		}
	}
	document := p.aggregate(t, entities)
	a, err := saml.VerifyAggregate(document, []crypto.PublicKey{p.key.Public()})
	require.NoError(t, err)
	require.Equal(t, each*len(providers), a.Len())
	require.Len(t, entities, 10_000)

	f := p.fetch(t, document)
	require.NoError(t, f.Status()[0].Err)
	require.Len(t, f.EntityIDs(), each*len(providers))
	require.Len(t, first, len(providers))
	for id, entity := range first {
		want := p.reading(t, entity, a)
		got, err := f.IdP(id)
		require.NoError(t, err)
		require.Equal(t, want, idpRead(got))
	}

	last := bytes.LastIndex(document, []byte("https://member-09999.example"))
	changed := bytes.Clone(document)
	changed[last] ^= 1
	f = p.fetch(t, changed)
	require.Equal(t, saml.ReasonMetadataSignature, samlReason(f.Status()[0].Err))
	require.Empty(t, f.EntityIDs())
}

// fetch opens a federation with a document that it fetches, and the publisher's key.
func (p publisher) fetch(t *testing.T, document []byte) *federation.Federation {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(document)
	}))
	t.Cleanup(server.Close)
	f, err := federation.Open(t.Context(), federation.Config{
		Sources: []federation.Source{{
			URL: server.URL, Keys: []crypto.PublicKey{p.key.Public()}, MaxValidity: 28 * 24 * time.Hour,
			AllowPrivateAddresses: true,
		}},
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

// reading is what is read of an entity's own document, with the validUntil of the aggregate.
func (publisher) reading(t *testing.T, entity []byte, a *saml.Aggregate) idpReading {
	t.Helper()
	r, err := readByUs(entity, "")
	require.NoError(t, err)
	r.validUntil = sooner(r.validUntil, a.ValidUntil())
	return r
}

// readAggregate reads these entities.
func readAggregate(t *testing.T, document []byte, entities map[string]idpReading) map[string]idpReading {
	t.Helper()
	got := map[string]idpReading{}
	for id := range entities {
		var err error
		got[id], err = readByUs(document, id)
		require.NoError(t, err)
	}
	return got
}

var (
	entityIDAttribute = regexp.MustCompile(`\bentityID="[^"]*"`)
	idAttribute       = regexp.MustCompile(`\sID="[^"]*"`)
)

// renamed is an entity with another entity ID and no ID.
func renamed(entity []byte, entityID string) []byte {
	root := entity[:bytes.IndexByte(entity, '>')]
	head := entityIDAttribute.ReplaceAll(idAttribute.ReplaceAll(root, nil), []byte(`entityID="`+entityID+`"`))
	return append(head, entity[len(root):]...)
}

func samlReason(err error) saml.Reason {
	var e *saml.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Reason
}
