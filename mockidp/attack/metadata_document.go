package attack

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"time"

	"github.com/beevik/etree"
)

const nsMetadata = "urn:oasis:names:tc:SAML:2.0:metadata"

// metadataSteps change metadata.
var metadataSteps = map[string]step{
	// A group around the entity, with a neighbour behind it.
	"aggregate": {before, 0, func(d *draft, _ []string) {
		group, entity := node("md:EntitiesDescriptor", "xmlns:md", nsMetadata, "ID", "_group"), d.tree.Root()
		entity.RemoveAttr("xmlns:md")
		d.tree.SetRoot(group)
		group.AddChild(entity)
		neighbour := d.identityProvider("https://other-idp.example", "https://other-idp.example/sso", NextKey)
		neighbour.CreateAttr("ID", "_neighbour")
		group.AddChild(neighbour)
	}},
	// A group around the entity, inside the group that the neighbour is in.
	"inner-group": {before, 0, func(d *draft, _ []string) {
		group, entity := node("md:EntitiesDescriptor"), d.find("EntityDescriptor")
		swap(entity, group)
		group.AddChild(entity)
	}},
	// The key that signs the root.
	"signs": {setup, 1, func(d *draft, a []string) { d.key = d.metadata.Keys[KeyRole(a[0])] }},
	// A KeyDescriptor with certificates, instead of the good one or before it.
	"only-key":  {before, -1, func(d *draft, a []string) { swap(d.find("IDPSSODescriptor/KeyDescriptor"), d.chain(a)) }},
	"wrap-root": {after, 3, wrapRoot},
	"first-key": {before, -1, func(d *draft, a []string) {
		insertBefore(d.find("IDPSSODescriptor/KeyDescriptor"), d.chain(a))
	}},
}

// makeMetadata makes good metadata with one EntityDescriptor, one key and two
// endpoints, and runs the steps. Without a step that says who signs, it is not signed.
func (d *draft) makeMetadata() []byte {
	p := d.metadata
	d.tree = etree.NewDocument()
	d.tree.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	entity := d.identityProvider(p.EntityID, p.SSOURL, SigningKey)
	entity.CreateAttr("xmlns:md", nsMetadata)
	d.tree.SetRoot(entity)
	d.run(setup)
	d.run(before)
	if d.key != nil {
		d.sig = d.sign(d.tree.Root(), d.key)
		d.run(signed)
	}
	d.run(after)
	d.text = d.write(d.tree)
	d.run(text)
	d.run(posted)
	return []byte(d.text)
}

// identityProvider returns an EntityDescriptor.
func (d *draft) identityProvider(entityID, sso string, key KeyRole) *etree.Element {
	entity := node("md:EntityDescriptor", "ID", "_entity", "entityID", entityID)
	role := child(entity, "md:IDPSSODescriptor", "protocolSupportEnumeration", nsProtocol)
	role.AddChild(keyDescriptor(d.issued(key, key, key)))
	role.CreateElement("md:NameIDFormat").SetText(email)
	for _, binding := range []string{"HTTP-Redirect", "HTTP-POST"} {
		child(role, "md:SingleSignOnService", "Binding", "urn:oasis:names:tc:SAML:2.0:bindings:"+binding, "Location", sso)
	}
	return entity
}

// keyDescriptor returns a KeyDescriptor for signing, with one X509Data.
func keyDescriptor(certificates ...[]byte) *etree.Element {
	el := node("md:KeyDescriptor", "use", "signing")
	x509Data := child(el, "ds:KeyInfo", "xmlns:ds", nsDSig).CreateElement("ds:X509Data")
	for _, der := range certificates {
		x509Data.CreateElement("ds:X509Certificate").SetText(encode(der))
	}
	return el
}

// chain returns a KeyDescriptor with certificates, which have names like "next<root".
func (d *draft) chain(certificates []string) *etree.Element {
	var all [][]byte
	for _, s := range certificates {
		role, by, _ := strings.Cut(s, "<")
		by, called, ok := strings.Cut(by, "<")
		if !ok {
			called = by
		}
		all = append(all, d.issued(KeyRole(role), KeyRole(by), KeyRole(called)))
	}
	return keyDescriptor(all...)
}

// issued returns a certificate for a key, signed with the key by. Its issuer is
// the subject of that key's certificate.
func (d *draft) issued(role, by, called KeyRole) []byte {
	named := func(role KeyRole) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: string(role) + ".idp.example"},
			NotBefore: d.metadata.Now.Add(-24 * time.Hour), NotAfter: d.metadata.Now.Add(365 * 24 * time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
	}
	issuer := named(called)
	issuer.PublicKey = d.metadata.Keys[by].Public()
	der, err := x509.CreateCertificate(nil, named(role), issuer, d.metadata.Keys[role].Public(), d.metadata.Keys[by])
	if err != nil {
		d.fail("a certificate: %w", err)
	}
	return der
}
