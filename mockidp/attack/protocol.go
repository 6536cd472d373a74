package attack

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Family D: the identity provider's signature holds, and what it signed is not
// good here, now, or for us.

func protocolCases() []Case {
	return slices.Concat(requests(), destinations(), confirmations(), windows(), audiences(), issuers(), envelopes(), subjects())
}

// signedSo is a case in which the identity provider signs what it should not.
func signedSo(id string, reason string, f func(*draft)) Case {
	return Case{ID: id, Outcome: refuse(reason), attack: change{before: f}}
}

// fine is one in which it signs something unusual that is to be accepted.
func fine(id string, f func(*draft)) Case {
	return Case{ID: id, Outcome: accept(), attack: change{before: f}}
}

// only narrows a case to some ways of signing.
func only(n Needs, c Case) Case {
	c.Needs.Sign = n.Sign
	return c
}

// with sets up the service provider for a case.
func with(sp Settings, c Case) Case {
	c.Needs.SP = sp
	return c
}

const (
	skew = 5 * time.Minute // the most that a service provider may allow
	sec  = time.Second
	hour = time.Hour
	day  = 24 * time.Hour
	year = 365 * day
)

func requests() []Case {
	return []Case{
		signedSo("D08", "Unsolicited", in(unset(top, "InResponseTo"), unset(data, "InResponseTo"))),
		signedSo("D09/unknown", "InResponseTo", in(set(top, "InResponseTo", "_forged"), set(data, "InResponseTo", "_forged"))),
		signedSo("D09/empty", "InResponseTo", in(set(top, "InResponseTo", ""), set(data, "InResponseTo", ""))),
		signedSo("D09/empty-response", "InResponseTo", in(set(top, "InResponseTo", ""), unset(data, "InResponseTo"))),
		signedSo("D09/empty-data", "InResponseTo", in(unset(top, "InResponseTo"), set(data, "InResponseTo", ""))),
		signedSo("D09/space", "InResponseTo", in(edit(top, "InResponseTo", spaced), edit(data, "InResponseTo", spaced))),
		signedSo("D09/case", "InResponseTo", in(edit(top, "InResponseTo", swapCase), edit(data, "InResponseTo", swapCase))),
		signedSo("D09/longer", "InResponseTo", in(edit(top, "InResponseTo", longer), edit(data, "InResponseTo", longer))),
		signedSo("D10/response-differs", "InResponseTo", set(top, "InResponseTo", "_other")),
		signedSo("D10/data-differs", "InResponseTo", set(data, "InResponseTo", "_other")),
		signedSo("D10/only-response", "InResponseTo", unset(data, "InResponseTo")),
		// The value in SubjectConfirmationData is the one that is always signed.
		fine("D10/only-data", unset(top, "InResponseTo")),
		// A value outside the signature is an attacker's: an unsolicited assertion
		// does not become an answer by it.
		{ID: "D10/added-by-attacker", Outcome: refuse("InResponseTo"), Needs: assertionOnly, attack: change{
			before: in(unset(top, "InResponseTo"), unset(data, "InResponseTo")),
			after:  func(d *draft) { d.resp.CreateAttr("InResponseTo", d.p.RequestID) },
		}},
	}
}

func swapCase(s string) string {
	if up := strings.ToUpper(s); up != s {
		return up
	}
	return strings.ToLower(s)
}

func longer(s string) string { return s + "0" }

func spaced(s string) string { return " " + s + "\n" }

