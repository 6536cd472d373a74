package federation

import (
	"fmt"
	"strings"
)

// Reason is the reason for a refusal by this package. The set is closed. An error
// about the content of metadata, or about an unknown or expired identity provider, is
// a *saml.Error with a saml.Reason.
type Reason string

const (
	// ReasonConfig: the Config is invalid.
	ReasonConfig Reason = "Config"
	// ReasonFetch: the document could not be fetched. There was no connection, the
	// address is not allowed, the status is not 200, or the body is too long or too
	// slow.
	ReasonFetch Reason = "MetadataFetch"
	// ReasonValidity: the metadata has no validUntil, or one too far ahead.
	ReasonValidity Reason = "MetadataValidity"
	// ReasonRollback: the document is older than the one in use.
	ReasonRollback Reason = "MetadataRollback"
	// ReasonEntity: the answer to a query is about another entity.
	ReasonEntity Reason = "MetadataEntity"
	// ReasonBusy: this client, or all clients together, requested too many unknown
	// entities.
	ReasonBusy Reason = "Busy"
	// ReasonClosed: the Federation is closed, and no longer fetches.
	ReasonClosed Reason = "Closed"
)

// Error is the error type of this package.
type Error struct {
	Reason Reason
	// Rule names the field, or the source that the error is about.
	Rule string
	// Want and Got are both sides of the comparison, if there was one. Got may be an
	// attacker's input.
	Want, Got string
	// Detail adds what Want and Got can't express.
	Detail string
	// Err is the cause, or nil.
	Err error
}

// Error returns the message. Untrusted values are quoted and cut short.
func (e *Error) Error() string {
	parts := []string{"federation: " + string(e.Reason)}
	for _, s := range []string{e.Rule, e.Detail} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	switch {
	case e.Want != "":
		parts = append(parts, fmt.Sprintf("want %.200q, got %.200q", e.Want, e.Got))
	case e.Got != "":
		parts = append(parts, fmt.Sprintf("got %.200q", e.Got))
	}
	if e.Err != nil {
		parts = append(parts, fmt.Sprintf("%.300s", e.Err))
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func badConfig(field, detail string) error {
	return &Error{Reason: ReasonConfig, Rule: field, Detail: detail}
}
