package attack

import (
	"encoding/hex"
	"strings"
)

// Family D, second half: whom the message is for, from and about.

func audiences() []Case {
	no := "Audience"
	aud := func(id string, f func(string) string) Case {
		return signedSo(id, no, editText(restriction+"/Audience", f))
	}
	other := `<saml2:AudienceRestriction><saml2:Audience>https://other.example</saml2:Audience></saml2:AudienceRestriction>`
	condition := func(id, xml string) Case { return signedSo(id, "Condition", add(conditions, xml)) }
	return []Case{
		aud("D29", func(string) string { return "https://other.example" }),
		signedSo("D29/acs-url", no, func(d *draft) { d.find(restriction + "/Audience").SetText(d.p.Recipient) }),
		fine("D29/among-others", func(d *draft) {
			r := d.find(restriction)
			r.InsertChildAt(0, d.parse(`<saml2:Audience>https://other.example</saml2:Audience>`))
			r.AddChild(d.parse(`<saml2:Audience>https://another.example</saml2:Audience>`))
		}),
		signedSo("D30/none", no, remove(restriction)),
		signedSo("D30/empty-restriction", no, remove(restriction+"/Audience")),
		aud("D30/empty-audience", func(string) string { return "" }),
		signedSo("D31/other-last", no, add(conditions, other)),
		signedSo("D31/other-first", no, func(d *draft) { d.find(conditions).InsertChildAt(0, d.parse(other)) }),
		signedSo("D31/empty-second", no, add(conditions, `<saml2:AudienceRestriction/>`)),
		aud("D32/longer", func(s string) string { return s + ".attacker.example" }),
		aud("D32/shorter", func(s string) string { return s[:len(s)-1] }),
		aud("D32/inside", func(s string) string { return "https://attacker.example/?" + s }),
		aud("D32/list", func(s string) string { return "https://other.example " + s }),
		aud("D32/comma", func(s string) string { return "https://other.example," + s }),
		aud("D32/slash", func(s string) string { return s + "/" }),
		aud("D32/wildcard", func(string) string { return "*" }),
		condition("D33/saml", `<saml2:Condition/>`),
		condition("D33/foreign", `<x:Condition xmlns:x="urn:example:x"/>`),
		condition("D33/unknown-in-saml-namespace", `<saml2:GeographicRestriction/>`),
		fine("D34/one-time-use", add(conditions, `<saml2:OneTimeUse/>`)),
		fine("D34/proxy-restriction", add(conditions, `<saml2:ProxyRestriction Count="0"><saml2:Audience>https://other.example</saml2:Audience></saml2:ProxyRestriction>`)),
	}
}

func issuers() []Case {
	no, asrtIssuer, respIssuer := "Issuer", "./Assertion/Issuer", "./Issuer"
	return []Case{
		signedSo("D35/assertion", no, setText(asrtIssuer, "https://other-idp.example")),
		signedSo("D35/response", no, setText(respIssuer, "https://other-idp.example")),
		signedSo("D35/both", no, in(setText(asrtIssuer, "https://other-idp.example"), setText(respIssuer, "https://other-idp.example"))),
		signedSo("D35/assertion-missing", no, remove(asrtIssuer)),
		signedSo("D35/assertion-empty", no, setText(asrtIssuer, "")),
		only(overResponse, signedSo("D35/response-missing", no, remove(respIssuer))),
		signedSo("D35/response-empty", no, setText(respIssuer, "")),
		only(assertionOnly, fine("D35/response-missing-unsigned", remove(respIssuer))),
		signedSo("D35/assertion-format", no, set(asrtIssuer, "Format", email)),
		signedSo("D35/response-format", no, set(respIssuer, "Format", "urn:example:format")),
		signedSo("D35/longer", no, editText(asrtIssuer, longer)),
		// A genuine assertion of the right identity provider in a Response that
		// another one claims, and the other way round.
		{ID: "D36/response", Outcome: refuse(no), Needs: assertionOnly, attack: change{after: setText(respIssuer, "https://other-idp.example")}},
		signedSo("D36/assertion", no, setText(asrtIssuer, "https://other-idp.example")),
		{ID: "D37/other-tenants-idp", Outcome: refuse("Signature"), attack: change{setup: byAttacker, before: in(
			setText(asrtIssuer, "https://other-tenant.example"), setText(respIssuer, "https://other-tenant.example"))}},
		{ID: "D37/claims-to-be-ours", Outcome: refuse("Signature"), attack: change{setup: byAttacker, before: forge}},
		signedSo("D37/other-tenants-name", no, in(setText(asrtIssuer, "https://other-tenant.example"), setText(respIssuer, "https://other-tenant.example"))),
	}
}

