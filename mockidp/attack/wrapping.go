package attack

import (
	"strings"

	"github.com/beevik/etree"
)

// Family A: the signature holds, and is over something else than what is read.

var (
	overAssertion = Needs{Sign: []Sign{SignAssertion, SignBoth}}
	overResponse  = Needs{Sign: []Sign{SignResponse, SignBoth}}
	assertionOnly = Needs{Sign: []Sign{SignAssertion}}
	responseOnly  = Needs{Sign: []Sign{SignResponse}}
	bothOnly      = Needs{Sign: []Sign{SignBoth}}
)

func wrapping() []Case {
	twice := refuse("AssertionCount")
	outside := refuse("NotResponse")
	asrt := func(id string, o Outcome, f func(*draft)) Case { return rewired(id, overAssertion, o, f) }
	resp := func(id string, o Outcome, f func(*draft)) Case { return rewired(id, overResponse, o, f) }
	return append([]Case{
		resp("A01/response", twice, wrapResponse(insideSignature)),
		asrt("A01/assertion", twice, xsw1Assertion),
		resp("A02/response", outside, wrapResponse(beforeSignature)),
		asrt("A02/assertion", twice, wrapAssertion(beforeSignature)),
		asrt("A03/assertion", twice, forgedFirst),
		resp("A03/response", twice, forgedFirst),
		asrt("A04/assertion", twice, inForged(func(d *draft, forged *etree.Element) { forged.AddChild(d.asrt) })),
		resp("A04/response", outside, func(d *draft) {
			forged := d.forgedResponse()
			d.tree.SetRoot(forged)
			forged.AddChild(d.resp)
		}),
		asrt("A05/assertion", twice, func(d *draft) {
			forged, original := d.forgedAssertion(), without(d.asrt)
			afterIssuer(forged, detach(d.asrtSig.el))
			swap(d.asrt, forged)
			d.resp.AddChild(original)
		}),
		resp("A05/response", outside, wrapResponse(func(forged, sig, original *etree.Element) {
			afterIssuer(forged, sig)
			forged.AddChild(original)
		})),
		asrt("A06/assertion", twice, wrapAssertion(insideSignature)),
		resp("A06/response", twice, wrapResponse(func(forged, sig, original *etree.Element) {
			afterIssuer(forged, sig)
			sig.InsertChildAt(0, original)
		})),
		asrt("A07/same-id", refuse("ID"), func(d *draft) {
			forged := d.forgedAssertion()
			forged.CreateAttr("ID", d.asrt.SelectAttrValue("ID", ""))
			d.extensions().AddChild(forged)
		}),
		asrt("A07/other-id", twice, func(d *draft) { d.extensions().AddChild(d.forgedAssertion()) }),
		resp("A07/response", twice, func(d *draft) { d.extensions().AddChild(d.forgedResponse()) }),
		asrt("A08/assertion", twice, wrapAssertion(insideObject)),
		resp("A08/response", twice, wrapResponse(insideObject)),
		asrt("A09/assertion", shape, func(d *draft) { xsw9(d, d.asrtSig) }),
		resp("A09/response", shape, func(d *draft) { xsw9(d, d.respSig) }),
	}, moreWrapping()...)
}

// rewired is a case that takes the finished document apart.
func rewired(id string, n Needs, o Outcome, f func(*draft)) Case {
	return Case{ID: id, Outcome: o, Needs: n, attack: change{after: f}}
}

// forgedFirst puts a forged assertion in front of the genuine one.
func forgedFirst(d *draft) { before(d.asrt, d.forgedAssertion()) }

// inForged puts a forged assertion in the genuine one's place, and lets hang say
// where that goes.
func inForged(hang func(d *draft, forged *etree.Element)) func(*draft) {
	return func(d *draft) {
		forged := d.forgedAssertion()
		swap(d.asrt, forged)
		hang(d, forged)
	}
}

