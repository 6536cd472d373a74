package run

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// IdP is the identity provider that attacks are made in the name of. A service
// provider trusts it by its Metadata.
type IdP struct {
	// EntityID and SSOURL are what its metadata says. Empty: addresses below
	// http://idp.localhost, where nothing needs to listen: the tool takes the
	// AuthnRequests from the service provider's answers.
	EntityID, SSOURL string

	// RSA signs, except in attacks on other kinds of key. Required.
	RSA *rsa.PrivateKey
	// ECDSA signs in the attacks on ECDSA. Nil: they are not run.
	ECDSA *ecdsa.PrivateKey
	// RSA1024 is for the attack on short keys. Nil: it is not run.
	RSA1024 *rsa.PrivateKey
	// Encryption stands in the metadata, but as a key for encryption: nothing
	// that it signs is to be believed. Nil: the attack that needs it is not run.
	Encryption *rsa.PrivateKey
	// Certificates are, in DER, those of the keys above. Keys without one get a
	// new one that is valid from yesterday on, for a year: by Metadata or by Run,
	// whichever comes first.
	Certificates map[crypto.Signer][]byte
}

// The default addresses of an [IdP].
const (
	DefaultEntityID = "http://idp.localhost/attack/metadata"
	DefaultSSOURL   = "http://idp.localhost/attack/sso"
)

// NewIdP makes an identity provider with new keys of every kind that service
// providers commonly take.
func NewIdP() (*IdP, error) {
	keys, err := newKeys()
	if err != nil {
		return nil, err
	}
	encryption, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	idp := &IdP{RSA: keys.rsa, ECDSA: keys.ecdsa, Encryption: encryption}
	return idp, idp.complete(time.Now())
}

// complete fills in what is left open. It changes nothing that is there, so
// that an identity provider can be used by several at once from then on.
func (i *IdP) complete(now time.Time) error {
	if i.EntityID == "" {
		i.EntityID = DefaultEntityID
	}
	if i.SSOURL == "" {
		i.SSOURL = DefaultSSOURL
	}
	if i.Certificates == nil {
		i.Certificates = make(map[crypto.Signer][]byte)
	}
	for _, k := range i.keys() {
		if i.Certificates[k.key] != nil {
			continue
		}
		der, err := attack.NewCertificate(k.key, now)
		if err != nil {
			return &attack.Error{Rule: "target", Detail: "a certificate for the " + k.name + " key", Err: err}
		}
		i.Certificates[k.key] = der
	}
	return nil
}

// namedKey is a key as its files are called.
type namedKey struct {
	name  string
	key   crypto.Signer
	use   string
	there bool
}

// keys lists the keys that there are.
func (i *IdP) keys() []namedKey {
	return slices.DeleteFunc([]namedKey{
		{"rsa", i.RSA, "signing", i.RSA != nil}, {"ecdsa", i.ECDSA, "signing", i.ECDSA != nil},
		{"rsa1024", i.RSA1024, "signing", i.RSA1024 != nil}, {"encryption", i.Encryption, "encryption", i.Encryption != nil},
	}, func(k namedKey) bool { return !k.there })
}

// key gives the key of a kind, or nil and what it would take.
func (i *IdP) key(kind attack.KeyKind) (crypto.Signer, string) {
	switch {
	case kind == attack.AnyKey || kind == attack.RSA:
		return i.RSA, ""
	case kind == attack.ECDSA && i.ECDSA != nil:
		return i.ECDSA, ""
	case kind == attack.RSA1024 && i.RSA1024 != nil:
		return i.RSA1024, ""
	}
	return nil, "the identity provider has no key of the kind " + kind.String()
}

// Metadata is what the service provider is to be given. The first certificate
// is the RSA key's, for service providers that take only one.
func (i *IdP) Metadata() ([]byte, error) {
	if err := i.complete(time.Now()); err != nil {
		return nil, err
	}
	text := func(s string) string {
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(s))
		return b.String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s">`+"\n", text(i.EntityID))
	fmt.Fprintf(&b, `  <md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="%s">`+"\n", nsProtocol)
	for _, k := range i.keys() {
		fmt.Fprintf(&b, `    <md:KeyDescriptor use="%s"><ds:KeyInfo xmlns:ds="%s"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`+"\n",
			k.use, "http://www.w3.org/2000/09/xmldsig#", base64.StdEncoding.EncodeToString(i.Certificates[k.key]))
	}
	fmt.Fprintf(&b, "    <md:NameIDFormat>%s</md:NameIDFormat>\n", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")
	for _, binding := range []string{"HTTP-Redirect", "HTTP-POST"} {
		fmt.Fprintf(&b, `    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:%s" Location="%s"/>`+"\n", binding, text(i.SSOURL))
	}
	b.WriteString("  </md:IDPSSODescriptor>\n</md:EntityDescriptor>\n")
	return []byte(b.String()), nil
}

// origin is what browsers send with the forms on its pages.
func (i *IdP) origin() string {
	u, err := url.Parse(i.SSOURL)
	if err != nil {
		return "null"
	}
	return u.Scheme + "://" + u.Host
}

// keys are of the kinds that identity providers have: its own, or an attacker's,
// which no service provider trusts.
type keys struct {
	rsa   *rsa.PrivateKey
	ecdsa *ecdsa.PrivateKey
}

func newKeys() (keys, error) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return keys{}, err
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return keys{r, e}, err
}
