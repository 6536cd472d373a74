package saml_test

import (
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const nsEnvelope = "http://schemas.xmlsoap.org/soap/envelope/"

// enveloped is a SOAP envelope with a Header and a Body that change fills.
func enveloped(change func(envelope, header, body *etree.Element)) saml.LogoutMessage {
	e := parseXML(`<S:Envelope xmlns:S="` + nsEnvelope + `"><S:Header/><S:Body/></S:Envelope>`)
	change(e, e.SelectElement("Header"), e.SelectElement("Body"))
	return saml.LogoutMessage{Binding: saml.SOAP, Message: []byte(writeXML(e))}
}

// G27: the genuine message is somewhere in the document, and a forged one in its place. By POST and by SOAP.
func TestLogoutMessagesWrapped(t *testing.T) {
	good := parseXML(request(t, keys().idp))
	signature := func() *etree.Element { return good.SelectElement("Signature").Copy() }
	bare := func() *etree.Element { return parseXML(request(t, nil)) }
	forged := func(changes ...func(*etree.Element)) *etree.Element {
		forge := []func(*etree.Element){set(".", "ID", "_forged"), text("./NameID", "bob@example.com")}
		return parseXML(request(t, nil, append(forge, changes...)...))
	}
	with := func(el *etree.Element, children ...*etree.Element) *etree.Element {
		for i, child := range children {
			el.InsertChildAt(1+i, child)
		}
		return el
	}
	holder := func(name string, child *etree.Element) *etree.Element {
		el := etree.NewElement(name)
		el.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
		el.AddChild(child)
		return el
	}
	// signed signs an element as the identity provider would sign a message.
	signed := func(el *etree.Element) *etree.Element {
		el.CreateAttr("xmlns:S", nsEnvelope) // the signer looks at the element alone
		sign(t, el, keys().idp, "", "")
		return el
	}
	for name, row := range map[string]struct {
		in   saml.LogoutMessage
		want saml.Reason
	}{
		"XSW1: in the Signature of the forged":   {post(writeXML(with(forged(), holder("ds:Object", good.Copy())))), saml.ReasonUnsigned},
		"XSW1: below the Signature":              {post(writeXML(with(forged(), func() *etree.Element { s := signature(); s.AddChild(bare()); return s }()))), saml.ReasonSignatureShape},
		"XSW7: in Extensions":                    {post(writeXML(with(forged(), signature(), holder("samlp:Extensions", bare())))), saml.ReasonSignatureShape},
		"XSW7: in Extensions with the signature": {post(writeXML(with(forged(), holder("samlp:Extensions", good.Copy())))), saml.ReasonUnsigned},
		"B10: the same ID":                       {post(writeXML(with(forged(set(".", "ID", "_l1")), signature(), holder("samlp:Extensions", bare())))), saml.ReasonID},
		"A04: below the NameID":                  {post(writeXML(func() *etree.Element { f := forged(); f.FindElement("./NameID").AddChild(good.Copy()); return f }())), saml.ReasonUnsigned},
		"B19: two Signatures":                    {post(writeXML(with(good.Copy(), signature()))), saml.ReasonSignatureShape},
		"B09: the signature of another":          {post(writeXML(with(forged(), signature()))), saml.ReasonSignatureShape},
		"A15: a Response's signature": {post(strings.Replace(writeXML(good), "samlp:LogoutRequest", "samlp:Response", 2)),
			saml.ReasonNotLogout},
		"two Status":            {post(request(t, keys().idp, add(".", "<samlp:Status/>"))), saml.ReasonNotLogout},
		"two Issuers":           {post(request(t, keys().idp, func(el *etree.Element) { el.AddChild(el.FindElement("./Issuer").Copy()) })), saml.ReasonNotLogout},
		"C01: comment":          {post(strings.Replace(writeXML(good), "alice@", "alice<!---->@", 1)), saml.ReasonText},
		"C03: comment":          {post(strings.Replace(writeXML(good), idpEntity, "https:<!---->"+idpEntity[6:], 1)), saml.ReasonText},
		"changed after signing": {post(strings.Replace(writeXML(good), "alice@", "bob@", 1)), saml.ReasonSignature},
		"index after signing":   {post(strings.Replace(writeXML(good), ">s1<", ">s9<", 1)), saml.ReasonSignature},
		"SOAP: genuine in the Header": {enveloped(func(_, h, b *etree.Element) {
			h.AddChild(good.Copy())
			b.AddChild(forged())
		}), saml.ReasonUnsigned},
		"SOAP: signed part in the Header": {enveloped(func(_, h, b *etree.Element) {
			h.AddChild(bare())
			b.AddChild(with(forged(), signature()))
		}), saml.ReasonSignatureShape},
		"SOAP: the ID at the Body": {enveloped(func(_, _, b *etree.Element) {
			b.CreateAttr("ID", "_l1")
			b.AddChild(with(forged(), signature()))
		}), saml.ReasonSignatureShape},
		"SOAP: the same ID at the Body": {enveloped(func(_, _, b *etree.Element) {
			b.CreateAttr("ID", "_l1")
			b.AddChild(good.Copy())
		}), saml.ReasonID},
		"SOAP: two messages": {enveloped(func(_, _, b *etree.Element) {
			b.AddChild(good.Copy())
			b.AddChild(forged())
		}), saml.ReasonXML},
		"SOAP: two Bodies": {enveloped(func(e, _, b *etree.Element) {
			b.AddChild(good.Copy())
			e.AddChild(etree.NewElement("S:Body"))
		}), saml.ReasonXML},
		"SOAP: Envelope in Envelope": {enveloped(func(_, _, b *etree.Element) {
			b.AddChild(parseXML(string(soap(writeXML(good)).Message)))
		}), saml.ReasonNotLogout},
		"SOAP: signature over the Body": {enveloped(func(_, _, b *etree.Element) {
			b.CreateAttr("ID", "_b")
			b.AddChild(forged())
			signed(b)
		}), saml.ReasonXML},
		"SOAP: signature over the Envelope": {enveloped(func(e, _, b *etree.Element) {
			e.CreateAttr("ID", "_e")
			b.AddChild(forged())
			signed(e)
		}), saml.ReasonXML},
		"SOAP: a signed Header": {enveloped(func(_, h, b *etree.Element) {
			h.CreateAttr("ID", "_h")
			signed(h)
			b.AddChild(forged())
		}), saml.ReasonUnsigned},
		"SOAP: the message is the root":    {saml.LogoutMessage{Binding: saml.SOAP, Message: []byte(writeXML(good))}, saml.ReasonXML},
		"SOAP: another namespace":          {saml.LogoutMessage{Binding: saml.SOAP, Message: []byte(strings.ReplaceAll(string(soap(writeXML(good)).Message), nsEnvelope, "urn:x"))}, saml.ReasonXML},
		"an envelope by POST":              {post(string(soap(writeXML(good)).Message)), saml.ReasonNotLogout},
		"a Fault":                          {enveloped(func(_, _, b *etree.Element) { b.AddChild(etree.NewElement("S:Fault")) }), saml.ReasonSOAP},
		"a signature in an encrypted part": {post(logoutXML(t, "LogoutRequest", "", sealing{element: "EncryptedID"}.seal(`<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">a<b/></saml:NameID>`), keys().idp)), saml.ReasonText},
		"an assertion, encrypted":          {post(logoutXML(t, "LogoutRequest", "", sealing{element: "EncryptedID"}.seal(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`), keys().idp)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := newSP(t, withLogout(t)).VerifyLogoutRequest(row.in)
			require.Error(t, err)
			assert.Nil(t, r)
			if row.want != "" {
				requireReason(t, row.want, err)
			}
		})
	}
	r, err := newSP(t, withLogout(t)).VerifyLogoutRequest(enveloped(func(_, h, b *etree.Element) {
		h.AddChild(etree.NewElement("other")) // which need not be understood
		b.AddChild(good.Copy())
	}))
	require.NoError(t, err)
	assert.Equal(t, "alice@example.com", r.NameID().Value)
}