func moreWrapping() []Case {
	const nsMD = "urn:oasis:names:tc:SAML:2.0:metadata"
	twice := refuse("AssertionCount")
	// bare is a forged message without a signature of its own. It has one that
	// something else in it brings along.
	bare := func(id string, o Outcome, f func(*draft)) Case {
		return Case{ID: id, Outcome: o, Needs: assertionOnly, attack: change{setup: unsigned, before: in(forge, f)}}
	}
	return []Case{
		rewired("A10/extensions", overAssertion, twice, inForged(func(d *draft, _ *etree.Element) { wrapper(d.extensions()).AddChild(d.asrt) })),
		rewired("A10/response-child", overAssertion, refuse("NotResponse"), inForged(func(d *draft, _ *etree.Element) { wrapper(d.resp).AddChild(d.asrt) })),
		{ID: "A10/alone", Outcome: twice, attack: change{before: func(d *draft) { wrapper(d.extensions()).AddChild(detach(d.asrt)) }}},
		rewired("A11", overAssertion, twice, inForged(func(d *draft, forged *etree.Element) {
			d.attackerSigns(forged)
			forged.InsertChildAt(0, around("saml2:Advice", d.asrt))
		})),
		rewired("A12", overResponse, twice, func(d *draft) {
			forged := d.forgedResponse()
			d.tree.SetRoot(forged)
			d.attackerSigns(forged)
			forged.InsertChildAt(0, around("saml2p:Extensions", d.resp))
		}),
		bare("A13/extensions", shape, func(d *draft) { d.foreign("md:EntityDescriptor", nsMD, d.extensions()) }),
		bare("A13/status-detail", shape, func(d *draft) {
			d.foreign("md:EntityDescriptor", nsMD, child(d.find("./Status"), "saml2p:StatusDetail"))
		}),
		{ID: "A14/digest", Outcome: refuse("Signature"), attack: change{after: digestElsewhere}},
		{ID: "A14/signature", Outcome: shape, Needs: assertionOnly, attack: change{after: func(d *draft) {
			d.find("./Status").CreateElement("saml2p:StatusDetail").AddChild(detach(d.asrtSig.el))
			forge(d)
		}}},
		bare("A15/embedded", shape, func(d *draft) { d.foreign("saml2p:LogoutRequest", nsProtocol, d.extensions()) }),
		bare("A15/moved", shape, func(d *draft) {
			afterIssuer(d.resp, detach(d.foreign("saml2p:LogoutRequest", nsProtocol, d.extensions()).SelectElement("Signature")))
		}),
		bare("A15/same-id", refuse("Signature"), func(d *draft) {
			other := detach(d.foreign("saml2p:LogoutRequest", nsProtocol, d.extensions()))
			d.resp.CreateAttr("ID", other.SelectAttrValue("ID", ""))
			afterIssuer(d.resp, other.SelectElement("Signature"))
		}),
		rewired("A16", overAssertion, twice, inForged(func(d *draft, forged *etree.Element) {
			before(forged.SelectElement("AuthnStatement"), around("saml2:Advice", d.asrt))
		})),
		rewired("A19/signed-first", overAssertion, twice, func(d *draft) { d.resp.AddChild(d.forgedAssertion()) }),
		rewired("A19/signed-last", overAssertion, twice, forgedFirst),
		{ID: "A19/both-signed", Outcome: twice, attack: change{before: func(d *draft) {
			second := d.forgedAssertion()
			d.resp.AddChild(second)
			d.sign(second, d.key)
		}}},
		{ID: "A20/twice", Outcome: refuse("XML"), attack: change{text: func(_ *draft, s string) string { return s + s[len(xmlDeclaration):] }}},
		{ID: "A20/forged-first", Outcome: refuse("XML"), attack: change{text: secondRoot(true)}},
		{ID: "A20/forged-last", Outcome: refuse("XML"), attack: change{text: secondRoot(false)}},
		rewired("A21", responseOnly, twice, forgedFirst),
		rewired("A22/response-child", assertionOnly, refuse("NotResponse"), add(top, forgedStatement)),
		rewired("A22/after-signing", Needs{}, refuse("Signature"), add(asrt, forgedStatement)),
		{ID: "A22/one-attribute", Outcome: refuse("Signature"), base: withRole, attack: change{after: add(statement, forgedAttribute)}},
		// No reader reads Extensions. What comes out is what was signed.
		{ID: "A22/extensions", Needs: assertionOnly, Outcome: onlyRole, base: withRole, attack: change{after: func(d *draft) { d.extensions().AddChild(d.parse(forgedStatement)) }}},
		rewired("A23/second-assertion", overAssertion, twice, func(d *draft) { d.resp.InsertChildAt(0, d.forgedAssertion()) }),
		// A reader that takes the request apart again by local names finds this first.
		{ID: "A23/look-alike", Needs: assertionOnly, Outcome: accept(), attack: change{after: func(d *draft) {
			forged := d.forgedAssertion()
			forged.CreateAttr("xmlns:saml2", "urn:example:look-alike")
			d.extensions().AddChild(forged)
		}}},
		{ID: "A24/xpath", Outcome: shape, attack: change{signed: excluding(xpathURI,
			`<ds:XPath xmlns:ds="`+nsDSig+`">not(ancestor-or-self::*[local-name()='AttributeStatement'])</ds:XPath>`)}},
		{ID: "A24/xpath-filter2", Outcome: shape, attack: change{signed: excluding("http://www.w3.org/2002/06/xmldsig-filter2",
			`<xf:XPath xmlns:xf="http://www.w3.org/2002/06/xmldsig-filter2" Filter="subtract">//*[local-name()='AttributeStatement']</xf:XPath>`)}},
	}
}

