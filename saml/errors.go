package saml

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Reason says why something was refused. The set is closed: a value that is
// not one of the constants below never leaves this package. Programs and
// tests compare Reasons; the text of an [Error] is for people and may change.
type Reason string

const (
	// ReasonConfig: the caller's configuration or expectation makes no sense.
	// It says nothing about the message.
	ReasonConfig Reason = "Config"
	// ReasonMetadata: the identity provider's metadata can't be used: it is
	// broken, names no usable endpoint or key, or is past its validUntil.
	ReasonMetadata Reason = "Metadata"

	// ReasonMetadataUnsigned: the root of the metadata is not signed, and a key is
	// pinned for it.
	ReasonMetadataUnsigned Reason = "MetadataUnsigned"
	// ReasonMetadataSignature: the signature of the metadata does not verify with any
	// of the keys pinned for it.
	ReasonMetadataSignature Reason = "MetadataSignature"
	// ReasonMetadataEntity: the metadata has no such identity provider.
	ReasonMetadataEntity Reason = "MetadataEntity"
	// ReasonMetadataDuplicate: several descriptors in the metadata have this entity ID.
	ReasonMetadataDuplicate Reason = "MetadataDuplicate"

	// ReasonBase64: the SAMLResponse form value is not base64.
	ReasonBase64 Reason = "Base64"
	// ReasonXML: not the well-formed, UTF-8, DTD-free XML that SAML needs.
	ReasonXML Reason = "XML"
	// ReasonText: a comment stands inside a text value, so that two readers
	// could see two values.
	ReasonText Reason = "Text"
	// ReasonLimit: larger, deeper or wider than the [Limits].
	ReasonLimit Reason = "Limit"
	// ReasonNotResponse: the document's root is not a samlp:Response, or a
	// part of it is not where the schema has it.
	ReasonNotResponse Reason = "NotResponse"
	// ReasonVersion: a Version other than 2.0.
	ReasonVersion Reason = "Version"
	// ReasonID: an ID is missing, empty, too long, oddly spelled or not unique.
	ReasonID Reason = "ID"
	// ReasonStatus: the identity provider says that sign-in did not succeed.
	ReasonStatus Reason = "Status"

	// ReasonUnsigned: neither the Response nor the assertion is signed, or not
	// the one that Config demands.
	ReasonUnsigned Reason = "Unsigned"
	// ReasonSignatureShape: a Signature is not of the one shape that SAML
	// allows (Core 5.4), whatever its cryptography says.
	ReasonSignatureShape Reason = "SignatureShape"
	// ReasonAlgorithm: an algorithm that is unknown, unsupported or too weak.
	ReasonAlgorithm Reason = "Algorithm"
	// ReasonKey: a configured key is too weak for use.
	ReasonKey Reason = "Key"
	// ReasonSignature: a Signature does not hold under any configured key.
	ReasonSignature Reason = "Signature"
	// ReasonEncrypted: the message holds an encrypted part that can't be read.
	ReasonEncrypted Reason = "Encrypted"

	// ReasonSchema: what was signed is not as the schema has it: something that
	// SAML requires is missing or empty.
	ReasonSchema Reason = "Schema"
	// ReasonAssertionCount: not exactly one assertion.
	ReasonAssertionCount Reason = "AssertionCount"
	// ReasonIssuer: an Issuer is not the identity provider.
	ReasonIssuer Reason = "Issuer"
	// ReasonRecipient: the assertion was made for another URL.
	ReasonRecipient Reason = "Recipient"
	// ReasonDestination: the Response was sent to another URL.
	ReasonDestination Reason = "Destination"
	// ReasonSubjectConfirmation: no bearer confirmation that could hold.
	ReasonSubjectConfirmation Reason = "SubjectConfirmation"
	// ReasonNameID: the subject is missing, empty or not of the kind asked for.
	ReasonNameID Reason = "NameID"
	// ReasonInResponseTo: it answers no request that this browser made here.
	ReasonInResponseTo Reason = "InResponseTo"
	// ReasonWrongRegion: it answers a request that another ACS URL of this
	// service provider made. Usually that URL is not listed in the identity
	// provider's app, and the response was sent to the default instead.
	ReasonWrongRegion Reason = "WrongRegion"
	// ReasonUnsolicited: it answers no request, and that was not expected.
	ReasonUnsolicited Reason = "Unsolicited"
	// ReasonExpired: an instant until which it held has passed.
	ReasonExpired Reason = "Expired"
	// ReasonNotYetValid: an instant lies in the future.
	ReasonNotYetValid Reason = "NotYetValid"
	// ReasonTime: an instant that is required is missing or can't be read, or
	// a window ends before it begins.
	ReasonTime Reason = "Time"
	// ReasonAudience: the assertion is not meant for this service provider.
	ReasonAudience Reason = "Audience"
	// ReasonCondition: a Condition that is not understood, or is malformed.
	ReasonCondition Reason = "Condition"
	// ReasonSession: the session that the assertion speaks of has ended.
	ReasonSession Reason = "Session"
	// ReasonAuthn: the authentication is not the one that was asked for.
	ReasonAuthn Reason = "Authn"
	// ReasonIdP: the answer comes from another identity provider than the one
	// that was asked.
	ReasonIdP Reason = "IdP"
)

// Error is the one error type of this package.
type Error struct {
	Reason Reason
	// Rule names the rule that was broken and where it is written, for example
	// "Recipient (Profiles 4.1.4.2)".
	Rule string
	// Want and Got are both sides of the comparison, where there was one. Got
	// may hold what an attacker sent: quote it before showing it anywhere.
	Want, Got string
	// Detail says more, where Want and Got can't.
	Detail string
	// Status holds the codes of a response that ReasonStatus is about, the
	// outermost first. They are not proved.
	Status []string
	// Issued is the IssueInstant of an assertion whose signature verified and that
	// was refused for something else. It says what time the identity provider's
	// clock had. Zero: no signature was verified.
	Issued time.Time
	// NameID and AssertionID are those of the same assertion, for the operator's
	// log. They let nobody in.
	NameID, AssertionID string
	// Err is the cause, where there is one.
	Err error
}

// Error gives the message. What came from outside is quoted and cut short;
// the message itself is never part of it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("saml: ")
	b.WriteString(string(e.Reason))
	if e.Rule != "" {
		b.WriteString(": ")
		b.WriteString(e.Rule)
	}
	if text := e.Explain(); text != "" {
		b.WriteString(": ")
		b.WriteString(text)
	}
	return b.String()
}

// Explain is the part of the message after the rule: the detail, both sides
// of the comparison, and the cause.
func (e *Error) Explain() string {
	var parts []string
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	switch {
	case e.Want != "":
		parts = append(parts, fmt.Sprintf("want %s, got %s", quote(e.Want), quote(e.Got)))
	case e.Got != "":
		parts = append(parts, "got "+quote(e.Got))
	}
	if e.Err != nil {
		parts = append(parts, strings.Trim(quote(e.Err.Error()), `"`))
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// maxQuoted bounds how much of a value from outside a message repeats, in bytes.
const maxQuoted = 200

// quote makes a value from outside fit to be shown: quoted, and cut short.
func quote(s string) string { return strconv.Quote(clip(s)) }

func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	cut := maxQuoted
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func configError(field, detail string, err error) *Error {
	return &Error{Reason: ReasonConfig, Rule: field, Detail: detail, Err: err}
}
