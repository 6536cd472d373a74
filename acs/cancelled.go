package acs

import (
	"errors"
	"slices"

	"github.com/meridian-saml/meridian/saml"
)

// notSignedIn are the second-level status codes by which an identity provider
// says that it did not sign the user in, rather than that something is wrong
// (Core 3.2.2.2). AuthnFailed is what most send when the user cancels.
var notSignedIn = []string{
	"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed",
	"urn:oasis:names:tc:SAML:2.0:status:RequestDenied",
	"urn:oasis:names:tc:SAML:2.0:status:NoPassive",
}

// asCancelled tells such a response apart from a refusal. It is not signed, as
// a rule, so it decides on a page and a line in the log, and on nothing else:
// the request goes on waiting.
func asCancelled(err error) error {
	var e *saml.Error
	if !errors.As(err, &e) || e.Reason != saml.ReasonStatus || len(e.Status) < 2 ||
		!slices.Contains([]string{"urn:oasis:names:tc:SAML:2.0:status:Responder", "urn:oasis:names:tc:SAML:2.0:status:Requester"}, e.Status[0]) {
		return err
	}
	if !slices.ContainsFunc(e.Status[1:], func(code string) bool { return slices.Contains(notSignedIn, code) }) {
		return err
	}
	return &Error{Reason: ReasonCancelled, Rule: e.Rule, Detail: "the identity provider did not sign the user in", Want: e.Want, Got: e.Got}
}
