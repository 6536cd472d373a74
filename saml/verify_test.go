package saml_test

import (
	"crypto"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// Obligations: IIP-SSO04, IIP-ALG01, IIP-ALG02, SDP-ALG01.
func TestVerifyAcceptsGoodResponses(t *testing.T) {
	for _, d := range []doc{{}, {SignResponse: true}, {SignResponse: true, UnsignedAssertion: true}} {
		t.Run(fmt.Sprintf("response=%v,assertion=%v", d.SignResponse, !d.UnsignedAssertion), func(t *testing.T) {
			d.Attributes = `<saml:Attribute Name="groups"><saml:AttributeValue>a</saml:AttributeValue></saml:Attribute>` +
				`<saml:Attribute Name="other"><saml:AttributeValue>x&amp;y</saml:AttributeValue></saml:Attribute>` +
				`<saml:Attribute Name="groups"><saml:AttributeValue>b</saml:AttributeValue></saml:Attribute>`
			a, err := newSP(t).Verify(d.base64(t), unsolicited)
			require.NoError(t, err)
			require.Equal(t, "_asrt1", a.ID())
			require.Equal(t, "_resp1", a.ResponseID())
			require.Equal(t, idpEntity, a.Issuer())
			require.Equal(t, "alice@example.com", a.NameID().Value)
			require.Equal(t, "us-east-1", a.ACS().Region)
			require.Empty(t, a.InResponseTo())
			require.Equal(t, []string{"a", "b"}, a.Values("groups"), "one attribute, in document order")
			require.Len(t, a.Attributes(), 2)
			require.Equal(t, "x&y", a.Value("other"))
			require.Equal(t, "_s1", a.SessionIndex())
			require.Equal(t, now.Add(5*time.Minute), a.NotOnOrAfter())
			require.Empty(t, a.Warnings())
		})
	}
}

// row is one document with one fault (or none), and the verdict on it. Ids are
// those of the attack catalogue.
type row struct {
	name   string
	doc    doc
	want   saml.VerifyOptions // zero: unsolicited at usACS
	config func(*saml.Config)
	reason saml.Reason // empty: accepted
}

// Obligations: IIP-G03, IIP-SSO01, IIP-SSO05, SDP-SP01, SDP-SP13.
func TestVerdicts(t *testing.T) {
	for _, rows := range [][]row{envelopeRows(), signatureRows(), subjectRows(), timeRows(), conditionRows()} {
		for _, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				sp := newSP(t)
				if r.config != nil {
					sp = newSP(t, r.config)
				}
				if r.want.ACS == "" {
					r.want = unsolicited
				}
				a, err := sp.Verify(r.doc.base64(t), r.want)
				if r.reason == "" {
					require.NoError(t, err)
					require.NotNil(t, a)
					return
				}
				require.Nil(t, a, "a refusal comes with nothing")
				requireReason(t, r.reason, err)
				require.NotContains(t, err.Error(), "\n")
				require.Less(t, len(err.Error()), 2000, "the input is quoted and cut short")
			})
		}
	}
}

// set changes an attribute, before the signature is made.
func set(path, attr, value string) func(*etree.Element) {
	return func(r *etree.Element) { r.FindElement(path).CreateAttr(attr, value) }
}

func unset(path, attr string) func(*etree.Element) {
	return func(r *etree.Element) {
		if r.FindElement(path).RemoveAttr(attr) == nil {
			panic("no " + attr)
		}
	}
}

func remove(path string) func(*etree.Element) {
	return func(r *etree.Element) {
		el := r.FindElement(path)
		el.Parent().RemoveChild(el)
	}
}

func text(path, value string) func(*etree.Element) {
	return func(r *etree.Element) { r.FindElement(path).SetText(value) }
}

// add puts XML at the end of an element, before the signature is made.
func add(path, fragment string) func(*etree.Element) {
	return func(r *etree.Element) {
		d := etree.NewDocument()
		if err := d.ReadFromString(fragment); err != nil {
			panic(err)
		}
		r.FindElement(path).AddChild(d.Root())
	}
}

const (
	scd       = ".//SubjectConfirmationData"
	asrt      = "./Assertion"
	top       = "."
	statusURN = "urn:oasis:names:tc:SAML:2.0:status:"
)

