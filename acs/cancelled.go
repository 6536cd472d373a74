package acs

import (
	"errors"
	"slices"

	"github.com/meridian-saml/meridian/saml"
)

// The status codes of Core 3.2.2.2 with which an identity provider says that it did not sign the user in,
// rather than that something is wrong. Most send AuthnFailed when the user cancels.
const statusPrefix = "urn:oasis:names:tc:SAML:2.0:status:"

var (
	cancelledTop    = []string{statusPrefix + "Responder", statusPrefix + "Requester"}
	cancelledSecond = []string{statusPrefix + "AuthnFailed", statusPrefix + "RequestDenied", statusPrefix + "NoPassive"}
)

// asCancelled returns an Error with ReasonCancelled for such a response, and other errors unchanged. The
// response is usually not signed, so this only chooses the page and the log level: the request waits on.
func asCancelled(err error) error {
	var e *saml.Error
	if !errors.As(err, &e) || e.Reason != saml.ReasonStatus || len(e.Status) == 0 ||
		!slices.Contains(cancelledTop, e.Status[0]) ||
		!slices.ContainsFunc(e.Status[1:], func(code string) bool { return slices.Contains(cancelledSecond, code) }) {
		return err
	}
	return newError(ReasonCancelled, e.Rule, "the identity provider did not sign the user in").compared(e.Want, e.Got)
}
