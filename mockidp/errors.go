package mockidp

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Reason is the kind of a refusal. The list is closed: tests compare a Reason, never the text of a message.
type Reason string

// The Reasons.
const (
	ReasonConfig          Reason = "Config"          // a Config, App or User that contradicts itself
	ReasonNoSuchApp       Reason = "NoSuchApp"       // no app has this ID, or this path
	ReasonNoSuchUser      Reason = "NoSuchUser"      // no user has this login
	ReasonNoSuchGroup     Reason = "NoSuchGroup"     // no group has this name
	ReasonNoSuchKey       Reason = "NoSuchKey"       // no signing key has this ID
	ReasonNoSuchTenant    Reason = "NoSuchTenant"    // no tenant can have this name
	ReasonTooManyTenants  Reason = "TooManyTenants"  // Config.MaxTenants are in use
	ReasonNoSuchMessage   Reason = "NoSuchMessage"   // no message has this ID, or it was discarded
	ReasonInactive        Reason = "Inactive"        // the user is locked out, suspended, deprovisioned or staged
	ReasonNotAssigned     Reason = "NotAssigned"     // the user isn't assigned to the app
	ReasonNotSAML         Reason = "NotSAML"         // the app is a bookmark: it has no metadata and gets no assertion
	ReasonNoACS           Reason = "NoACS"           // the app has no assertion consumer service yet
	ReasonTooLarge        Reason = "TooLarge"        // more than 64 KiB, before or after inflating
	ReasonMalformed       Reason = "Malformed"       // not base64, DEFLATE, XML or an AuthnRequest of SAML 2.0
	ReasonBinding         Reason = "Binding"         // an unsupported ProtocolBinding or SAMLEncoding
	ReasonIssuer          Reason = "Issuer"          // the request's Issuer isn't the app's Audience
	ReasonDestination     Reason = "Destination"     // the request names another Destination
	ReasonURLAndIndex     Reason = "URLAndIndex"     // both AssertionConsumerServiceURL and …Index
	ReasonUnlistedURL     Reason = "UnlistedURL"     // an AssertionConsumerServiceURL that isn't on the app's list
	ReasonUnlistedIndex   Reason = "UnlistedIndex"   // an AssertionConsumerServiceIndex that isn't on the app's list
	ReasonSignature       Reason = "Signature"       // a signature that is missing, broken or of an unknown key
	ReasonNameIDPolicy    Reason = "NameIDPolicy"    // the request asks for a NameID of another format
	ReasonNameID          Reason = "NameID"          // the user has no value for the app's NameIDTemplate
	ReasonIssueInstant    Reason = "IssueInstant"    // more than five minutes off (logout, Config.Strict)
	ReasonRelayState      Reason = "RelayState"      // too long, or not text
	ReasonMetadata        Reason = "Metadata"        // service provider metadata that can't be used
	ReasonRequestNotFound Reason = "RequestNotFound" // a pending sign-in that is unknown or too old
	ReasonNoLogout        Reason = "NoLogout"        // the app has no LogoutURL
	ReasonSubject         Reason = "Subject"         // of a LogoutRequest for another session, or not supported
	ReasonReplay          Reason = "Replay"          // a LogoutRequest that was received before
	ReasonLogoutNotFound  Reason = "LogoutNotFound"  // a pending sign-out that is unknown or too old
	ReasonNoAnswer        Reason = "NoAnswer"        // a service provider didn't answer a call by SOAP
	ReasonArtifact        Reason = "Artifact"        // unknown, used, expired or another service provider's
	ReasonParameter       Reason = "Parameter"       // a parameter that composes an answer: unknown, or switched off
	ReasonProvisioning    Reason = "Provisioning"    // of mockidp/scimpush: a push failed
	ReasonInternal        Reason = "Internal"        // a fault of the Server: the key or the random source failed
)

// Error is the one error type of this package.
//
// Want and Got are the expected and the actual value, where the refusal compares two. They are kept whole here; the
// message quotes them and cuts them short.
type Error struct {
	Reason    Reason
	Detail    string // one sentence
	Want, Got string
	Err       error // the cause, or nil

	app   string        // the ID of the app that a page about the error leads back to; "" if there is none
	offer *registration // the form of a page about the error, or nil
}

// Error returns a message of at most a few hundred bytes that begins with the package's name.
func (e *Error) Error() string {
	s := "mockidp: " + e.Detail
	if e.Want != "" || e.Got != "" {
		s += fmt.Sprintf(": want %s, got %s", quote(e.Want), quote(e.Got))
	}
	if e.Err != nil {
		s += ": " + e.cause()
	}
	return s
}

// cause is the message of Err. The package's name isn't repeated.
func (e *Error) cause() string {
	if e.Err == nil {
		return ""
	}
	return cut(strings.TrimPrefix(e.Err.Error(), "mockidp: "))
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// status is the HTTP status of the page that reports the error.
func (e *Error) status() int {
	switch e.Reason {
	case ReasonNoSuchApp, ReasonNoSuchTenant, ReasonRequestNotFound, ReasonLogoutNotFound:
		return http.StatusNotFound
	case ReasonTooManyTenants:
		return http.StatusServiceUnavailable
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

// cut keeps a client's value from filling a log line or a page.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func itoa(n int) string { return strconv.Itoa(n) }

func errorf(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// mismatch is the error for a value that differs from the expected one.
func mismatch(reason Reason, want, got, format string, args ...any) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...), Want: want, Got: got}
}

func malformed(err error, format string, args ...any) *Error {
	return &Error{Reason: ReasonMalformed, Detail: fmt.Sprintf(format, args...), Err: err}
}

func badConfig(format string, args ...any) *Error { return errorf(ReasonConfig, format, args...) }

// internal is the error for a step that fails only by a fault of the Server or its key.
func internal(step string, err error) *Error {
	return &Error{Reason: ReasonInternal, Detail: step, Err: err}
}

func noSuchUser(login string) *Error {
	return errorf(ReasonNoSuchUser, "no user has the login %s", quote(login))
}

func noSuchGroup(name string) *Error {
	return errorf(ReasonNoSuchGroup, "no group has the name %s", quote(name))
}

func noSuchKey(id string) *Error {
	return errorf(ReasonNoSuchKey, "no signing key has the ID %s", quote(id))
}
