package federation

import (
	"fmt"
	"strings"
)

// Reason says why this package refused. The set is closed. What package saml
// refuses keeps its own saml.Reason: the error is then a *saml.Error.
type Reason string

const (
	// ReasonConfig: Open was given something that makes no sense.
	ReasonConfig Reason = "Config"
	// ReasonFetch: the document could not be fetched: no connection, an address that
	// is not allowed, another status than 200, too long, or too slow.
	ReasonFetch Reason = "MetadataFetch"
	// ReasonExpired: the metadata is past its validUntil (Metadata 2.3.1).
	ReasonExpired Reason = "MetadataExpired"
	// ReasonValidity: the metadata has no validUntil, or one too far ahead.
	ReasonValidity Reason = "MetadataValidity"
	// ReasonRollback: the document is older than the one in use.
	ReasonRollback Reason = "MetadataRollback"
	// ReasonEntity: a query was answered with another entity than was asked for.
	ReasonEntity Reason = "MetadataEntity"
	// ReasonUnknown: no source has an identity provider of this entity ID.
	ReasonUnknown Reason = "UnknownIdP"
	// ReasonBusy: this client, or all together, ask for as many unknown entities as
	// they may.
	ReasonBusy Reason = "Busy"
	// ReasonClosed: the Federation is closed, and fetches nothing.
	ReasonClosed Reason = "Closed"
)

// Error is the one error type of this package.
type Error struct {
	Reason Reason
	// Rule names the field, or the source that the error is about.
	Rule string
	// Want and Got are both sides of the comparison, where there was one. Got may
	// hold what an attacker sent.
	Want, Got string
	// Detail says more, where Want and Got can't.
	Detail string
	// Err is the cause, where there is one.
	Err error
}

// Error returns the message. Values from outside are quoted and cut short.
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
