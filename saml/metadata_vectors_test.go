package saml_test

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/saml"
)

// TestMetadataVectors reads the metadata in testdata/vectors. What comes out of
// a good one must be all that the headers say, and nothing else.
func TestMetadataVectors(t *testing.T) {
	vectors := vectorsOf(t, "metadata")
	require.NotEmpty(t, vectors, "no vectors")
	for _, v := range vectors {
		t.Run(v.one("id"), func(t *testing.T) {
			t.Parallel()
			v.readMetadata(t)
		})
	}
}

func (v *vector) readMetadata(t *testing.T) {
	now, err := time.Parse(time.RFC3339, v.one("now"))
	require.NoError(t, err)
	idp, err := useMetadata(t, v.document(t), v.one("asked-idp"), v.headers["publisher-key"], now)
	if len(v.reasons) > 0 {
		require.Nil(t, idp, "a refusal comes with nothing")
		requireReasonIn(t, v.reasons, err)
		return
	}
	require.NoError(t, err)
	until := time.Time{}
	if s := v.one("valid-until"); s != "" {
		until, err = time.Parse(time.RFC3339, s)
		require.NoError(t, err)
	}
	require.Contains(t, []string{"", "some"}, v.one("passed-over"))
	requireIdP(t, idp, v.one("idp"), v.headers["sso"], until, v.one("passed-over") != "")
	requireKeys(t, idp, v.headers["key"])
}

// document is the metadata file.
func (v *vector) document(t testing.TB) []byte {
	t.Helper()
	if v.one("body") != "base64" {
		return []byte(v.body)
	}
	doc, err := base64.StdEncoding.DecodeString(v.body)
	require.NoError(t, err)
	return doc
}

// useMetadata reads an identity provider's metadata, and makes a request to it.
func useMetadata(t testing.TB, doc []byte, name string, publisherKeys []string, now time.Time) (*saml.IdP, error) {
	t.Helper()
	idp, err := readMetadata(doc, name, publisherKeys)
	if err != nil {
		require.Nil(t, idp, "a refusal comes with nothing")
		return nil, err
	}
	sp := newSP(t, func(c *saml.Config) {
		c.IdP, c.Now = idp, func() time.Time { return now }
		c.Key, c.Certificate = attackKeys()["sp-rsa.pem"], certificate(t, attackKeys()["sp-rsa.pem"], now)
	})
	if _, err := sp.NewAuthnRequest(saml.RequestOptions{}); err != nil {
		return nil, err
	}
	return idp, nil
}

// readMetadata reads metadata that the operator vouches for, or that one of the keys
// signed, which are files in testdata/keys.
func readMetadata(doc []byte, name string, publisherKeys []string) (*saml.IdP, error) {
	switch {
	case len(publisherKeys) > 0:
		var pinned []crypto.PublicKey
		for _, file := range publisherKeys {
			pinned = append(pinned, attackKeys()[file].Public())
		}
		a, err := saml.VerifyAggregate(doc, pinned)
		if err != nil {
			return nil, err
		}
		return a.IdP(name)
	case name != "":
		return saml.ParseIdPMetadataFor(doc, name)
	}
	return saml.ParseIdPMetadata(doc)
}

func requireReasonIn(t testing.TB, reasons []string, err error) {
	t.Helper()
	var e *saml.Error
	require.ErrorAs(t, err, &e, "accepted, must be refused as %v", reasons)
	require.Contains(t, reasons, string(e.Reason), "%v", err)
}

func requireIdP(t testing.TB, idp *saml.IdP, entityID string, sso []string, until time.Time, passedOver bool) {
	t.Helper()
	require.Equal(t, entityID, idp.EntityID())
	var services []string
	for _, s := range idp.SSOServices() {
		services = append(services, s.Binding+" "+s.URL)
	}
	require.Equal(t, sso, services)
	require.True(t, until.Equal(idp.ValidUntil()), "valid until %s, must be %s", idp.ValidUntil(), until)
	require.Equal(t, passedOver, len(idp.Warnings()) > 0, "passed over: %q", idp.Warnings())
	for _, s := range idp.LogoutServices() {
		require.Equal(t, "https://idp.example/slo", s.URL)
		require.Empty(t, s.ResponseURL)
	}
}

