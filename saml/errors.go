package saml

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Reason is the reason for a refusal. The set is closed: every value is one of the
// constants below. Programs and tests compare Reasons; the text of an [Error] is for
// people and may change.
type Reason string

const (
	// ReasonConfig: the caller's configuration or options are invalid. The message
	// was not checked.
	ReasonConfig Reason = "Config"
	// ReasonMetadata: the identity provider's metadata is invalid, or has no usable
	// endpoint or key.
	ReasonMetadata Reason = "Metadata"
	// ReasonMetadataExpired: the identity provider's metadata is past its validUntil.
	ReasonMetadataExpired Reason = "MetadataExpired"

	ReasonMetadataUnsigned  Reason = "MetadataUnsigned"  // a key is pinned, and the root of the metadata is not signed
	ReasonMetadataSignature Reason = "MetadataSignature" // the metadata's signature does not verify with a pinned key
	ReasonMetadataEntity    Reason = "MetadataEntity"    // no such identity provider is known
	ReasonMetadataDuplicate Reason = "MetadataDuplicate" // several descriptors in the metadata have this entity ID

	ReasonBase64      Reason = "Base64"      // the SAMLResponse form value is not base64
	ReasonXML         Reason = "XML"         // not well-formed XML in UTF-8 without a DTD
	ReasonText        Reason = "Text"        // a comment inside a text value: programs disagree about such values
	ReasonLimit       Reason = "Limit"       // the message exceeds one of the [Limits]
	ReasonNotResponse Reason = "NotResponse" // not a samlp:Response, or an element is not where the schema allows it
	ReasonNotLogout   Reason = "NotLogout"   // not the logout message that belongs at this place
	ReasonSOAP        Reason = "SOAP"        // the answer by SOAP is a Fault, and no message
	ReasonForm        Reason = "Form"        // parameters of a message are missing, repeated or not encoded correctly
	ReasonVersion     Reason = "Version"     // a Version other than 2.0
	ReasonID          Reason = "ID"          // an ID is missing, too long or not unique, or has invalid characters
	ReasonStatus      Reason = "Status"      // the identity provider says that sign-in did not succeed

	ReasonUnsigned       Reason = "Unsigned"       // no signature, or not the one that Config requires
	ReasonSignatureShape Reason = "SignatureShape" // a Signature doesn't have the form that SAML requires (Core 5.4)
	ReasonAlgorithm      Reason = "Algorithm"      // an algorithm is unknown, unsupported or too weak
	ReasonKey            Reason = "Key"            // a configured key is too weak for use
	ReasonSignature      Reason = "Signature"      // a Signature does not verify with any configured key
	ReasonEncrypted      Reason = "Encrypted"      // an encrypted part of the message can't be read

	ReasonSchema              Reason = "Schema"              // a required part of the signed content is missing or empty
	ReasonAssertionCount      Reason = "AssertionCount"      // not exactly one assertion
	ReasonIssuer              Reason = "Issuer"              // an Issuer is not the identity provider's entity ID
	ReasonRecipient           Reason = "Recipient"           // the assertion was made for another URL
	ReasonDestination         Reason = "Destination"         // the Response was sent to another URL
	ReasonSubjectConfirmation Reason = "SubjectConfirmation" // no usable bearer confirmation
	ReasonNameID              Reason = "NameID"              // the NameID is missing, or not of the requested format
	ReasonSubject             Reason = "Subject"             // the assertion is not about the user that the request named
	ReasonInResponseTo        Reason = "InResponseTo"        // the response answers no request of this browser at this URL
	ReasonUnsolicited         Reason = "Unsolicited"         // the response answers no request, which is not allowed
	ReasonExpired             Reason = "Expired"             // the validity of the message has ended
	ReasonNotYetValid         Reason = "NotYetValid"         // an instant is in the future
	ReasonTime                Reason = "Time"                // an instant is missing or invalid, or a window is empty
	ReasonAudience            Reason = "Audience"            // the assertion's audience is not this service provider
	ReasonCondition           Reason = "Condition"           // a Condition is unknown or malformed
	ReasonSession             Reason = "Session"             // the identity provider's session has ended
	ReasonScope               Reason = "Scope"               // a value has a scope that is not the identity provider's
	ReasonAuthn               Reason = "Authn"               // the authentication is missing, or not the requested one
	ReasonIdP                 Reason = "IdP"                 // the request was not made to this identity provider

	ReasonArtifactFormat Reason = "ArtifactFormat" // not an artifact of type 4
	ReasonArtifactSource Reason = "ArtifactSource" // the artifact names no known address of one identity provider

	// Decoder, SubjectID and PairwiseID refuse attributes of a verified assertion.

	ReasonAttributeMissing Reason = "AttributeMissing" // a required attribute has no value
	ReasonAttributeCount   Reason = "AttributeCount"   // several values where the program needs one
	ReasonAttributeType    Reason = "AttributeType"    // a value is not of the type that the program needs

	// ReasonWrongRegion: the response answers a request for another ACS URL of this
	// service provider. Usually that URL is not listed in the identity provider's
	// app, and the response was sent to the default instead.
	ReasonWrongRegion Reason = "WrongRegion"
)

// Error is the error type of this package.
type Error struct {
	Reason Reason
	// Rule names the broken rule and its section, for example "Recipient (Profiles
	// 4.1.4.2)".
	Rule string
	// Want and Got are both sides of the comparison, if there was one. Got may be an
	// attacker's input: quote it before you show it.
	Want, Got string
	// Detail adds what Want and Got can't express.
	Detail string
	// Status holds the codes of a response with ReasonStatus, the outermost first.
	// They are not verified.
	Status []string
	// Issued is the IssueInstant of an assertion whose signature verified and that
	// another rule refused. It shows the time by the identity provider's clock.
	// Zero: no signature verified.
	Issued time.Time
	// NameID and AssertionID are those of the same assertion, for the operator's
	// log, and IdP is the entity ID of the identity provider whose keys verified it. The
	// user is not signed in.
	NameID, AssertionID, IdP string
	// Attributes are the ones that a Decoder, SubjectID or PairwiseID refused. With
	// ReasonAttributeMissing they are all that are missing.
	Attributes []AttributeName
	// Err is the cause, or nil.
	Err error

	refused *refusedLogout // what to answer, where the signature of a LogoutRequest verified
}

// Error returns the text. Values from messages and metadata are quoted and cut
// short. The message itself is never part of it.
func (e *Error) Error() string {
	text := "saml: " + string(e.Reason)
	for _, part := range []string{e.Rule, e.Explain()} {
		if part != "" {
			text += ": " + part
		}
	}
	return text
}

// Explain returns the part of the text after the rule: the detail, both sides of
// the comparison, and the cause.
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

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// maxQuoted bounds how much of an untrusted value an error repeats, in bytes.
const maxQuoted = 200

// quote returns an untrusted value quoted and cut short, so that it is safe to show.
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

func configError(field, format string, args ...any) *Error {
	return &Error{Reason: ReasonConfig, Rule: field, Detail: fmt.Sprintf(format, args...)}
}

func metadataError(field, format string, args ...any) *Error {
	return &Error{Reason: ReasonMetadata, Rule: field, Detail: fmt.Sprintf(format, args...)}
}
