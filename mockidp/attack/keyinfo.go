package attack

import (
	"bytes"
	"crypto/rsa"

	"github.com/beevik/etree"
)

// Family B, end: whose key it is. KeyInfo only ever claims something.

func keyInfo() []Case {
	wrong := refuse("Signature")
	// odd: a good signature, whatever its KeyInfo says.
	odd := func(id, xml string) Case {
		return sig(id, accept(), func(d *draft, s *signature) { s.setKeyInfo(d.parse(xml)) })
	}
	// steered: the attacker's signature, with a KeyInfo that leads to his key.
	steered := func(id string, f func(*draft, *signature)) Case {
		return Case{ID: id, Outcome: wrong, attack: change{setup: byAttacker, before: forge, signed: f}}
	}
	wrap := func(inner string) string { return `<ds:KeyInfo xmlns:ds="` + nsDSig + `">` + inner + `</ds:KeyInfo>` }
	return []Case{
		steered("B36", func(d *draft, s *signature) { s.certificate(d.key) }),
		steered("B36/no-key-info", func(_ *draft, s *signature) { s.noKeyInfo() }),
		// Each of the two signatures, with the other one genuine.
		rewired("B36/outer", bothOnly, wrong, func(d *draft) {
			detach(d.respSig.el)
			d.attackerSigns(d.resp)
		}),
		only(bothOnly, sig("B36/inner", wrong, attackerResigns)),
		steered("B37", func(d *draft, s *signature) { s.setCertificate(d.clonedCertificate()) }),
		steered("B37/genuine-certificate", func(d *draft, s *signature) { s.setCertificate(d.certificateOf(d.p.Key)) }),
		steered("B37/both-certificates", func(d *draft, s *signature) {
			s.certificate(d.key)
			s.x509Data.CreateElement("ds:X509Certificate").SetText(encode(d.certificateOf(d.p.Key)))
		}),
		odd("B38/none", wrap("")),
		odd("B38/key-name", wrap(`<ds:KeyName>attacker</ds:KeyName>`)),
		odd("B38/retrieval-method", wrap(`<ds:RetrievalMethod URI="http://attacker.example/key.xml"/>`)),
		odd("B38/issuer-serial", wrap(`<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=attacker</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>`)),
		odd("B38/ski", wrap(`<ds:X509Data><ds:X509SKI>AAECAwQ=</ds:X509SKI></ds:X509Data>`)),
		odd("B38/junk-certificate", wrap(`<ds:X509Data><ds:X509Certificate>!!!</ds:X509Certificate></ds:X509Data>`)),
		withCertificate(sig("B38/absent", accept(), func(_ *draft, s *signature) { s.noKeyInfo() })),
		sig("B38/other-certificate", accept(), func(d *draft, s *signature) {
			if d.needsAttacker() {
				s.setCertificate(d.certificateOf(d.p.AttackerKey))
			}
		}),
		steered("B38/attackers-key-value", func(d *draft, s *signature) { s.setKeyInfo(d.keyValue()) }),
		steered("B38/attackers-url", func(d *draft, s *signature) {
			s.setKeyInfo(d.parse(wrap(`<ds:RetrievalMethod Type="` + nsDSig + `rawX509Certificate" URI="http://attacker.example/cert.der"/>`)))
		}),
		steered("B39", func(d *draft, s *signature) { s.certificate(d.key) }),
		{ID: "B40", Outcome: wrong, Needs: Needs{SP: Settings{EncryptionKeyListed: true}}, attack: change{setup: byAttacker}},
		{ID: "B41/metadata", Outcome: refuse("Metadata"), Needs: Needs{SP: Settings{MetadataOver: true}}, twin: &Needs{}},
		{ID: "B41/certificate", Outcome: accept(), Needs: Needs{SP: Settings{CertificateOver: true}}},
	}
}

func (s *signature) setKeyInfo(el *etree.Element) {
	s.noKeyInfo()
	s.keyInfo = el
	s.el.AddChild(el)
}

// attackerResigns has the attacker sign what stands in SignedInfo.
func attackerResigns(d *draft, s *signature) {
	if d.needsAttacker() {
		s.resign(d.p.AttackerKey)
	}
}

// keyValue is a KeyInfo with the attacker's public key in the raw.
func (d *draft) keyValue() *etree.Element {
	out := node("ds:KeyInfo", "xmlns:ds", nsDSig)
	value := out.CreateElement("ds:KeyValue")
	if public, ok := d.key.Public().(*rsa.PublicKey); ok {
		el := value.CreateElement("ds:RSAKeyValue")
		el.CreateElement("ds:Modulus").SetText(encode(public.N.Bytes()))
		el.CreateElement("ds:Exponent").SetText("AQAB")
		return out
	}
	child(value, "dsig11:DEREncodedKeyValue", "xmlns:dsig11", "http://www.w3.org/2009/xmldsig11#").SetText(encode(d.spki()))
	return out
}

// clonedCertificate has the genuine certificate's names, serial number and
// dates, and the attacker's key. All that certificates of NewCertificate
// differ in is the key, so it is enough to make one for the attacker.
func (d *draft) clonedCertificate() []byte {
	der, err := NewCertificate(d.key, d.p.Now)
	if err != nil || bytes.Equal(der, d.p.Certificate) {
		d.fail("cloning the certificate: %v", err)
	}
	return der
}
