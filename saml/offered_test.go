package saml_test

import (
	"crypto/elliptic"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const (
	sigMore    = "http://www.w3.org/2001/04/xmldsig-more#"
	rsaSHA1    = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	xmlSHA256  = "http://www.w3.org/2001/04/xmlenc#sha256"
	algSupport = `xmlns:alg="urn:oasis:names:tc:SAML:metadata:algsupport"`
)

func signing(uri, attrs string) string {
	return `<alg:SigningMethod ` + algSupport + ` Algorithm="` + uri + `" ` + attrs + `/>`
}

func digesting(uri string) string {
	return `<alg:DigestMethod ` + algSupport + ` Algorithm="` + uri + `"/>`
}

// offeringIdP is an identity provider with these extensions of entity and role.
func offeringIdP(t testing.TB, entity, role string) *saml.IdP {
	t.Helper()
	in := func(x string) string { return "<md:Extensions>" + x + "</md:Extensions>" }
	metadata := idpMetadata(t, "", "signing", "")
	head, rest, _ := strings.Cut(metadata, ">")
	rest = strings.Replace(rest, `:2.0:protocol">`, `:2.0:protocol">`+in(role), 1)
	idp, err := saml.ParseIdPMetadata([]byte(head + ">" + in(entity) + rest))
	require.NoError(t, err)
	return idp
}

// IIP-MD10, K13: a request is signed only as the identity provider's metadata says that
// it accepts, and never with a weaker algorithm.
// Obligations: IIP-MD05.
func TestOfferedAlgorithms(t *testing.T) {
	const ours = sigMore + "rsa-sha256"
	for _, c := range []struct {
		name, entity, role string
		binding            string
		ok                 bool
	}{
		{"nothing", "", "", "", true},
		{"ours", "", signing(ours, ""), "", true},
		{"ours among others", "", signing(rsaSHA1, "") + signing(sigMore+"ecdsa-sha256", "") + signing(ours, ""), "", true},
		{"of the entity", signing(ours, ""), "", "", true},
		{"K13 SHA-1 only", "", signing(rsaSHA1, ""), "", false},
		{"K13 SHA-1 only, of the entity", signing(rsaSHA1, ""), "", "", false},
		{"the role's replace the entity's", signing(ours, ""), signing(rsaSHA1, ""), "", false},
		{"the role's replace the entity's, ours", signing(rsaSHA1, ""), signing(ours, ""), "", true},
		{"of other keys", "", signing(sigMore+"ecdsa-sha256", ""), "", false},
		{"a size that fits", "", signing(ours, `MinKeySize="2048" MaxKeySize="4096"`), "", true},
		{"too small a key", "", signing(ours, `MinKeySize="3072"`), "", false},
		{"too large a key", "", signing(ours, `MaxKeySize="1024"`), "", false},
		{"one size of two", "", signing(ours, `MinKeySize="3072"`) + signing(ours, `MinKeySize="2048"`), "", true},
		{"our digest", "", digesting(xmlSHA256), saml.HTTPPost, true},
		{"another digest", "", digesting("http://www.w3.org/2000/09/xmldsig#sha1"), saml.HTTPPost, false},
		{"another digest, where there is none", "", digesting("http://www.w3.org/2000/09/xmldsig#sha1"),
			saml.HTTPRedirect, true},
		{"another namespace", "", `<x:SigningMethod xmlns:x="urn:x" Algorithm="` + rsaSHA1 + `"/>`, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			idp := offeringIdP(t, c.entity, c.role)
			sp := newSP(t, func(cfg *saml.Config) {
				cfg.IdP, cfg.SignRequests = idp, true
				cfg.Key, cfg.Certificate = keys().idp, certificate(t, keys().idp, now)
			})
			_, err := sp.NewAuthnRequest(saml.RequestOptions{Binding: c.binding})
			if c.ok {
				require.NoError(t, err)
			} else {
				requireReason(t, saml.ReasonAlgorithm, err)
			}
			if !c.ok && c.binding == "" {
				requireReason(t, saml.ReasonAlgorithm, sp.CheckRequests())
			}
			// A request that is not signed needs none, and the metadata accepts nothing for us.
			unsigned := newSP(t, func(cfg *saml.Config) { cfg.IdP = idp })
			_, err = unsigned.NewAuthnRequest(saml.RequestOptions{Binding: c.binding})
			require.NoError(t, err)
			_, err = unsigned.Verify(doc{Method: rsaSHA1}.base64(t), unsolicited)
			requireReason(t, saml.ReasonAlgorithm, err)
		})
	}
	require.NotEmpty(t, offeringIdP(t, "", signing(rsaSHA1, "")).Warnings())
	require.Equal(t, offeringIdP(t, "", "").Warnings(), offeringIdP(t, "", signing(ours, "")).Warnings())

	key := ecKey(t, elliptic.P384())
	sp := newSP(t, func(cfg *saml.Config) {
		cfg.IdP = offeringIdP(t, "", signing(sigMore+"ecdsa-sha384", `MinKeySize="384"`))
		cfg.Key, cfg.Certificate, cfg.SignRequests = key, certificate(t, key, now), true
	})
	_, err := sp.NewAuthnRequest(saml.RequestOptions{})
	require.NoError(t, err)
}
