package mockidp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"sync"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func otherKey() *rsa.PrivateKey { return testkit.RSAKey("other") }

// published returns the certificates in the metadata, in order.
func published(t *testing.T, idp *mockidp.Server) []string {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(idp.Metadata("")))
	var out []string
	for _, el := range doc.FindElements("//KeyDescriptor[@use='signing']//X509Certificate") {
		out = append(out, el.Text())
	}
	return out
}

// signedWith returns the certificate in a response.
func signedWith(t *testing.T, idp *mockidp.Server) string {
	t.Helper()
	form, err := idp.IdPInitiated("", alice, "")
	require.NoError(t, err)
	return text(t, decode(t, form), "./Signature//X509Certificate")
}

func TestKeyRollover(t *testing.T) {
	idp := start(t, twoRegions())
	der := func(k mockidp.Key) string { return base64.StdEncoding.EncodeToString(k.Certificate.Raw) }
	old := idp.Keys()[0]
	assert.True(t, old.Signing)
	assert.Regexp(t, `^[A-Za-z0-9_-]{43}$`, old.ID)

	next, err := idp.AddKey(otherKey(), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{der(old), der(next)}, published(t, idp))
	assert.Equal(t, der(old), signedWith(t, idp))

	require.NoError(t, idp.SignWith(next.ID))
	assert.Equal(t, []string{der(next), der(old)}, published(t, idp), "the one that signs comes first")
	assert.Equal(t, der(next), signedWith(t, idp))
	assert.Equal(t, next.Certificate, idp.Certificate())

	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.RetireKey(next.ID)), "it signs")
	require.NoError(t, idp.RetireKey(old.ID))
	assert.Equal(t, []string{der(next)}, published(t, idp))
	assert.Equal(t, mockidp.ReasonNoSuchKey, reason(t, idp.SignWith(old.ID)))
	assert.Equal(t, mockidp.ReasonNoSuchKey, reason(t, idp.RetireKey(old.ID)))
	_, err = idp.AddKey(otherKey(), next.Certificate)
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err), "a duplicate")
	_, err = idp.AddKey(nil, next.Certificate)
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))

	idp.Reset()
	assert.Equal(t, []string{der(old)}, published(t, idp))
}

func TestAppKeyID(t *testing.T) {
	idp := start(t, twoRegions())
	k, err := idp.AddKey(ecdsaKey(), nil)
	require.NoError(t, err)
	updateApp(t, idp, "idc", func(a *mockidp.App) { a.KeyID = k.ID })
	assert.Equal(t, base64.StdEncoding.EncodeToString(k.Certificate.Raw), signedWith(t, idp))
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.RetireKey(k.ID)))
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.UpdateApp("idc", func(a *mockidp.App) error { a.KeyID = "none"; return nil })))
}

func TestSignatureMethods(t *testing.T) {
	keys := map[string]any{"rsa": rsaKey(), "p256": ecdsaKey(),
		"p384": must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), "p521": must(ecdsa.GenerateKey(elliptic.P521(),
			rand.Reader))}
	usual := map[string]mockidp.SignatureMethod{"rsa": mockidp.RSASHA256, "p256": mockidp.ECDSASHA256,
		"p384": mockidp.ECDSASHA384, "p521": mockidp.ECDSASHA512}
	for name, key := range keys {
		methods := []mockidp.SignatureMethod{"", mockidp.RSASHA256, mockidp.RSASHA384, mockidp.RSASHA512,
			mockidp.InsecureRSASHA1}
		foreign := mockidp.ECDSASHA256
		if name != "rsa" {
			methods = []mockidp.SignatureMethod{"", mockidp.ECDSASHA256, mockidp.ECDSASHA384, mockidp.ECDSASHA512}
			foreign = mockidp.RSASHA256
		}
		conf := twoRegions()
		switch k := key.(type) {
		case *rsa.PrivateKey:
			conf.Key = k
		case *ecdsa.PrivateKey:
			conf.Key = k
		}
		idp := start(t, conf)
		set := func(m mockidp.SignatureMethod) {
			updateApp(t, idp, "idc", func(a *mockidp.App) { a.SignatureMethod = m })
		}
		for _, m := range methods {
			t.Run(name+" "+string(m), func(t *testing.T) {
				set(m)
				form, err := idp.IdPInitiated("idc", alice, "")
				require.NoError(t, err)
				want := m
				if m == "" {
					want = usual[name]
				}
				assert.Equal(t, string(want), attrOf(t, decode(t, form), "./Signature//SignatureMethod", "Algorithm"))
				xmlsecVerifies(t, idp, form)
			})
		}
		set(foreign)
		_, err := idp.IdPInitiated("idc", alice, "")
		assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
	}
}

func TestOmitKeyInfo(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].OmitKeyInfo = true
	idp := start(t, conf)
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	root := decode(t, form)
	assert.Empty(t, root.FindElements("//KeyInfo"))
	assert.Len(t, root.FindElements("//Signature"), 2)
	xmlsecVerifies(t, idp, form)
}

// Metadata and answers stay complete while the signing key changes.
func TestConcurrentRolloverAndSigning(t *testing.T) {
	idp := start(t, twoRegions())
	a, b := idp.Keys()[0].ID, must(idp.AddKey(otherKey(), nil)).ID
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				assert.NoError(t, idp.SignWith(a))
				form, err := idp.IdPInitiated("", alice, "")
				assert.NoError(t, err)
				raw := string(must(base64.StdEncoding.DecodeString(form.SAMLResponse)))
				assert.Equal(t, 2, strings.Count(raw, "<ds:X509Certificate>"))
				assert.NoError(t, idp.SignWith(b))
				assert.Len(t, published(t, idp), 2)
			}
		})
	}
	wg.Wait()
}