// requireKeys makes sure that responses signed with these of testdata/keys are
// accepted, and with any other refused. So this checks the keys that are used, not
// those that are listed.
func requireKeys(t testing.TB, idp *saml.IdP, files []string) {
	t.Helper()
	require.NotEmpty(t, files)
	sp := newSP(t, func(c *saml.Config) { c.IdP = idp })
	var verified []string
	for file, response := range signedByEach() {
		switch _, err := sp.Verify(response, saml.VerifyOptions{ACS: usACS, RequestIDs: []string{attackRequest}}); {
		case err == nil:
			verified = append(verified, file)
		default:
			requireReason(t, saml.ReasonSignature, err)
		}
	}
	require.ElementsMatch(t, files, verified)
}

// signedByEach are good responses, one for each key in testdata/keys that a
// service provider takes.
var signedByEach = sync.OnceValue(func() map[string][]byte {
	good := attack.Cases()[0]
	out := make(map[string][]byte)
	for file, key := range attackKeys() {
		if public, ok := key.Public().(*rsa.PublicKey); ok && (public.N.BitLen() < 2048 || public.E < 65537) {
			continue
		}
		m, err := good.Twin(attack.Params{
			Issuer: idpEntity, Audience: spEntity, Recipient: usACS, RequestID: attackRequest, Now: now,
			Key: key, Sign: good.TwinNeeds().Modes()[0], NoCertificate: true, Rand: rand.NewChaCha8([32]byte{}),
		})
		if err != nil {
			panic(err)
		}
		out[file] = m.SAMLResponse
	}
	if len(out) < 4 {
		panic("too few keys in testdata/keys")
	}
	return out
})

// TestMetadataCases makes each document anew, and its twin, which must be read.
func TestMetadataCases(t *testing.T) {
	p := attack.MetadataParams{
		EntityID: idpEntity,
		SSOURL:   "https://idp.example/sso",
		Now:      now,
		Keys:     map[attack.KeyRole]crypto.Signer{},
	}
	files := map[attack.KeyRole]string{
		attack.SigningKey: "idp-rsa.pem", attack.NextKey: "idp-ecdsa.pem", attack.IssuerKey: "attacker-rsa.pem",
		attack.RootKey: "attacker-ecdsa.pem", attack.PublisherKey: "publisher-rsa.pem", attack.WeakKey: "idp-rsa1024.pem",
	}
	for role, file := range files {
		p.Keys[role] = attackKeys()[file]
	}
	var sso []string
	for _, binding := range []string{saml.HTTPRedirect, saml.HTTPPost} {
		sso = append(sso, binding+" "+p.SSOURL)
	}
	cases := attack.MetadataCases()
	require.NotEmpty(t, cases)
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.ID, "/", "-"), func(t *testing.T) {
			t.Parallel()
			name := ""
			if c.ByName {
				name = p.EntityID
			}
			var pinned []string
			for _, role := range c.Pinned {
				pinned = append(pinned, files[role])
			}
			doc, err := c.Make(p)
			require.NoError(t, err)
			if idp, err := useMetadata(t, doc, name, pinned, now); c.Outcome.Accepted() {
				require.NoError(t, err)
				until := time.Time{}
				if c.Outcome.ValidUntil != 0 {
					until = now.Add(c.Outcome.ValidUntil)
				}
				requireIdP(t, idp, p.EntityID, sso, until, c.Outcome.PassedOver)
				var want []string
				for _, role := range c.Outcome.SigningKeys() {
					want = append(want, files[role])
				}
				requireKeys(t, idp, want)
			} else {
				require.Nil(t, idp)
				requireReasonIn(t, c.Outcome.Reasons, err)
			}
			doc, err = c.Twin(p)
			require.NoError(t, err)
			idp, err := useMetadata(t, doc, name, pinned, now)
			require.NoError(t, err)
			requireIdP(t, idp, p.EntityID, sso, time.Time{}, false)
			requireKeys(t, idp, []string{files[attack.SigningKey]})
		})
	}
}
