package saml_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/saml"
)

const attackRequest = "_request1"

// attackRun is one way to make and verify a case.
type attackRun struct {
	c       attack.Case
	key     string // a file in testdata/keys
	sign    attack.Sign
	encrypt bool
}

func (r attackRun) String() string {
	s := r.key[:len(r.key)-len(".pem")] + "/" + r.sign.String()
	if r.encrypt {
		s += "/encrypted"
	}
	return s
}

// runsOf lists every key, every way of signing, and with the first key also
// encrypted.
func runsOf(c attack.Case, n attack.Needs) []attackRun {
	var out []attackRun
	for i, key := range keyFiles(n.Key) {
		for _, sign := range n.Modes() {
			out = append(out, attackRun{c, key, sign, n.Encrypted})
			if i == 0 && !n.Encrypted && c.MayEncrypt() {
				out = append(out, attackRun{c, key, sign, true})
			}
		}
	}
	return out
}

// twinRuns is runsOf without runs that the twins of other cases cover already: most
// twins differ only in their IDs.
func twinRuns(c attack.Case, n attack.Needs) []attackRun {
	first, seen := keyFiles(n.Key)[0], make(map[string]bool)
	return slices.DeleteFunc(runsOf(c, n), func(r attackRun) bool {
		if r.key == first && r.encrypt == n.Encrypted {
			return false
		}
		kind := fmt.Sprint(r.key, r.encrypt)
		again := seen[kind]
		seen[kind] = true
		return again
	})
}

func (r attackRun) params() attack.Params {
	p := attack.Params{
		Issuer: idpEntity, Audience: spEntity, Recipient: usACS, OtherACS: euACS, Now: now,
		RequestID: attackRequestFor(r.c.Needs.SP), OtherIdP: secondIdP, OtherKey: attackKeys()["other-idp-rsa.pem"],
		Key: attackKeys()[r.key], Certificate: attackCertificates()[r.key], AttackerKey: attackKeys()["attacker-rsa.pem"],
		Sign: r.sign,
		Rand: rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32.32s", r.c.ID)))),
	}
	if _, ok := p.Key.(*rsa.PrivateKey); !ok {
		p.AttackerKey = attackKeys()["attacker-ecdsa.pem"]
	}
	if r.encrypt {
		p.EncryptTo = &attackKeys()["sp-rsa.pem"].(*rsa.PrivateKey).PublicKey
	}
	return p
}

// attackConfig sets up the service provider as a case needs it.
func attackConfig(
	t testing.TB,
	key crypto.Signer,
	certificate []byte,
	attacker crypto.Signer,
	s attack.Settings,
	entity string,
) saml.Config {
	t.Helper()
	cfg := config()
	cfg.InsecureAllowSHA1, cfg.InsecureAllowRSA1024, cfg.MaxAuthnAge = s.AllowSHA1, s.AllowRSA1024, s.MaxAuthnAge
	cfg.DecryptionKeys = []crypto.Decrypter{attackKeys()["sp-rsa.pem"].(crypto.Decrypter)}
	cfg.InsecureAllowUnauthenticatedCBC, cfg.InsecureAllowRSA15 = s.AllowCBC, s.AllowRSA15
	idp := saml.IdPConfig{EntityID: entity, Keys: []crypto.PublicKey{key.Public()}}
	if s.MetadataOver {
		idp.ValidUntil = now.Add(-time.Hour)
	}
	if s.CertificateOver {
		der, err := attack.NewCertificate(key, now.Add(-10*365*24*time.Hour))
		require.NoError(t, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		idp.Keys, idp.Certificates = nil, []*x509.Certificate{cert}
	}
	known, err := saml.NewIdP(idp)
	require.NoError(t, err)
	if s.EncryptionKeyListed {
		other, err := attack.NewCertificate(attacker, now)
		require.NoError(t, err)
		known, err = saml.ParseIdPMetadata(metadataOf(entity, "", certificate, other))
		require.NoError(t, err)
	}
	if s.Scope != "" {
		known, err = saml.ParseIdPMetadata(metadataOf(entity, scopesOf(s), certificate, certificate))
		require.NoError(t, err)
	}
	cfg.IdP = known
	return cfg
}

// withOtherIdP adds an identity provider to the one of a Config.
func withOtherIdP(t testing.TB, cfg saml.Config, s attack.Settings, entity string, key crypto.Signer) saml.Config {
	t.Helper()
	other, err := saml.NewIdP(saml.IdPConfig{
		EntityID: entity, Keys: []crypto.PublicKey{key.Public()},
		SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.second.example/sso"}},
	})
	require.NoError(t, err)
	other, err = other.WithPolicy(saml.IdPPolicy{RefuseUnsolicited: s.Unsolicited})
	require.NoError(t, err)
	both := map[string]*saml.IdP{entity: other, cfg.IdP.IdP().EntityID(): cfg.IdP.IdP()}
	cfg.IdP, cfg.IdPs = nil, lookup(func(id string) (*saml.IdP, error) { return both[id], nil })
	return cfg
}

// attackRequestFor returns the ID of the request. With several identity providers it
// must be one that was made to idpEntity.
func attackRequestFor(s attack.Settings) string {
	if s.OtherIdP {
		return requestToIdP()
	}
	return attackRequest
}

var requestToIdP = sync.OnceValue(func() string {
	cfg := config()
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: idpEntity, Keys: []crypto.PublicKey{attackKeys()["idp-rsa.pem"].Public()},
		SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
	})
	if err != nil {
		panic(err)
	}
	cfg.IdP, cfg.IdPs = nil, lookup(func(string) (*saml.IdP, error) { return idp, nil })
	sp, err := saml.New(cfg)
	if err != nil {
		panic(err)
	}
	r, err := sp.NewAuthnRequest(saml.RequestOptions{ACS: usACS, IdP: idpEntity})
	if err != nil {
		panic(err)
	}
	return r.ID()
})