func destinations() []Case {
	dest := func(id string, f func(string) string) Case {
		return signedSo(id, "Destination", edit(top, "Destination", f))
	}
	recp := func(id string, f func(string) string) Case {
		return signedSo(id, "Recipient", edit(data, "Recipient", f))
	}
	noBrackets := strings.NewReplacer("[", "%5B", "]", "%5D") // userinfo has none (RFC 3986, 3.2.1)
	return []Case{
		dest("D13", func(string) string { return "https://attacker.example/acs" }),
		only(overResponse, signedSo("D14/missing", "Destination", unset(top, "Destination"))),
		dest("D14/empty", func(string) string { return "" }),
		only(assertionOnly, fine("D14/missing-unsigned", unset(top, "Destination"))),
		dest("D15/path-case", func(s string) string { return schemeHost(s) + strings.ToUpper(pathOf(s)) }),
		dest("D15/host-case", func(s string) string { return strings.ToUpper(schemeHost(s)) + pathOf(s) }),
		dest("D15/port", otherPort),
		dest("D15/slash", func(s string) string { return s + "/" }),
		dest("D15/query", func(s string) string { return s + "?x=1" }),
		dest("D15/empty-query", func(s string) string { return s + "?" }),
		dest("D15/fragment", func(s string) string { return s + "#x" }),
		dest("D15/userinfo", func(s string) string { return strings.Replace(s, "://", "://user@", 1) }),
		dest("D15/other-host-after-userinfo", func(s string) string {
			return noBrackets.Replace(schemeHost(s)) + "@attacker.example" + pathOf(s)
		}),
		dest("D15/percent", func(s string) string { return fmt.Sprintf("%s%%%02X", s[:len(s)-1], s[len(s)-1]) }),
		dest("D15/dots", func(s string) string { return schemeHost(s) + "/x/.." + pathOf(s) }),
		dest("D15/double-slash", func(s string) string { return schemeHost(s) + "/" + pathOf(s) }),
		dest("D15/trailing-dot", func(s string) string { return schemeHost(s) + "." + pathOf(s) }),
		dest("D15/scheme", func(s string) string { return "ftp" + s[strings.Index(s, "://"):] }),
		dest("D15/relative", pathOf),
		dest("D15/white-space", func(s string) string { return " " + s }),
		dest("D15/lines", spaced),
		dest("D15/prefix", schemeHost),
		recp("D16", func(string) string { return "https://attacker.example/acs" }),
		recp("D16/slash", func(s string) string { return s + "/" }),
		recp("D16/query", func(s string) string { return s + "?x=1" }),
		recp("D16/host-case", func(s string) string { return strings.ToUpper(schemeHost(s)) + pathOf(s) }),
		recp("D16/longer", func(s string) string { return s + "5" }),
		signedSo("D17", "Recipient", elsewhere("Destination", "Recipient")),
		signedSo("D17/recipient", "Recipient", elsewhere("", "Recipient")),
		signedSo("D17/destination", "Destination", elsewhere("Destination", "")),
		// Only the assertion is signed, so the attacker corrects what is not.
		{ID: "D17/corrected", Outcome: refuse("Recipient"), Needs: assertionOnly, attack: change{
			before: elsewhere("Destination", "Recipient"),
			after:  func(d *draft) { d.resp.CreateAttr("Destination", d.p.Recipient) },
		}},
	}
}

// elsewhere makes the message one for another ACS URL of the service provider.
func elsewhere(destination, recipient string) func(*draft) {
	return func(d *draft) {
		if d.p.OtherACS == "" {
			d.fail("Params.OtherACS is required")
		}
		if destination != "" {
			d.resp.CreateAttr(destination, d.p.OtherACS)
		}
		if recipient != "" {
			d.find(data).CreateAttr(recipient, d.p.OtherACS)
		}
	}
}

// otherPort is the same URL but for its port. One that it has is replaced: with
// two it would be no URL. 443 would be none of its own where that is the default.
func otherPort(s string) string {
	at := schemeHost(s)
	if bare := strings.TrimRight(at, "0123456789"); strings.HasSuffix(bare, ":") {
		at = strings.TrimSuffix(bare, ":")
	}
	if other := at + ":8443" + pathOf(s); other != s {
		return other
	}
	return at + ":8444" + pathOf(s)
}

// schemeHost and pathOf are the two halves of a URL.
func schemeHost(s string) string { return s[:len(s)-len(pathOf(s))] }

func pathOf(s string) string {
	_, rest, _ := strings.Cut(s, "://")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return ""
}

// bearerFor is one more confirmation (Core 2.4.1.1).
func bearerFor(recipient, more string) string {
	return `<saml2:SubjectConfirmation Method="` + bearer + `"><saml2:SubjectConfirmationData Recipient="` + recipient + `" InResponseTo="%request%" ` + more + `/></saml2:SubjectConfirmation>`
}

