package scim

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// A Reason says why the package refused. The list is closed. Compare Reasons, not
// messages.
type Reason string

// The Reasons. Those that RFC 7644 3.12 has a scimType for have its value.
const (
	// ReasonConfig: New refused the Config.
	ReasonConfig Reason = "Config"
	// ReasonUnauthorized: the request has no bearer token, or a wrong one. 401.
	ReasonUnauthorized Reason = "Unauthorized"
	// ReasonNotPrimary: this Region is an additional one. Error.Primary names the
	// Region to ask instead. 403.
	ReasonNotPrimary Reason = "NotPrimary"
	// ReasonForbidden: the specification forbids the request, such as a filter on
	// schemas (RFC 7644 4). 403.
	ReasonForbidden Reason = "Forbidden"
	// ReasonNotFound: no such endpoint, user, group or schema. 404.
	ReasonNotFound Reason = "NotFound"
	// ReasonMethod: the endpoint doesn't support the method. 405.
	ReasonMethod Reason = "Method"
	// ReasonPrecondition: If-Match names a version, and there are none. 412.
	ReasonPrecondition Reason = "Precondition"
	// ReasonTooLarge: the body or the query exceeds its limit. 413.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonMediaType: the body is neither application/scim+json nor
	// application/json. 415.
	ReasonMediaType Reason = "MediaType"
	// ReasonNotImplemented: an optional endpoint that is not supported. 501.
	ReasonNotImplemented Reason = "NotImplemented"
	// ReasonUnavailable: the instance could not make the change now, such as when its
	// journal does not answer. The client should try again. 503.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonInternal: an internal error. 500.
	ReasonInternal Reason = "Internal"

	// ReasonInvalidSyntax: the body is not the expected JSON. 400.
	ReasonInvalidSyntax Reason = "invalidSyntax"
	// ReasonInvalidFilter: the filter can't be parsed, or has an attribute or an
	// operator that is not supported. 400.
	ReasonInvalidFilter Reason = "invalidFilter"
	// ReasonTooMany: the filter has too many terms. 400.
	ReasonTooMany Reason = "tooMany"
	// ReasonInvalidPath: the path of a PATCH operation can't be parsed, or names an
	// attribute that no schema has. 400.
	ReasonInvalidPath Reason = "invalidPath"
	// ReasonNoTarget: the path of a PATCH operation selects nothing. 400.
	ReasonNoTarget Reason = "noTarget"
	// ReasonInvalidValue: a value is missing or has the wrong form. 400.
	ReasonInvalidValue Reason = "invalidValue"
	// ReasonMutability: the attribute is read-only, or is required and can't be
	// removed. 400.
	ReasonMutability Reason = "mutability"
	// ReasonUniqueness: another user or group has the value already. 409.
	ReasonUniqueness Reason = "uniqueness"
)

// An Error is the type of all errors of this package.
type Error struct {
	Reason Reason
	// Rule names the value or the rule. Want and Got are both sides of a comparison.
	Rule, Want, Got string
	// Detail says more where there is no comparison.
	Detail string
	// Primary is the name of the primary Region where Reason is ReasonNotPrimary.
	Primary string
	// Err is the cause, if there is one. It is never sent to the client.
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

// answer returns the error as the client gets it (RFC 7644 3.12).
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
	center.ReasonRequired:   ReasonInvalidValue,
	center.ReasonInvalid:    ReasonInvalidValue,
	center.ReasonDangling:   ReasonInvalidValue,
	center.ReasonTwoUpdates: ReasonInvalidValue,
	center.ReasonDuplicate:  ReasonUniqueness,
	center.ReasonNotFound:   ReasonNotFound,
}