func envelopeRows() []row {
	return []row{
		{name: "B01 nothing signed", doc: doc{UnsignedAssertion: true}, reason: saml.ReasonUnsigned},
		{name: "C08 DOCTYPE", doc: doc{After: func(x string) string { return "<!DOCTYPE x>" + x }}, reason: saml.ReasonXML},
		{name: "C06 processing instruction", doc: doc{After: replace("alice@", "alice<?x?>@")}, reason: saml.ReasonXML},
		{name: "C01 comment in NameID", doc: doc{After: replace("alice@", "alice@x<!---->")}, reason: saml.ReasonText},
		{name: "C01 comment elsewhere", doc: doc{After: replace("<saml:Subject>", "<!-- a --><saml:Subject>")}},
		{name: "C05 CDATA is text", doc: doc{After: replace("alice@example.com", "<![CDATA[alice]]>@example.com")}},
		{name: "C07 element in NameID", doc: doc{Before: add(".//NameID", "<x/>")}, reason: saml.ReasonText},
		{
			name:   "C14 undeclared prefix",
			doc:    doc{After: replace("<saml:Subject>", "<saml:Subject><x:y/>")},
			reason: saml.ReasonXML,
		},
		{
			name:   "C15 attribute twice by namespace",
			doc:    doc{After: replace(`<saml:Subject>`, `<saml:Subject xmlns:a="urn:x" xmlns:b="urn:x" a:i="1" b:i="2">`)},
			reason: saml.ReasonXML,
		},
		{
			name:   "C17 name with two colons",
			doc:    doc{After: replace("<saml:Subject>", "<saml:Subject><a:b:c/>")},
			reason: saml.ReasonXML,
		},
		{name: "C19 wrong namespace", doc: doc{After: func(x string) string {
			return strings.Replace(x, `xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"`, `xmlns:samlp="urn:evil"`, 1)
		}}, reason: saml.ReasonNotResponse},
		{name: "C21 invalid UTF-8", doc: doc{After: replace("alice", "al\xffce")}, reason: saml.ReasonXML},
		{name: "C23 two roots", doc: doc{After: func(x string) string { return x + x }}, reason: saml.ReasonXML},
		{name: "C23 trailing text", doc: doc{After: func(x string) string { return x + "x" }}, reason: saml.ReasonXML},
		{name: "C28 only comments", doc: doc{After: func(string) string { return "<!-- x -->" }}, reason: saml.ReasonXML},
		{name: "C28 empty", doc: doc{After: func(string) string { return "" }}, reason: saml.ReasonXML},
		{name: "C29 nesting", doc: doc{After: func(x string) string {
			return strings.Replace(x, "<saml:Subject>", strings.Repeat("<a>", 70)+strings.Repeat("</a>", 70)+"<saml:Subject>", 1)
		}}, reason: saml.ReasonLimit},
		{name: "C30 attributes", doc: doc{After: func(x string) string {
			var b strings.Builder
			for i := range 65 {
				fmt.Fprintf(&b, ` a%d=""`, i)
			}
			return strings.Replace(x, "<saml:Subject", "<saml:Subject"+b.String(), 1)
		}}, reason: saml.ReasonLimit},
		{
			name:   "C30 size",
			doc:    doc{After: func(x string) string { return x + strings.Repeat(" ", 2<<20) }},
			reason: saml.ReasonLimit,
		},
		{
			name:   "B27 relative namespace",
			doc:    doc{After: replace("<saml:Subject>", `<saml:Subject xmlns:r="1">`)},
			reason: saml.ReasonXML,
		},
		{
			name:   "D38 failure with an assertion",
			doc:    doc{Before: set(".//StatusCode", "Value", statusURN+"Responder")},
			reason: saml.ReasonStatus,
		},
		{
			name:   "D39 nested failure",
			doc:    doc{Before: add(".//StatusCode", `<samlp:StatusCode Value="`+statusURN+`AuthnFailed"/>`)},
			reason: saml.ReasonStatus,
		},
		{name: "D39 no Status", doc: doc{Before: remove(".//Status")}, reason: saml.ReasonStatus},
		{name: "D40 assertion 1.1", doc: doc{Before: set(asrt, "Version", "1.1")}, reason: saml.ReasonVersion},
		{name: "D40 response 1.1", doc: doc{Before: set(top, "Version", "1.1")}, reason: saml.ReasonVersion},
		{name: "D41 no response ID", doc: doc{Before: unset(top, "ID")}, reason: saml.ReasonID},
		{name: "D41 odd characters", doc: doc{Before: set(top, "ID", "a b")}, reason: saml.ReasonID},
		{name: "D41 overlong", doc: doc{Before: set(top, "ID", strings.Repeat("a", 257))}, reason: saml.ReasonID},
		{name: "D41 starts with a digit", doc: doc{Before: set(top, "ID", "1234")}},
		{name: "B10 same ID twice", doc: doc{Before: set(top, "ID", "_asrt1")}, reason: saml.ReasonID},
		{
			name:   "B10 same ID by another attribute",
			doc:    doc{Before: set(".//Subject", "xml:id", "_resp1")},
			reason: saml.ReasonID,
		},
		{
			name:   "D42 no assertion",
			doc:    doc{UnsignedAssertion: true, SignResponse: true, Before: remove(asrt)},
			reason: saml.ReasonAssertionCount,
		},
		{
			name: "A19 two assertions",
			doc: doc{
				After: replace(
					"<saml:Assertion ",
					`<saml:Assertion ID="_evil" Version="2.0" IssueInstant="2026-11-22T12:00:00Z"/><saml:Assertion `,
				),
			},
			reason: saml.ReasonAssertionCount,
		},
		{
			name:   "A16 assertion in Advice",
			doc:    doc{Before: add(asrt, `<saml:Advice><saml:Assertion ID="_x"/></saml:Advice>`)},
			reason: saml.ReasonAssertionCount,
		},
		{name: "A10 wrapped assertion", doc: doc{Before: func(r *etree.Element) {
			a := r.SelectElement("Assertion")
			r.CreateElement("samlp:Extensions").AddChild(a)
		}, SignResponse: true}, reason: saml.ReasonAssertionCount},
		{
			name:   "unknown element in Response",
			doc:    doc{Before: add(top, `<x xmlns="urn:x"/>`)},
			reason: saml.ReasonNotResponse,
		},
		{name: "two Status", doc: doc{Before: add(top, `<samlp:Status/>`)}, reason: saml.ReasonNotResponse},
		{name: "E07 encrypted", doc: doc{UnsignedAssertion: true, SignResponse: true, Before: func(r *etree.Element) {
			remove(asrt)(r)
			add(top, `<saml:EncryptedAssertion/>`)(r)
		}}, reason: saml.ReasonEncrypted},
	}
}

