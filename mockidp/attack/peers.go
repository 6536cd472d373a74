package attack

import "github.com/beevik/etree"

// Family J: documents that the tests of another service provider, crewjam/saml,
// have or bring to mind.

func peerCases() []Case {
	return append(append(declarations(), foreignNames()...), others()...)
}

const foreign = "urn:example:x"

// declarations: J01. A namespace declaration is no attribute, whatever its
// prefix is called. A reader that goes by local names takes it for one, and
// exclusive canonicalisation leaves it out where nothing uses the prefix: it
// can be added to what was signed.
func declarations() []Case {
	declare := func(path, name, value string) func(*draft) {
		return func(d *draft) { d.find(path).CreateAttr("xmlns:"+name, d.expand(value)) }
	}
	// unheard: the declaration says what the attribute would have to say.
	unheard := func(id, reason string, signed, added func(*draft)) Case {
		return Case{ID: id, Outcome: refuse(reason), attack: change{before: signed, after: added}}
	}
	// idle: the attribute itself is good, and stays what it is.
	idle := func(id string, added func(*draft)) Case {
		return Case{ID: id, Outcome: accept(), attack: change{after: added}}
	}
	const elsewhere = "https://attacker.example/acs"
	return []Case{
		unheard("J01/recipient", "Recipient", set(data, "Recipient", elsewhere), declare(data, "Recipient", "%recipient%")),
		unheard("J01/no-recipient", "SubjectConfirmation", unset(data, "Recipient"), declare(data, "Recipient", "%recipient%")),
		unheard("J01/destination", "Destination", set(top, "Destination", elsewhere), declare(top, "Destination", "%recipient%")),
		unheard("J01/method", "SubjectConfirmation", unset(confirmation, "Method"), declare(confirmation, "Method", bearer)),
		unheard("J01/status", "Status", unset(statusCode, "Value"), declare(statusCode, "Value", success)),
		idle("J01/recipient-idle", declare(data, "Recipient", elsewhere)),
		idle("J01/destination-idle", declare(top, "Destination", elsewhere)),
		idle("J01/id-idle", declare(asrt, "ID", "urn:example:other")),
		idle("J01/format-idle", declare(nameID, "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient")),
		// Where the canonical form has the declaration, it was not signed.
		{ID: "J01/listed", Outcome: refuse("Signature"), base: change{setup: func(d *draft) { d.prefixes = "Recipient" }},
			attack: change{after: declare(data, "Recipient", elsewhere)}},
		{ID: "J01/used", Outcome: refuse("Signature"), attack: change{after: in(declare(data, "Recipient", elsewhere), set(data, "Recipient:x", "1"))}},
		{ID: "J01/signed", Outcome: accept(), attack: change{before: declare(data, "Recipient", elsewhere)}},
	}
}

// foreignNames: J02. An element of another namespace is not the one of SAML,
// whatever its local name: beside it it is not read, in its place it is missing.
func foreignNames() []Case {
	instead := func(id, path, reason string) Case {
		return signedSo(id, reason, renamed(path))
	}
	return []Case{
		instead("J02/name-id", nameID, "NameID"),
		instead("J02/authn-statement", authn, "Authn"),
		instead("J02/conditions", conditions, "Audience"),
		signedSo("J02/attribute", "Schema", func(d *draft) {
			for _, el := range d.find(statement).ChildElements() {
				rename(el)
			}
		}),
		instead("J02/authn-context", authn+"/AuthnContext", "Schema"),
		{ID: "J02/attribute-value", Outcome: Outcome{Values: map[string][]string{"role": nil}}, attack: change{before: func(d *draft) {
			d.addAttribute("role", "administrator")
			rename(d.find(statement + "/Attribute[@Name='role']/AttributeValue"))
		}}},
		fine("J02/name-id-beside", first(nameID, `<x:NameID xmlns:x="`+foreign+`">%forged%</x:NameID>`)),
		fine("J02/authn-statement-beside", first(authn, `<x:AuthnStatement xmlns:x="`+foreign+`" AuthnInstant="2099-01-01T00:00:00Z"/>`)),
		fine("J02/conditions-beside", first(conditions, `<x:Conditions xmlns:x="`+foreign+`" NotOnOrAfter="%past%"/>`)),
		{ID: "J02/attribute-beside", Outcome: onlyRole, base: withRole, attack: change{
			before: add(statement, `<x:Attribute xmlns:x="`+foreign+`" Name="role"><saml2:AttributeValue>administrator</saml2:AttributeValue></x:Attribute>`)}},
		{ID: "J02/attribute-value-beside", Outcome: onlyRole, attack: change{before: in(withRole.before,
			first(statement+"/Attribute[@Name='role']/AttributeValue", `<x:AttributeValue xmlns:x="`+foreign+`">administrator</x:AttributeValue>`))}},
	}
}

// renamed puts an element into another namespace. Its children stay in theirs.
func renamed(path string) func(*draft) {
	return func(d *draft) { rename(d.find(path)) }
}

func rename(el *etree.Element) {
	el.Space = "x"
	el.CreateAttr("xmlns:x", foreign)
}

// others: J03, an identifier of no type that is known, and J05, a signature
// that does not hold inside of one that does.
func others() []Case {
	wrong := refuse("Signature")
	const baseID = `<saml2:BaseID xmlns:xsi="` + nsXSI + `" xsi:type="saml2:NameIDType" value="%forged%"/>`
	return []Case{
		signedSo("J03/alone", "NameID", inPlace(nameID, baseID)),
		signedSo("J03/before", "NameID", first(nameID, baseID)),
		signedSo("J03/after", "NameID", first(confirmation, baseID)),
		sealed("J03/encrypted", refuse("NameID"), Needs{}, change{before: func(d *draft) {
			inPlace(nameID, baseID)(d)
			d.encryptID(d.find(subject + "/BaseID"))
		}}),
		only(bothOnly, sig("J05/signature-value", wrong, func(d *draft, s *signature) { s.value.SetText(encode(make([]byte, 256))) })),
		only(bothOnly, sig("J05/digest-value", wrong, func(d *draft, s *signature) {
			s.digestValue.SetText(forgedDigest(d))
			s.ok()
		})),
		only(bothOnly, sig("J05/changed", wrong, func(d *draft, _ *signature) { d.addAttribute("role", "administrator") })),
		only(bothOnly, sig("J05/other-key", wrong, attackerResigns)),
	}
}
