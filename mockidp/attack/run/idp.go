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
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// IdP describes the identity provider that the attacks use. A service provider
// trusts it by its Metadata.
type IdP struct {
	// EntityID and SSOURL are in its metadata. Empty: addresses below
	// http://idp.localhost. Nothing needs to listen there: the tool takes the
	// AuthnRequests from the service provider's answers.
	EntityID, SSOURL string
	// BackChannel is the address of a [BackChannel], which is in the metadata as an ArtifactResolutionService and as an
	// AttributeService. Empty: the metadata has neither.
	BackChannel string

	// RSA signs, except in attacks with other kinds of key. Required.
	RSA *rsa.PrivateKey
	// ECDSA signs in the attacks on ECDSA. Nil: they are not run.
	ECDSA *ecdsa.PrivateKey
	// RSA1024 is for the attack with a short key. Nil: it is not run.
	RSA1024 *rsa.PrivateKey
	// Encryption is in the metadata as a key for encryption. A service provider must
	// not trust its signatures. Nil: the attack that needs it is not run.
	Encryption *rsa.PrivateKey
	// Certificates are those of the keys above, in DER. Metadata and Run make one
	// for each key that has none. It is valid from yesterday on, for a year.
	Certificates map[crypto.Signer][]byte
}

// The default addresses of an [IdP].
const (
	DefaultEntityID = "http://idp.localhost/attack/metadata"
	DefaultSSOURL   = "http://idp.localhost/attack/sso"
)

// NewIdP returns an identity provider with new keys of the kinds that most service
// providers accept.
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

// complete sets the defaults and makes the missing certificates. It doesn't
// change fields that are set, so several runs may then use the identity
// provider.
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

// namedKey is a key and the name of its files.
type namedKey struct {
	name string
	key  crypto.Signer
	use  string
}

// keys lists the keys of the identity provider, the RSA key first.
func (i *IdP) keys() []namedKey {
	var out []namedKey
	add := func(name string, key crypto.Signer, use string, ok bool) {
		if ok {
			out = append(out, namedKey{name, key, use})
		}
	}
	add("rsa", i.RSA, "signing", i.RSA != nil)
	add("ecdsa", i.ECDSA, "signing", i.ECDSA != nil)
	add("rsa1024", i.RSA1024, "signing", i.RSA1024 != nil)
	add("encryption", i.Encryption, "encryption", i.Encryption != nil)
	return out
}

// key returns the key of a kind, or nil, what is missing and the reason.
func (i *IdP) key(kind attack.KeyKind) (crypto.Signer, Need, string) {
	missing := NeedControl // the service provider would have to trust a key that the tool does not make
	switch {
	case kind == attack.AnyKey || kind == attack.RSA:
		return i.RSA, "", ""
	case kind == attack.ECDSA && i.ECDSA != nil:
		return i.ECDSA, "", ""
	case kind == attack.RSA1024 && i.RSA1024 != nil:
		return i.RSA1024, "", ""
	case kind == attack.ECDSA:
		missing = NeedECDSA
	case kind == attack.RSA1024:
		missing = NeedRSA1024
	}
	return nil, missing, "the identity provider has no key of the kind " + kind.String()
}

// Metadata returns the metadata for the service provider. The first certificate is
// the RSA key's, for service providers that accept only one.
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
	fmt.Fprintf(&b, `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s">
  <md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="%s">
`, text(i.EntityID), nsProtocol)
	i.writeKeys(&b)
	if i.BackChannel != "" {
		fmt.Fprintf(&b, "    <md:ArtifactResolutionService Binding=\"%sSOAP\" Location=\"%s\" index=\"%d\"/>\n",
			bindings, text(i.BackChannel), artifactIndex)
	}
	for _, binding := range []string{"HTTP-Redirect", "HTTP-POST"} {
		fmt.Fprintf(&b, "    <md:SingleLogoutService Binding=\"%s%s\" Location=\"%s\"/>\n", bindings, binding, text(i.SSOURL))
	}
	fmt.Fprintf(&b, `    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%[1]s"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%[1]s"/>
  </md:IDPSSODescriptor>
`, text(i.SSOURL))
	if i.BackChannel != "" {
		fmt.Fprintf(&b, "  <md:AttributeAuthorityDescriptor protocolSupportEnumeration=\"%s\">\n", nsProtocol)
		i.writeKeys(&b)
		fmt.Fprintf(&b, "    <md:AttributeService Binding=\"%sSOAP\" Location=\"%s\"/>\n", bindings, text(i.BackChannel))
		b.WriteString("  </md:AttributeAuthorityDescriptor>\n")
	}
	b.WriteString("</md:EntityDescriptor>\n")
	return []byte(b.String()), nil
}

// writeKeys writes the KeyDescriptors of a role.
func (i *IdP) writeKeys(b *strings.Builder) {
	for _, k := range i.keys() {
		fmt.Fprintf(b, `    <md:KeyDescriptor use="%s"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`, k.use)
		fmt.Fprintf(b, "<ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data>",
			base64.StdEncoding.EncodeToString(i.Certificates[k.key]))
		b.WriteString("</ds:KeyInfo></md:KeyDescriptor>\n")
	}
}

// origin is the Origin header of a form on one of its pages.
func (i *IdP) origin() string {
	u, err := url.Parse(i.SSOURL)
	if err != nil {
		return "null"
	}
	return u.Scheme + "://" + u.Host
}

// keys are an identity provider's, or an attacker's, which no service provider
// trusts.
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