func subjectRows() []row {
	us := saml.VerifyOptions{ACS: usACS, RequestIDs: []string{"_r0", "_r1"}}
	bearer := func(recipient string) string {
		return `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData Recipient="` + recipient + `" NotOnOrAfter="2026-11-22T12:05:00Z"/></saml:SubjectConfirmation>`
	}
	return []row{
		{name: "D08 unsolicited when not expected", want: us, reason: saml.ReasonUnsolicited},
		{name: "solicited", doc: doc{RequestID: "_r1"}, want: us},
		{name: "D09 unknown request", doc: doc{RequestID: "_r2"}, want: us, reason: saml.ReasonInResponseTo},
		{name: "D09 unknown request where unsolicited is fine", doc: doc{RequestID: "_r2"}, reason: saml.ReasonInResponseTo},
		{
			name:   "D10 two requests",
			doc:    doc{RequestID: "_r1", RespRequestID: "_r0"},
			want:   us,
			reason: saml.ReasonInResponseTo,
		},
		{name: "D10 only the Response answers", doc: doc{RespRequestID: "_r1"}, want: us, reason: saml.ReasonInResponseTo},
		{name: "D10 only the assertion answers", doc: doc{RequestID: "_r1", Before: unset(top, "InResponseTo")}, want: us},
		{name: "InResponseTo is empty", doc: doc{Before: set(scd, "InResponseTo", "")}, reason: saml.ReasonInResponseTo},
		{name: "D13 Destination", doc: doc{Destination: euACS, SignResponse: true}, reason: saml.ReasonDestination},
		{
			name:   "D14 no Destination though signed",
			doc:    doc{SignResponse: true, Before: unset(top, "Destination")},
			reason: saml.ReasonDestination,
		},
		{name: "D14 no Destination, Response unsigned", doc: doc{Before: unset(top, "Destination")}},
		{name: "D14 empty Destination", doc: doc{Before: set(top, "Destination", "")}, reason: saml.ReasonDestination},
		{name: "D15 Destination differs in a slash", doc: doc{Destination: usACS + "/"}, reason: saml.ReasonDestination},
		{
			name:   "D15 Destination differs in case",
			doc:    doc{Destination: strings.Replace(usACS, "us-east", "US-EAST", 1)},
			reason: saml.ReasonDestination,
		},
		{
			name:   "D16 Recipient",
			doc:    doc{Recipient: "https://evil.example/", Destination: usACS},
			reason: saml.ReasonRecipient,
		},
		{name: "D17 for another Region", doc: doc{Recipient: euACS}, reason: saml.ReasonRecipient},
		{name: "D20 no Recipient", doc: doc{Before: unset(scd, "Recipient")}, reason: saml.ReasonSubjectConfirmation},
		{name: "D20 no data", doc: doc{Before: remove(scd)}, reason: saml.ReasonSubjectConfirmation},
		{
			name:   "D20 no confirmation",
			doc:    doc{Before: remove(".//SubjectConfirmation")},
			reason: saml.ReasonSubjectConfirmation,
		},
		{
			name:   "D20 not bearer",
			doc:    doc{Before: set(".//SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches")},
			reason: saml.ReasonSubjectConfirmation,
		},
		{
			name: "D21 a second for a URL that isn't ours",
			doc:  doc{Before: add(".//Subject", bearer("https://other.example/"))},
		},
		{
			name:   "D21 a second for a URL of ours",
			doc:    doc{Before: add(".//Subject", bearer(euACS))},
			reason: saml.ReasonRecipient,
		},
		{
			name:   "D21 two for this URL",
			doc:    doc{Before: add(".//Subject", bearer(usACS))},
			reason: saml.ReasonSubjectConfirmation,
		},
		{
			name: "D21 another place's confirmation answers a request",
			doc: doc{
				Before: add(
					".//Subject",
					`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData Recipient="https://other.example/" InResponseTo="_x"/></saml:SubjectConfirmation>`,
				),
			},
			reason: saml.ReasonInResponseTo,
		},
		{
			name:   "the Response's InResponseTo is empty",
			doc:    doc{Before: set(top, "InResponseTo", "")},
			reason: saml.ReasonInResponseTo,
		},
		{name: "D43 blank NameID", doc: doc{Before: text(".//NameID", " \n ")}, reason: saml.ReasonNameID},
		{
			name:   "BaseID",
			doc:    doc{Before: add(".//Subject", "<saml:BaseID/>")},
			config: func(c *saml.Config) { c.AllowMissingNameID = true },
			reason: saml.ReasonNameID,
		},
		{name: "D43 no NameID", doc: doc{Before: remove(".//NameID")}, reason: saml.ReasonNameID},
		{
			name:   "no NameID where allowed",
			doc:    doc{Before: remove(".//NameID")},
			config: func(c *saml.Config) { c.AllowMissingNameID = true },
		},
		{name: "D43 empty NameID", doc: doc{Before: text(".//NameID", "")}, reason: saml.ReasonNameID},
		{
			name:   "D43 SPNameQualifier",
			doc:    doc{Before: set(".//NameID", "SPNameQualifier", "https://other.example")},
			reason: saml.ReasonNameID,
		},
		{name: "D43 NameQualifier of a persistent NameID", doc: doc{Before: func(r *etree.Element) {
			set(".//NameID", "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")(r)
			set(".//NameID", "NameQualifier", "https://other.example")(r)
		}}, reason: saml.ReasonNameID},
		{
			name:   "NameID and EncryptedID",
			doc:    doc{Before: add(".//Subject", "<saml:EncryptedID/>")},
			reason: saml.ReasonNameID,
		},
		{
			name:   "EncryptedID and no key",
			doc:    doc{Before: func(r *etree.Element) { remove(".//NameID")(r); add(".//Subject", "<saml:EncryptedID/>")(r) }},
			reason: saml.ReasonEncrypted,
		},
	}
}