const (
	forgedAttribute = `<saml2:Attribute Name="role" NameFormat="` + basic + `"><saml2:AttributeValue>administrator</saml2:AttributeValue></saml2:Attribute>`
	forgedStatement = `<saml2:AttributeStatement xmlns:saml2="%ns%">` + forgedAttribute + `</saml2:AttributeStatement>`
	xmlDeclaration  = `<?xml version="1.0" encoding="UTF-8"?>`
)

// around makes an element with another in it.
func around(tag string, el *etree.Element) *etree.Element {
	out := node(tag)
	out.AddChild(el)
	return out
}

func unsigned(d *draft) { d.unsigned = true }

// Where the original goes, once the forged one has its signature.

func insideSignature(forged, sig, original *etree.Element) {
	afterIssuer(forged, sig)
	sig.AddChild(original)
}

func beforeSignature(forged, sig, original *etree.Element) { afterIssuer(forged, original, sig) }

func insideObject(forged, sig, original *etree.Element) {
	afterIssuer(forged, sig)
	sig.CreateElement("ds:Object").AddChild(original)
}

// wrapResponse makes a forged Response the root and lets hang say what becomes
// of the signature and the original.
func wrapResponse(hang func(forged, sig, original *etree.Element)) func(*draft) {
	return func(d *draft) {
		forged, original := d.forgedResponse(), without(d.resp)
		hang(forged, detach(d.respSig.el), original)
		d.tree.SetRoot(forged)
	}
}

// wrapAssertion does the same to the assertion.
func wrapAssertion(hang func(forged, sig, original *etree.Element)) func(*draft) {
	return func(d *draft) {
		forged, original := d.forgedAssertion(), without(d.asrt)
		hang(forged, detach(d.asrtSig.el), original)
		swap(d.asrt, forged)
	}
}

// xsw1Assertion: the whole original message, less the assertion's signature,
// inside that signature.
func xsw1Assertion(d *draft) {
	forged := d.forgedResponse()
	sig := detach(d.asrtSig.el)
	afterIssuer(forged.SelectElement("Assertion"), sig)
	sig.AddChild(without(d.resp))
	d.tree.SetRoot(forged)
}

// xsw9: the genuine SignedInfo goes into an Object, where a search finds it
// first; the one that counts is forged to fit the forged content.
func xsw9(d *draft, s *signature) {
	forge(d)
	genuine := s.info.Copy()
	s.el.InsertChildAt(0, around("ds:Object", genuine))
	s.redigest()
}

func wrapper(parent *etree.Element) *etree.Element {
	return child(parent, "x:Wrapper", "xmlns:x", "urn:example:x")
}

// foreign puts something else that the identity provider signed into parent.
func (d *draft) foreign(tag, space string, parent *etree.Element) *etree.Element {
	prefix, _, _ := strings.Cut(tag, ":")
	el := child(parent, tag, "xmlns:"+prefix, space, "ID", d.newID(), "IssueInstant", d.at(0), "Version", "2.0")
	child(el, "saml2:Issuer", "xmlns:saml2", nsAssertion).SetText(d.p.Issuer)
	d.sign(el, d.key)
	return el
}

// digestElsewhere forges the content, and puts a digest that fits it where a
// search by name finds it before the one that was signed.
func digestElsewhere(d *draft) {
	s := d.last()
	forge(d)
	genuine := s.digestValue.Text()
	detail := d.find("./Status").CreateElement("saml2p:StatusDetail")
	reference := child(detail, "ds:Reference", "xmlns:ds", nsDSig, "URI", s.ref.SelectAttrValue("URI", ""))
	s.redigest()
	reference.CreateElement("ds:DigestValue").SetText(s.digestValue.Text())
	s.digestValue.SetText(genuine)
}

// secondRoot puts a forged document beside the genuine one.
func secondRoot(first bool) func(*draft, string) string {
	return func(d *draft, genuine string) string {
		root := etree.NewDocumentWithRoot(d.forgedResponse())
		forged, err := root.WriteToString()
		if err != nil {
			d.fail("writing the forged root: %w", err)
		}
		body := genuine[len(xmlDeclaration):]
		if first {
			return xmlDeclaration + forged + body
		}
		return xmlDeclaration + body + forged
	}
}

// excluding gives a signature a transform that leaves a part of the element
// out, and signs it so.
func excluding(uri, xpath string) func(*draft, *signature) {
	return func(d *draft, s *signature) {
		rest := s.parent.Copy()
		if st := rest.FindElement(".//AttributeStatement"); st != nil {
			st.Parent().RemoveChild(st)
		}
		t := node("ds:Transform", "Algorithm", uri)
		t.AddChild(d.parse(xpath))
		s.transforms.InsertChildAt(1, t)
		s.digestOver(without(rest))
		s.ok()
	}
}
