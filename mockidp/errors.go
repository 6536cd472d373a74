package mockidp

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Reason says why the identity provider refused something. The list is closed:
// a test compares a Reason, never the text of a message.
type Reason string

// The Reasons.
const (
	ReasonConfig          Reason = "Config"          // a Config, App or User that contradicts itself
	ReasonNoSuchApp       Reason = "NoSuchApp"       // no app has this ID, or this path
	ReasonNoSuchUser      Reason = "NoSuchUser"      // no user has this login
	ReasonNoSuchGroup     Reason = "NoSuchGroup"     // no group has this name
	ReasonNoSuchKey       Reason = "NoSuchKey"       // no signing key has this ID
	ReasonNoSuchMessage   Reason = "NoSuchMessage"   // no message has this ID, or it was forgotten
	ReasonInactive        Reason = "Inactive"        // the user is locked out, suspended or deprovisioned
	ReasonNotAssigned     Reason = "NotAssigned"     // the user isn't assigned to the app
	ReasonNotSAML         Reason = "NotSAML"         // the app is a bookmark: it has no metadata and gets no assertion
	ReasonNoACS           Reason = "NoACS"           // the app has no assertion consumer service yet
	ReasonTooLarge        Reason = "TooLarge"        // more than 64 KiB, before or after inflating
	ReasonMalformed       Reason = "Malformed"       // not base64, DEFLATE, XML or an AuthnRequest of SAML 2.0
	ReasonBinding         Reason = "Binding"         // a ProtocolBinding or SAMLEncoding this side doesn't speak
	ReasonIssuer          Reason = "Issuer"          // the request's Issuer isn't the app's Audience
	ReasonDestination     Reason = "Destination"     // the request names another Destination
	ReasonURLAndIndex     Reason = "URLAndIndex"     // both AssertionConsumerServiceURL and …Index
	ReasonUnlistedURL     Reason = "UnlistedURL"     // an AssertionConsumerServiceURL that isn't on the app's list
	ReasonUnlistedIndex   Reason = "UnlistedIndex"   // an AssertionConsumerServiceIndex that isn't on the app's list
	ReasonSignature       Reason = "Signature"       // a signature that is missing, broken or of an unknown key
	ReasonNameIDPolicy    Reason = "NameIDPolicy"    // the request wants a NameID of another format
	ReasonNameID          Reason = "NameID"          // the user has no value for the app's NameIDTemplate
	ReasonIssueInstant    Reason = "IssueInstant"    // a request from too long ago, or from the future (Config.Strict)
	ReasonRelayState      Reason = "RelayState"      // too long, or not text
	ReasonMetadata        Reason = "Metadata"        // service provider metadata that can't be taken in
	ReasonRequestNotFound Reason = "RequestNotFound" // a pending sign-in that was never there, or is too old
	ReasonProvisioning    Reason = "Provisioning"    // of mockidp/scimpush: the service provider refused a push, or couldn't be reached
	ReasonInternal        Reason = "Internal"        // this side's fault: the key or the random source failed
)

// Error is the one error type of this package.
//
// Want and Got are what was expected and what came, where the refusal compares
// two values. They are kept whole here and are quoted and cut in the message.
type Error struct {
	Reason    Reason
	Detail    string // one sentence
	Want, Got string
	Err       error // what lies underneath, or nil
}

// Error begins with the package's name and never runs over a few hundred bytes.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("mockidp: ")
	b.WriteString(e.Detail)
	if e.Want != "" || e.Got != "" {
		fmt.Fprintf(&b, ": want %s, got %s", quote(e.Want), quote(e.Got))
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(cut(strings.TrimPrefix(e.Err.Error(), "mockidp: ")))
	}
	return b.String()
}

// Unwrap returns what lies underneath.
func (e *Error) Unwrap() error { return e.Err }

// status is the HTTP status of the page that reports the error.
func (e *Error) status() int {
	switch e.Reason {
	case ReasonNoSuchApp, ReasonRequestNotFound:
		return http.StatusNotFound
	case ReasonNotAssigned, ReasonInactive:
		return http.StatusForbidden
	case ReasonTooLarge:
		return http.StatusRequestEntityTooLarge
	case ReasonInternal, ReasonConfig, ReasonNameID:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

func quote(s string) string { return strconv.Quote(cut(s)) }

// cut keeps a stranger's value from filling a log line or a page.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func malformed(err error, format string, args ...any) *Error {
	return &Error{Reason: ReasonMalformed, Detail: fmt.Sprintf(format, args...), Err: err}
}

func badConfig(format string, args ...any) *Error {
	return &Error{Reason: ReasonConfig, Detail: fmt.Sprintf(format, args...)}
}