func timeRows() []row {
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	skew, second := 3*time.Minute, time.Second
	return []row{
		{
			name:   "D22 NotBefore in the future",
			doc:    doc{Before: set(scd, "NotBefore", at(skew+second))},
			reason: saml.ReasonNotYetValid,
		},
		{name: "D22 NotBefore within skew", doc: doc{Before: set(scd, "NotBefore", at(skew))}},
		{name: "D23 over", doc: doc{Before: set(scd, "NotOnOrAfter", at(-skew))}, reason: saml.ReasonExpired},
		{name: "D23 over within skew", doc: doc{Before: set(scd, "NotOnOrAfter", at(-skew+second))}},
		{name: "D23 no NotOnOrAfter", doc: doc{Before: unset(scd, "NotOnOrAfter")}, reason: saml.ReasonTime},
		{name: "D24 Conditions over", doc: doc{Before: func(r *etree.Element) {
			set(".//Conditions", "NotBefore", at(-time.Hour))(r)
			set(".//Conditions", "NotOnOrAfter", at(-skew))(r)
		}}, reason: saml.ReasonExpired},
		{
			name:   "D24 Conditions in the future",
			doc:    doc{Before: set(".//Conditions", "NotBefore", at(skew+second))},
			reason: saml.ReasonNotYetValid,
		},
		{
			name:   "D24 reversed",
			doc:    doc{Before: set(".//Conditions", "NotBefore", at(5*time.Minute))},
			reason: saml.ReasonTime,
		},
		{name: "D24 malformed", doc: doc{Before: set(".//Conditions", "NotBefore", "yesterday")}, reason: saml.ReasonTime},
		{name: "D24 no Conditions", doc: doc{Before: remove(".//Conditions")}, reason: saml.ReasonAudience},
		{name: "D25 too old", doc: doc{Before: set(asrt, "IssueInstant", at(-time.Hour-skew))}, reason: saml.ReasonExpired},
		{name: "D25 old within skew", doc: doc{Before: set(asrt, "IssueInstant", at(-time.Hour-skew+second))}},
		{name: "D25 future", doc: doc{Before: set(asrt, "IssueInstant", at(skew+second))}, reason: saml.ReasonNotYetValid},
		{name: "D25 missing", doc: doc{Before: unset(asrt, "IssueInstant")}, reason: saml.ReasonTime},
		{name: "D25 malformed", doc: doc{Before: set(asrt, "IssueInstant", "2026-13-01T00:00:00Z")}, reason: saml.ReasonTime},
		{
			name:   "D25 response from the future",
			doc:    doc{Before: set(top, "IssueInstant", at(skew+second))},
			reason: saml.ReasonNotYetValid,
		},
		{
			name:   "D25 response too old",
			doc:    doc{Before: set(top, "IssueInstant", at(-time.Hour-skew))},
			reason: saml.ReasonExpired,
		},
		{
			name:   "D27 session over",
			doc:    doc{Before: set(".//AuthnStatement", "SessionNotOnOrAfter", at(-skew))},
			reason: saml.ReasonSession,
		},
		{
			name:   "D28 authenticated in the future",
			doc:    doc{Before: set(".//AuthnStatement", "AuthnInstant", at(skew+second))},
			reason: saml.ReasonNotYetValid,
		},
		{name: "D28 authenticated long ago", doc: doc{Before: set(".//AuthnStatement", "AuthnInstant", at(-200*time.Hour))}},
		{
			name:   "D28 authenticated longer ago than allowed",
			doc:    doc{Before: set(".//AuthnStatement", "AuthnInstant", at(-time.Hour-skew))},
			config: func(c *saml.Config) { c.MaxAuthnAge = time.Hour },
			reason: saml.ReasonAuthn,
		},
		{name: "no AuthnStatement", doc: doc{Before: remove(".//AuthnStatement")}, reason: saml.ReasonAuthn},
		{name: "an offset instead of Z", doc: doc{Before: set(asrt, "IssueInstant", "2026-11-22T14:00:00+02:00")}},
		{name: "metadata over", config: func(c *saml.Config) { c.IdP = expiredIdP() }, reason: saml.ReasonMetadataExpired},
		{
			name:   "metadata over, allowed",
			config: func(c *saml.Config) { c.IdP = expiredIdP(); c.InsecureAllowExpiredMetadata = true },
		},
	}
}

