package attack

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"

	"github.com/beevik/etree"
)

const nsMetadata = "urn:oasis:names:tc:SAML:2.0:metadata"

// metadataDraft is a metadata document being made. Like a draft it notes the
// first thing that goes wrong.
type metadataDraft struct {
	p            MetadataParams
	tree         *etree.Document
	entity, role *etree.Element // the wanted EntityDescriptor, its IDPSSODescriptor
	key          *etree.Element // its KeyDescriptor
	err          error
}

func (d *metadataDraft) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// newMetadata begins with a good document: one EntityDescriptor with one key and
// two places for requests.
func newMetadata(p MetadataParams) *metadataDraft {
	d := &metadataDraft{p: p, tree: etree.NewDocument()}
	d.tree.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	d.entity = d.identityProvider(p.EntityID, p.SSOURL, SigningKey)
	d.entity.CreateAttr("xmlns:md", nsMetadata)
	d.tree.SetRoot(d.entity)
	d.role = d.entity.SelectElement("IDPSSODescriptor")
	d.key = d.role.SelectElement("KeyDescriptor")
	return d
}

// identityProvider is an EntityDescriptor with one.
func (d *metadataDraft) identityProvider(entityID, sso string, key KeyRole) *etree.Element {
	entity := node("md:EntityDescriptor", "ID", "_entity", "entityID", entityID)
	role := child(entity, "md:IDPSSODescriptor", "protocolSupportEnumeration", nsProtocol)
	role.AddChild(keyDescriptor("signing", d.selfSigned(key)))
	role.CreateElement("md:NameIDFormat").SetText(email)
	for _, binding := range []string{"HTTP-Redirect", "HTTP-POST"} {
		child(role, "md:SingleSignOnService", "Binding", "urn:oasis:names:tc:SAML:2.0:bindings:"+binding, "Location", sso)
	}
	return entity
}

// keyDescriptor holds certificates, in one X509Data.
func keyDescriptor(use string, certificates ...[]byte) *etree.Element {
	el := node("md:KeyDescriptor", "use", use)
	x509Data := child(el, "ds:KeyInfo", "xmlns:ds", nsDSig).CreateElement("ds:X509Data")
	for _, der := range certificates {
		x509Data.CreateElement("ds:X509Certificate").SetText(encode(der))
	}
	return el
}

// aggregate puts a group around the entity, with a neighbour behind it.
func (d *metadataDraft) aggregate() {
	group := node("md:EntitiesDescriptor", "xmlns:md", nsMetadata, "ID", "_group")
	d.entity.RemoveAttr("xmlns:md")
	d.tree.SetRoot(group)
	neighbour := d.identityProvider("https://other-idp.example", "https://other-idp.example/sso", NextKey)
	neighbour.CreateAttr("ID", "_neighbour")
	group.AddChild(d.entity)
	group.AddChild(neighbour)
}

// selfSigned is a certificate of a key by itself.
func (d *metadataDraft) selfSigned(role KeyRole) []byte { return d.issued(role, role) }

// issued is a certificate of a key that another one signed. It is called by the
// key, and by the issuer's.
func (d *metadataDraft) issued(role, by KeyRole) []byte { return d.issuedAs(role, by, by) }

// issuedAs is one whose issuer is called by another key than the one that signed.
func (d *metadataDraft) issuedAs(role, by, called KeyRole) []byte {
	named := func(role KeyRole) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: string(role) + ".idp.example"},
			NotBefore: d.p.Now.Add(-24 * time.Hour), NotAfter: d.p.Now.Add(365 * 24 * time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
	}
	issuer := named(called)
	issuer.PublicKey = d.p.Keys[by].Public()
	der, err := x509.CreateCertificate(nil, named(role), issuer, d.p.Keys[role].Public(), d.p.Keys[by])
	if err != nil {
		d.fail("a certificate: %w", err)
	}
	return der
}

func (d *metadataDraft) make(changes []metadataChange) []byte {
	signs := false
	for _, c := range changes {
		signs = signs || c.sign
		if c.tree != nil {
			c.tree(d)
		}
	}
	if signs {
		signer := &draft{digest: sha256Digest}
		signer.sign(d.tree.Root(), d.p.Keys[SigningKey])
		if signer.err != nil {
			d.fail("%w", signer.err)
		}
	}
	d.tree.WriteSettings.CanonicalText, d.tree.WriteSettings.CanonicalAttrVal = true, true
	text, err := d.tree.WriteToString()
	if err != nil {
		d.fail("writing the document: %w", err)
	}
	for _, c := range changes {
		if c.text != nil {
			text = c.text(text)
		}
	}
	out := []byte(text)
	for _, c := range changes {
		if c.octets != nil {
			out = c.octets(out)
		}
	}
	return out
}