// scopesOf returns the extensions of metadata that has a case's scopes.
func scopesOf(s attack.Settings) string {
	var pattern strings.Builder
	_ = xml.EscapeText(&pattern, []byte(s.ScopePattern))
	out := `<Extensions xmlns:shibmd="urn:mace:shibboleth:metadata:1.0"><shibmd:Scope>` + s.Scope + `</shibmd:Scope>`
	if s.ScopePattern != "" {
		out += `<shibmd:Scope regexp="true">` + pattern.String() + `</shibmd:Scope>`
	}
	return out + `</Extensions>`
}

func metadataOf(entity, extensions string, signing, encryption []byte) []byte {
	key := func(use string, der []byte) string {
		return `<KeyDescriptor use="` + use +
			`"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` +
			base64.StdEncoding.EncodeToString(
				der,
			) + `</X509Certificate></X509Data></KeyInfo></KeyDescriptor>`
	}
	return []byte(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + entity + `">` +
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + extensions + key("signing", signing) +
		key("encryption", encryption) +
		`<SingleSignOnService Binding="` + saml.HTTPRedirect +
		`" Location="https://idp.example/sso"/></IDPSSODescriptor></EntityDescriptor>`)
}

// verify does what a service provider does with a message: Verify, and then
// CheckRequest.
func verify(t testing.TB, cfg saml.Config, s attack.Settings, posted []byte) (*saml.Assertion, error) {
	t.Helper()
	if s.OtherIdP {
		cfg = withOtherIdP(t, cfg, s, secondIdP, attackKeys()["other-idp-rsa.pem"])
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	id := attackRequestFor(s)
	a, err := sp.Verify(posted, saml.VerifyOptions{ACS: usACS, RequestIDs: []string{id}, Unsolicited: s.Unsolicited})
	if err != nil {
		require.Nil(t, a, "a refusal comes with nothing")
		return nil, err
	}
	if s.Unsolicited {
		require.Empty(t, a.InResponseTo())
		return a, nil
	}
	require.Equal(t, id, a.InResponseTo())
	if err := a.CheckRequest(askedBy(s, id, idpEntity, usACS, now)); err != nil {
		return nil, err
	}
	return a, nil
}

// requireOutcome compares a verdict with the expected outcome.
func requireOutcome(t testing.TB, want attack.Outcome, a *saml.Assertion, err error) {
	t.Helper()
	if !want.Accepted() {
		require.Error(t, err, "accepted, must be %s", want)
		var e *saml.Error
		require.ErrorAs(t, err, &e)
		require.Contains(t, want.Reasons, string(e.Reason), "%v", err)
		return
	}
	require.NoError(t, err)
	if want.NameID == "" {
		want.NameID = "alice@example.com"
	}
	if want.Until == 0 {
		want.Until = 5 * time.Minute
	}
	require.Equal(t, want.NameID, a.NameID().Value)
	require.Equal(t, idpEntity, a.Issuer())
	require.Equal(t, now.Add(want.Until), a.NotOnOrAfter())
	for _, attr := range attack.DefaultAttributes() {
		if _, differs := want.Values[attr.Name]; !differs {
			require.Equal(t, attr.Values, a.Values(attr.Name), attr.Name)
		}
	}
	for name, values := range want.Values {
		require.Equal(t, values, a.Values(name), name)
	}
}

// TestAttacks runs the whole catalogue. Every hostile document is refused with the
// expected Reason, or accepted with the expected values. Every twin is accepted.
// Nothing panics.
func TestAttacks(t *testing.T) {
	cases := attack.Cases()
	require.NotEmpty(t, cases)
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			for _, r := range runsOf(c, c.Needs) {
				t.Run(r.String(), func(t *testing.T) {
					p := r.params()
					m, err := c.Make(p)
					require.NoError(t, err)
					a, err := verify(
						t,
						attackConfig(t, p.Key, p.Certificate, p.AttackerKey, c.Needs.SP, idpEntity),
						c.Needs.SP,
						m.SAMLResponse,
					)
					requireOutcome(t, c.Outcome, a, err)
				})
			}
			for _, r := range twinRuns(c, c.TwinNeeds()) {
				t.Run("twin/"+r.String(), func(t *testing.T) {
					p := r.params()
					m, err := c.Twin(p)
					require.NoError(t, err)
					settings := c.TwinNeeds().SP
					a, err := verify(
						t,
						attackConfig(t, p.Key, p.Certificate, p.AttackerKey, settings, idpEntity),
						settings,
						m.SAMLResponse,
					)
					requireOutcome(t, c.TwinOutcome(), a, err)
				})
			}
		})
	}
}

// E01, E02: every error in a ciphertext or its plaintext has exactly the same text.
// Otherwise it would be an oracle.
func TestE01_PaddingAndParsingErrorsAreEqual(t *testing.T) {
	for _, row := range []string{"E01", "E02"} {
		texts := make(map[string][]string)
		for _, c := range attack.Cases() {
			if c.Row() != row || !slices.Equal(c.Outcome.Reasons, []string{"Encrypted"}) {
				continue
			}
			r := attackRun{c, "idp-rsa.pem", attack.SignAssertion, true}
			p := r.params()
			m, err := c.Make(p)
			require.NoError(t, err)
			_, err = verify(
				t,
				attackConfig(t, p.Key, p.Certificate, p.AttackerKey, c.Needs.SP, idpEntity),
				c.Needs.SP,
				m.SAMLResponse,
			)
			require.Error(t, err)
			texts[err.Error()] = append(texts[err.Error()], c.ID)
		}
		require.Len(t, texts, 1, row)
	}
}