func confirmations() []Case {
	no := "SubjectConfirmation"
	method := func(id, m string) Case {
		return signedSo(id, no, set(confirmation, "Method", "urn:oasis:names:tc:SAML:2.0:cm:"+m))
	}
	until := `NotOnOrAfter="%until%"`
	first := func(xml string) func(*draft) {
		return func(d *draft) { d.find(subject).InsertChildAt(d.find(confirmation).Index(), d.parse(xml)) }
	}
	return []Case{
		signedSo("D20/no-recipient", no, unset(data, "Recipient")),
		signedSo("D20/empty-recipient", no, set(data, "Recipient", "")),
		signedSo("D20/no-data", no, remove(data)),
		signedSo("D20/no-confirmation", no, remove(confirmation)),
		method("D20/holder-of-key", "holder-of-key"),
		method("D20/sender-vouches", "sender-vouches"),
		method("D20/case", "Bearer"),
		signedSo("D20/no-method", no, unset(confirmation, "Method")),
		signedSo("D20/empty-method", no, set(confirmation, "Method", "")),
		fine("D21/other-after", add(subject, bearerFor("https://other.example/acs", until))),
		fine("D21/other-first", first(bearerFor("https://other.example/acs", until))),
		fine("D21/expired-other-first", first(bearerFor("https://other.example/acs", `NotOnOrAfter="%past%"`))),
		// Of two for the same URL it is open which one bounds its use.
		signedSo("D21/two-for-this-url", no, first(bearerFor("%recipient%", until))),
		signedSo("D21/expired-and-good", no, first(bearerFor("%recipient%", `NotOnOrAfter="%past%"`))),
		fine("D21/other-method-first", first(`<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"/>`)),
		signedSo("D21/two-of-ours", "Recipient", add(subject, bearerFor("%other%", until))),
		// One is for us and over, the other is in force and not for us.
		signedSo("D21/mixed", "Expired", in(setAt(data, "NotOnOrAfter", -hour), add(subject, bearerFor("https://other.example/acs", until)))),
		signedSo("D21/mixed-method", "Recipient", in(set(data, "Recipient", "https://other.example/acs"),
			add(subject, `<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"><saml2:SubjectConfirmationData Recipient="%recipient%" NotOnOrAfter="%until%"/></saml2:SubjectConfirmation>`))),
	}
}