func expiredIdP() *saml.IdP {
	idp, err := saml.NewIdP(
		saml.IdPConfig{EntityID: idpEntity, Keys: []crypto.PublicKey{keys().idp.Public()}, ValidUntil: now.Add(-time.Hour)},
	)
	if err != nil {
		panic(err)
	}
	return idp
}

func conditionRows() []row {
	restriction := func(audiences ...string) string {
		return `<saml:AudienceRestriction><saml:Audience>` + strings.Join(
			audiences,
			`</saml:Audience><saml:Audience>`,
		) + `</saml:Audience></saml:AudienceRestriction>`
	}
	return []row{
		{name: "D29 Audience", doc: doc{Audience: restriction("https://other.example")}, reason: saml.ReasonAudience},
		{name: "D29 one of two in one restriction", doc: doc{Audience: restriction(spEntity, "https://other.example")}},
		{name: "D29 last of two in one restriction", doc: doc{Audience: restriction("https://other.example", spEntity)}},
		{name: "D30 no restriction", doc: doc{Audience: "<saml:OneTimeUse/>"}, reason: saml.ReasonAudience},
		{name: "D30 empty restriction", doc: doc{Audience: "<saml:AudienceRestriction/>"}, reason: saml.ReasonAudience},
		{
			name:   "D31 two restrictions, one not ours",
			doc:    doc{Audience: restriction(spEntity) + restriction("https://other.example")},
			reason: saml.ReasonAudience,
		},
		{name: "D31 two restrictions, both ours", doc: doc{Audience: restriction(spEntity) + restriction("x", spEntity)}},
		{name: "D32 prefix", doc: doc{Audience: restriction(spEntity + "x")}, reason: saml.ReasonAudience},
		{name: "C27 white space around the URI", doc: doc{Audience: restriction(" " + spEntity)}},
		{name: "C25 another type of condition", doc: doc{Before: func(r *etree.Element) {
			r.FindElement(".//AudienceRestriction").CreateAttr("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
			r.FindElement(".//AudienceRestriction").CreateAttr("xsi:type", "x")
		}}, reason: saml.ReasonCondition},
		{
			name:   "C25 something else in a restriction",
			doc:    doc{Before: add(".//AudienceRestriction", "<saml:Other/>")},
			reason: saml.ReasonCondition,
		},
		{
			name:   "D33 unknown condition",
			doc:    doc{Audience: restriction(spEntity) + `<saml:Condition/>`},
			reason: saml.ReasonCondition,
		},
		{
			name: "D34 OneTimeUse and ProxyRestriction",
			doc:  doc{Audience: restriction(spEntity) + `<saml:OneTimeUse/><saml:ProxyRestriction Count="1"/>`},
		},
		{name: "D35 Issuer of the assertion", doc: doc{Issuer: "https://other.example"}, reason: saml.ReasonIssuer},
		{name: "D35 Issuer of the Response", doc: doc{RespIssuer: "https://other.example"}, reason: saml.ReasonIssuer},
		{
			name:   "D35 no Issuer in a signed Response",
			doc:    doc{SignResponse: true, Before: remove("./Issuer")},
			reason: saml.ReasonIssuer,
		},
		{name: "D35 no Issuer in an unsigned Response", doc: doc{Before: remove("./Issuer")}},
		{
			name:   "D35 Issuer's format",
			doc:    doc{Before: set("./Assertion/Issuer", "Format", "urn:x")},
			reason: saml.ReasonIssuer,
		},
		{name: "C27 Issuer in another case", doc: doc{Issuer: strings.ToUpper(idpEntity)}, reason: saml.ReasonIssuer},
	}
}
