package saml

import (
	"crypto/x509"
	"encoding/base64"
	"strconv"

	"github.com/beevik/etree"

	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
)

const nsSignature = "http://www.w3.org/2000/09/xmldsig#"

// Metadata writes this service provider's metadata (Metadata 2.4.4): one
// SPSSODescriptor with every ACS URL in order, HTTP-POST only, of which the
// first alone has isDefault="true". Give it to the identity provider, or enter
// the same URLs there in the same order.
func (sp *ServiceProvider) Metadata() ([]byte, error) {
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	entity := doc.CreateElement("md:EntityDescriptor")
	entity.CreateAttr("xmlns:md", nsMetadata)
	entity.CreateAttr("entityID", sp.cfg.EntityID)

	role := entity.CreateElement("md:SPSSODescriptor")
	role.CreateAttr("AuthnRequestsSigned", strconv.FormatBool(sp.cfg.SignRequests))
	role.CreateAttr("WantAssertionsSigned", "true")
	role.CreateAttr("protocolSupportEnumeration", nsProtocol)
	if sp.cfg.Certificate != nil {
		keyDescriptor(role, "signing", sp.cfg.Certificate)
	}
	if sp.cfg.EncryptionCertificate != nil {
		key := keyDescriptor(role, "encryption", sp.cfg.EncryptionCertificate)
		for _, name := range xmlenc.Offered() {
			key.CreateElement("md:EncryptionMethod").CreateAttr("Algorithm", name)
		}
	}
	for _, format := range sp.cfg.NameIDFormats {
		role.CreateElement("md:NameIDFormat").SetText(format)
	}
	for i, e := range sp.acs.Load().all {
		acs := role.CreateElement("md:AssertionConsumerService")
		acs.CreateAttr("Binding", HTTPPost)
		acs.CreateAttr("Location", e.URL)
		acs.CreateAttr("index", strconv.Itoa(int(*e.Index)))
		if i == 0 {
			acs.CreateAttr("isDefault", "true")
		}
	}
	doc.Indent(2)
	out, err := doc.WriteToBytes()
	if err != nil {
		return nil, configError("Metadata", "can't be written", err)
	}
	return out, nil
}

// keyDescriptor is Metadata 2.4.1.1.
func keyDescriptor(role *etree.Element, use string, cert *x509.Certificate) *etree.Element {
	key := role.CreateElement("md:KeyDescriptor")
	key.CreateAttr("use", use)
	info := key.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", nsSignature)
	info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").
		SetText(base64.StdEncoding.EncodeToString(cert.Raw))
	return key
}