func windows() []Case {
	late, soon, ill := "Expired", "NotYetValid", "Time"
	cut := Outcome{Until: hour}
	return []Case{
		signedSo("D22/future", soon, in(setAt(data, "NotBefore", skew+sec), setAt(data, "NotOnOrAfter", 2*skew))),
		fine("D22/past", setAt(data, "NotBefore", -sec)),
		signedSo("D22/reversed", ill, in(setAt(data, "NotBefore", lifetime), setAt(data, "NotOnOrAfter", -sec))),
		signedSo("D23/expired", late, setAt(data, "NotOnOrAfter", -skew)),
		// Which no skew excuses.
		signedSo("D23/long-over", late, setAt(data, "NotOnOrAfter", -hour)),
		signedSo("D23/missing", ill, unset(data, "NotOnOrAfter")),
		signedSo("D23/empty", ill, set(data, "NotOnOrAfter", "")),
		signedSo("D23/malformed", ill, set(data, "NotOnOrAfter", "tomorrow")),
		signedSo("D24/expired", late, in(setAt(conditions, "NotBefore", -hour), setAt(conditions, "NotOnOrAfter", -skew))),
		signedSo("D24/long-over", late, in(setAt(conditions, "NotBefore", -2*hour), setAt(conditions, "NotOnOrAfter", -hour))),
		signedSo("D24/not-yet", soon, in(setAt(conditions, "NotBefore", skew+sec), setAt(conditions, "NotOnOrAfter", hour))),
		signedSo("D24/missing", "Audience", remove(conditions)),
		signedSo("D24/malformed", ill, set(conditions, "NotOnOrAfter", "2099-99-99T00:00:00Z")),
		signedSo("D24/empty", ill, set(conditions, "NotBefore", "")),
		signedSo("D24/number", ill, set(conditions, "NotOnOrAfter", "4102444800")),
		signedSo("D24/date-only", ill, set(conditions, "NotOnOrAfter", "2099-01-01")),
		signedSo("D24/white-space", ill, set(conditions, "NotOnOrAfter", "2099-01-01 00:00:00Z")),
		signedSo("D24/reversed", ill, in(setAt(conditions, "NotBefore", 2*sec), setAt(conditions, "NotOnOrAfter", sec))),
		signedSo("D24/twice", "NotResponse", add(asrt, `<saml2:Conditions NotOnOrAfter="%until%"/>`)),
		signedSo("D25/old", late, setAt(asrt, "IssueInstant", -hour-skew-sec)),
		signedSo("D25/future", soon, setAt(asrt, "IssueInstant", skew+sec)),
		signedSo("D25/missing", ill, unset(asrt, "IssueInstant")),
		signedSo("D25/malformed", ill, set(asrt, "IssueInstant", "2026-13-01T00:00:00Z")),
		signedSo("D25/response-old", late, setAt(top, "IssueInstant", -hour-skew-sec)),
		signedSo("D25/response-future", soon, setAt(top, "IssueInstant", skew+sec)),
		signedSo("D25/response-missing", ill, unset(top, "IssueInstant")),
		signedSo("D25/response-malformed", ill, set(top, "IssueInstant", "now")),
		{ID: "D26", Outcome: cut, attack: change{before: in(setAt(data, "NotOnOrAfter", 10*year), setAt(conditions, "NotOnOrAfter", 10*year))}},
		{ID: "D26/no-conditions-window", Outcome: cut, attack: change{before: in(setAt(data, "NotOnOrAfter", 10*year), unset(conditions, "NotOnOrAfter"), unset(conditions, "NotBefore"))}},
		signedSo("D26/old", late, in(setAt(asrt, "IssueInstant", -day), setAt(conditions, "NotBefore", -day), setAt(data, "NotOnOrAfter", 10*year), setAt(conditions, "NotOnOrAfter", 10*year))),
		signedSo("D27/over", "Session", setAt(authn, "SessionNotOnOrAfter", -skew)),
		signedSo("D27/malformed", ill, set(authn, "SessionNotOnOrAfter", "never")),
		signedSo("D28/future", soon, setAt(authn, "AuthnInstant", skew+sec)),
		fine("D28/merely-old", setAt(authn, "AuthnInstant", -30*day)),
		with(Settings{MaxAuthnAge: hour}, signedSo("D28/too-old", "Authn", setAt(authn, "AuthnInstant", -hour-skew-sec))),
		with(Settings{ForceAuthn: true}, signedSo("D28/before-request", "Authn", setAt(authn, "AuthnInstant", -hour))),
		with(Settings{AuthnContext: password}, signedSo("D28/weaker", "Authn", setText(class, "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"))),
		with(Settings{AuthnContext: password}, signedSo("D28/no-context", "Schema", remove(class))),
		with(Settings{AuthnContext: password}, fine("D28/context-space", editText(class, func(s string) string { return s + " " }))),
		with(Settings{AuthnContext: password}, fine("D28/context-lines", editText(class, func(s string) string { return "\n\t  " + s + "\n" }))),
		with(Settings{AuthnContext: password}, signedSo("D28/context-inner-space", "Authn", editText(class, func(s string) string { return s[:4] + " " + s[4:] }))),
		signedSo("D28/no-authn-context", "Schema", remove(authn+"/AuthnContext")),
		signedSo("D28/empty-authn-context", "Schema", remove(class)),
		signedSo("D28/empty-class", "Schema", setText(class, "")),
		signedSo("D28/blank-class", "Schema", setText(class, " \n")),
		fine("D28/declaration", func(d *draft) {
			remove(class)(d)
			add(authn+"/AuthnContext", `<saml2:AuthnContextDeclRef>urn:example:declaration</saml2:AuthnContextDeclRef>`)(d)
		}),
		signedSo("D28/missing", ill, unset(authn, "AuthnInstant")),
		signedSo("D28/malformed", ill, set(authn, "AuthnInstant", "0")),
		signedSo("D28/no-statement", "Authn", remove(authn)),
	}
}
