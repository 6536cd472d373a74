package scim

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// A Reason says why the package refused. The list is closed; compare with it,
// never with a message.
type Reason string

// The reasons. Where RFC 7644 3.12 has a scimType for one, its constant says
// the same word.
const (
	// ReasonConfig: New was given something it can't work with.
	ReasonConfig Reason = "Config"
	// ReasonUnauthorized: the request has no bearer token, or a wrong one. 401.
	ReasonUnauthorized Reason = "Unauthorized"
	// ReasonNotPrimary: this Region is an additional one. Error.Primary names
	// the Region to ask instead. 403.
	ReasonNotPrimary Reason = "NotPrimary"
	// ReasonForbidden: the specification has no answer to this question, such
	// as a filter on schemas (RFC 7644 4). 403.
	ReasonForbidden Reason = "Forbidden"
	// ReasonNotFound: no such endpoint, user, group or schema. 404.
	ReasonNotFound Reason = "NotFound"
	// ReasonMethod: the endpoint does not know this method. 405.
	ReasonMethod Reason = "Method"
	// ReasonPrecondition: If-Match names a version, and there are none. 412.
	ReasonPrecondition Reason = "Precondition"
	// ReasonTooLarge: the body or the query is over its limit. 413.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonMediaType: the body is neither application/scim+json nor
	// application/json. 415.
	ReasonMediaType Reason = "MediaType"
	// ReasonNotImplemented: an endpoint of the specification that is optional
	// and missing here. 501.
	ReasonNotImplemented Reason = "NotImplemented"
	// ReasonUnavailable: the instance could not take the change now, such as
	// when its journal does not answer. It is worth trying again. 503.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonInternal: something here is broken. 500.
	ReasonInternal Reason = "Internal"

	// ReasonInvalidSyntax: the body is not the JSON that was expected. 400.
	ReasonInvalidSyntax Reason = "invalidSyntax"
	// ReasonInvalidFilter: the filter can't be read, or asks for an attribute
	// or an operator that is not supported. 400.
	ReasonInvalidFilter Reason = "invalidFilter"
	// ReasonTooMany: the filter has more terms than are worked on. 400.
	ReasonTooMany Reason = "tooMany"
	// ReasonInvalidPath: the path of a PATCH operation can't be read or names
	// an attribute that no schema here has. 400.
	ReasonInvalidPath Reason = "invalidPath"
	// ReasonNoTarget: the path of a PATCH operation picks out nothing. 400.
	ReasonNoTarget Reason = "noTarget"
	// ReasonInvalidValue: a value is missing or has the wrong form. 400.
	ReasonInvalidValue Reason = "invalidValue"
	// ReasonMutability: the attribute is read-only, or required and to be
	// removed. 400.
	ReasonMutability Reason = "mutability"
	// ReasonUniqueness: another user or group has the value already. 409.
	ReasonUniqueness Reason = "uniqueness"
)

// An Error is the one type of error that this package makes.
type Error struct {
	Reason Reason
	// Rule names what it is about. Want and Got are both sides of the comparison,
	// where there was one.
	Rule, Want, Got string
	// Detail says more, where Want and Got can't.
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

// detail is what the client reads.
func (e *Error) detail() string {
	return refusal.Message("", "", e.Rule, e.Detail, e.Want, e.Got, nil)
}

// status is the HTTP status of the answer.
func (e *Error) status() int { return cmp.Or(statuses[e.Reason], http.StatusInternalServerError) }

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
	ReasonUniqueness:     http.StatusConflict,
	ReasonInvalidSyntax:  http.StatusBadRequest,
	ReasonInvalidFilter:  http.StatusBadRequest,
	ReasonTooMany:        http.StatusBadRequest,
	ReasonInvalidPath:    http.StatusBadRequest,
	ReasonNoTarget:       http.StatusBadRequest,
	ReasonInvalidValue:   http.StatusBadRequest,
	ReasonMutability:     http.StatusBadRequest,
}

// scimType is the word of RFC 7644 3.12 for the reason, or "".
func (e *Error) scimType() string {
	if s := e.status(); s == http.StatusBadRequest || s == http.StatusConflict {
		return string(e.Reason)
	}
	return ""
}

// refuse makes an error out of the four things most of them have.
func refuse(reason Reason, what, want, got string) *Error {
	return &Error{Reason: reason, Rule: what, Want: want, Got: got}
}

// fromCenter turns what the instance said into this package's error.
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