func envelopes() []Case {
	const urn = "urn:oasis:names:tc:SAML:2.0:status:"
	no := "Status"
	status := func(id, value string) Case { return signedSo(id, no, set(statusCode, "Value", value)) }
	inflated := func(id string, text func(*draft) []byte) Case {
		return Case{ID: id, Outcome: refuse("XML"), attack: change{posted: func(d *draft, _ []byte) []byte { return []byte(Deflated(text(d))) }}}
	}
	badID := func(id, value string) Case { return signedSo(id, "ID", set(top, "ID", value)) }
	return []Case{
		status("D38/responder", urn+"Responder"),
		status("D38/requester", urn+"Requester"),
		status("D38/unknown", "urn:example:status"),
		status("D38/empty", ""),
		status("D38/case", urn+"success"),
		status("D38/longer", urn+"Success2"),
		signedSo("D39/nested", no, add(statusCode, `<saml2p:StatusCode Value="`+urn+`AuthnFailed"/>`)),
		signedSo("D39/nested-success", no, in(set(statusCode, "Value", urn+"Responder"), add(statusCode, `<saml2p:StatusCode Value="`+success+`"/>`))),
		signedSo("D39/no-status", no, remove("./Status")),
		signedSo("D39/no-code", no, remove(statusCode)),
		signedSo("D39/no-value", no, unset(statusCode, "Value")),
		signedSo("D39/two-statuses", "NotResponse", add(top, `<saml2p:Status><saml2p:StatusCode Value="`+success+`"/></saml2p:Status>`)),
		signedSo("D39/two-codes", "NotResponse", add("./Status", `<saml2p:StatusCode Value="`+success+`"/>`)),
		signedSo("D40/assertion-1.1", "Version", set(asrt, "Version", "1.1")),
		signedSo("D40/response-1.1", "Version", set(top, "Version", "1.1")),
		signedSo("D40/2.1", "Version", set(asrt, "Version", "2.1")),
		signedSo("D40/assertion-missing", "Version", unset(asrt, "Version")),
		signedSo("D40/response-missing", "Version", unset(top, "Version")),
		signedSo("D40/space", "Version", set(asrt, "Version", " 2.0")),
		{ID: "D40/saml-1", Outcome: refuse("NotResponse"), attack: change{text: func(d *draft, _ string) string {
			return d.expand(`<Response xmlns="urn:oasis:names:tc:SAML:1.0:protocol" ResponseID="_1" MajorVersion="1" MinorVersion="1" IssueInstant="%now%"><Status><StatusCode Value="samlp:Success"/></Status></Response>`)
		}}},
		{ID: "D40/request", Outcome: refuse("NotResponse"), attack: change{text: func(d *draft, _ string) string {
			return d.expand(`<saml2p:AuthnRequest xmlns:saml2p="` + nsProtocol + `" ID="_1" Version="2.0" IssueInstant="%now%"/>`)
		}}},
		only(assertionOnly, signedSo("D41/response-missing", "ID", unset(top, "ID"))),
		only(assertionOnly, badID("D41/response-empty", "")),
		only(responseOnly, signedSo("D41/assertion-missing", "ID", unset(asrt, "ID"))),
		only(responseOnly, signedSo("D41/assertion-empty", "ID", set(asrt, "ID", ""))),
		badID("D41/space", "a b"),
		badID("D41/not-ascii", "_é"),
		badID("D41/slash", "a/b"),
		badID("D41/overlong", "_"+strings.Repeat("a", 256)),
		signedSo("D41/assertion-overlong", "ID", set(asrt, "ID", "_"+strings.Repeat("a", 256))),
		signedSo("D41/assertion-quote", "ID", set(asrt, "ID", "_a'b")),
		signedSo("D41/duplicate", "ID", func(d *draft) { d.resp.CreateAttr("ID", d.asrt.SelectAttrValue("ID", "")) }),
		// Another ID each time: the same one would be a replay.
		fine("D41/digit", func(d *draft) {
			d.resp.CreateAttr("ID", "1"+d.newID())
			d.asrt.CreateAttr("ID", "0"+d.newID())
		}),
		fine("D41/longest", func(d *draft) { d.asrt.CreateAttr("ID", ("a" + hex.EncodeToString(d.random(128)))[:256]) }),
		only(responseOnly, signedSo("D42", "AssertionCount", remove(asrt))),
		inflated("D50", func(*draft) []byte { return make([]byte, 8<<20) }),
		inflated("D50/spaces", func(d *draft) []byte { return []byte(d.write() + strings.Repeat(" ", 8<<20)) }),
		inflated("D51", func(d *draft) []byte { return []byte(d.write()) }),
	}
}

func subjects() []Case {
	const format = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
	no := "NameID"
	return []Case{
		signedSo("D43/missing", no, remove(nameID)),
		signedSo("D43/empty", no, setText(nameID, "")),
		signedSo("D43/no-subject", "SubjectConfirmation", remove(subject)),
		signedSo("D43/twice", "NotResponse", add(subject, `<saml2:NameID>%forged%</saml2:NameID>`)),
		signedSo("D43/sp-name-qualifier", no, set(nameID, "SPNameQualifier", "https://other.example")),
		signedSo("D43/name-qualifier", no, in(set(nameID, "Format", format+"persistent"), set(nameID, "NameQualifier", "https://other-idp.example"))),
		fine("D43/right-qualifiers", func(d *draft) {
			el := d.find(nameID)
			el.CreateAttr("Format", format+"persistent")
			el.CreateAttr("NameQualifier", d.p.Issuer)
			el.CreateAttr("SPNameQualifier", d.p.Audience)
		}),
		with(Settings{NameIDFormat: email}, signedSo("D43/format", no, set(nameID, "Format", format+"transient"))),
		with(Settings{NameIDFormat: email}, signedSo("D43/no-format", no, unset(nameID, "Format"))),
	}
}
