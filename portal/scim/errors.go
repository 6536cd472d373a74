package scim

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// Reason says why the package refused. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons, with the HTTP status of the response. If RFC 7644 3.12 defines a scimType, the Reason has its value.
const (
	ReasonConfig         Reason = "Config"         // New refused the Config
	ReasonUnauthorized   Reason = "Unauthorized"   // 401: no bearer token, or a wrong one
	ReasonNotPrimary     Reason = "NotPrimary"     // 403: an additional Region; Error.Primary names the primary
	ReasonForbidden      Reason = "Forbidden"      // 403: the specification forbids it (RFC 7644 4)
	ReasonProvider       Reason = "Provider"       // 403: it isn't clear whose the token is, or it is of an unlisted one
	ReasonNotFound       Reason = "NotFound"       // 404: no such endpoint, user, group or schema
	ReasonMethod         Reason = "Method"         // 405: the endpoint doesn't support the method
	ReasonUniqueness     Reason = "uniqueness"     // 409: another user or group has the value
	ReasonPrecondition   Reason = "Precondition"   // 412: If-Match names a version, and there are none
	ReasonTooLarge       Reason = "TooLarge"       // 413: the body or the query exceeds its limit
	ReasonMediaType      Reason = "MediaType"      // 415: neither application/scim+json nor application/json
	ReasonInternal       Reason = "Internal"       // 500
	ReasonNotImplemented Reason = "NotImplemented" // 501: an optional endpoint that is not supported
	ReasonUnavailable    Reason = "Unavailable"    // 503: no change can be made now; the client should try again

	ReasonInvalidSyntax Reason = "invalidSyntax" // 400: the body is not the expected JSON
	ReasonInvalidFilter Reason = "invalidFilter" // 400: the filter can't be parsed or is not supported
	ReasonTooMany       Reason = "tooMany"       // 400: the filter has too many terms
	ReasonInvalidPath   Reason = "invalidPath"   // 400: the path can't be parsed, or no schema has the attribute
	ReasonNoTarget      Reason = "noTarget"      // 400: the path selects nothing
	ReasonInvalidValue  Reason = "invalidValue"  // 400: a value is missing or has the wrong form
	ReasonMutability    Reason = "mutability"    // 400: the attribute is read-only, or required and to be removed
)

// Error is the type of every error that this package returns.
type Error struct {
	Reason Reason
	// Rule names what was checked. Want and Got are the expected and the actual value, if there are two.
	Rule, Want, Got string
	// Detail describes the problem if there is no Want.
	Detail string
	// Primary is the name of the primary Region if Reason is ReasonNotPrimary.
	Primary string
	// Err is the cause, or nil. It is never sent to the client.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("scim", string(e.Reason), e.Rule, e.Detail, e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// status returns the HTTP status of the response.
func (e *Error) status() int { return cmp.Or(statuses[e.Reason], http.StatusBadRequest) }

// statuses holds the statuses other than 400.
var statuses = map[Reason]int{
	ReasonUnauthorized:   http.StatusUnauthorized,
	ReasonNotPrimary:     http.StatusForbidden,
	ReasonForbidden:      http.StatusForbidden,
	ReasonProvider:       http.StatusForbidden,
	ReasonNotFound:       http.StatusNotFound,
	ReasonMethod:         http.StatusMethodNotAllowed,
	ReasonPrecondition:   http.StatusPreconditionFailed,
	ReasonTooLarge:       http.StatusRequestEntityTooLarge,
	ReasonMediaType:      http.StatusUnsupportedMediaType,
	ReasonNotImplemented: http.StatusNotImplemented,
	ReasonUnavailable:    http.StatusServiceUnavailable,
	ReasonInternal:       http.StatusInternalServerError,
	ReasonUniqueness:     http.StatusConflict,
}

// answer returns the response for the error (RFC 7644 3.12).
func (e *Error) answer() *answer {
	status := e.status()
	body := resource{
		"schemas": []string{schemaError},
		"status":  strconv.Itoa(status),
		"detail":  refusal.Message("", "", e.Rule, e.Detail, e.Want, e.Got, nil),
	}
	if status == http.StatusBadRequest || status == http.StatusConflict {
		body["scimType"] = string(e.Reason)
	}
	return &answer{status: status, body: body}
}

func refuse(reason Reason, what, want, got string) *Error {
	return &Error{Reason: reason, Rule: what, Want: want, Got: got}
}

// fromCenter converts an error of the instance.
func fromCenter(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	var c *center.Error
	if !errors.As(err, &c) {
		return &Error{Reason: ReasonUnavailable, Detail: "the change could not be made now", Err: err}
	}
	reason, ok := centerReasons[c.Reason]
	if !ok {
		return &Error{Reason: ReasonInternal, Detail: "the change could not be made", Err: err}
	}
	return &Error{Reason: reason, Rule: c.Rule, Want: c.Want, Got: c.Got, Primary: c.Primary, Err: err}
}

var centerReasons = map[center.Reason]Reason{
	center.ReasonNotPrimary: ReasonNotPrimary,
	center.ReasonNotInUse:   ReasonUnavailable,
	center.ReasonRequired:   ReasonInvalidValue,
	center.ReasonInvalid:    ReasonInvalidValue,
	center.ReasonDangling:   ReasonInvalidValue,
	center.ReasonTwoUpdates: ReasonInvalidValue,
	center.ReasonDuplicate:  ReasonUniqueness,
	center.ReasonNotFound:   ReasonNotFound,
}
