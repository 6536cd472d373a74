package oidc

import (
	"errors"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// Reason says why the package refused. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons. All but ReasonConfig appear in the log. A client sees only the name of an exception.
const (
	ReasonConfig   Reason = "Config"   // the Config given to New is invalid
	ReasonInput    Reason = "Input"    // a parameter is missing or malformed
	ReasonInstance Reason = "Instance" // a start URL is of another Region or instance
	ReasonClient   Reason = "Client"   // the registration is unknown here, changed, expired or of another Region
	ReasonRedirect Reason = "Redirect" // the redirect URI is not a registered one of this computer
	ReasonGrant    Reason = "Grant"    // a code or token is unknown, expired, or of another client or Region
	ReasonVerifier Reason = "Verifier" // the code verifier doesn't fit the code challenge
	ReasonReused   Reason = "Reused"   // a code or token was used before, so its authorization has ended
	ReasonEnded    Reason = "Ended"    // the authorization, its session or its user's access has ended
	ReasonOften    Reason = "Often"    // too many requests of an address, a device code or an authorization
	// ReasonUnavailable: a store or a key can't answer.
	ReasonUnavailable Reason = "Unavailable"
)

// Error is the type of the errors of New, and the cause of the exceptions that clients receive.
type Error struct {
	Reason          Reason
	Rule, Want, Got string // what was checked, and the expected and the actual value, if there are two
	Err             error  // the cause, or nil
}

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("oidc", string(e.Reason), e.Rule, "", e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func newError(reason Reason, rule, want, got string) *Error {
	return &Error{Reason: reason, Rule: rule, Want: want, Got: got}
}

func badConfig(field, want, got string) *Error { return newError(ReasonConfig, field, want, got) }

// exception is a kind of error of the API: its name in AWS's model, and its name in RFC 6749 5.2 and RFC 8628 3.5.
type exception struct {
	name, oauth string
	status      int
	text        string
}

var (
	invalidRequest  = exception{"InvalidRequestException", "invalid_request", 400, ""}
	invalidClient   = exception{"InvalidClientException", "invalid_client", 401, "Register the client again"}
	invalidMetadata = exception{"InvalidClientMetadataException", "invalid_client_metadata", 400, ""}
	invalidRedirect = exception{"InvalidRedirectUriException", "invalid_redirect_uri", 400, ""}
	invalidScope    = exception{"InvalidScopeException", "invalid_scope", 400, "Not a scope of this service or client"}
	invalidGrant    = exception{"InvalidGrantException", "invalid_grant", 400, "Sign in again"}
	unauthorized    = exception{"UnauthorizedClientException", "unauthorized_client", 400, "Not for this client"}
	unsupported     = exception{"UnsupportedGrantTypeException", "unsupported_grant_type", 400, "Not a supported grant"}
	pending         = exception{"AuthorizationPendingException", "authorization_pending", 400, ""}
	slowDown        = exception{"SlowDownException", "slow_down", 400, "Too many requests"}
	denied          = exception{"AccessDeniedException", "access_denied", 400, "The user denied the access"}
	expired         = exception{"ExpiredTokenException", "expired_token", 400, "The code has expired"}
	internal        = exception{"InternalServerException", "server_error", 500, "Try again"}
)

// with returns the exception for a cause. The client sees the exception's text, or what a parameter must be.
func (x exception) with(cause *Error) *awsapi.Exception {
	text := x.text
	if text == "" && cause != nil {
		text = cause.Rule + ": want " + cause.Want
	}
	out := &awsapi.Exception{
		Name: x.name, Status: x.status, Members: map[string]any{"error": x.oauth, "error_description": text},
	}
	if cause != nil { // a nil *Error is not a nil error
		out.Err = cause
	}
	return out
}

// unavailable is the exception when a store or a key can't answer.
func unavailable(what string, err error) error {
	ex := internal.with(nil)
	ex.Err = &Error{Reason: ReasonUnavailable, Rule: what, Want: "an answer", Err: err}
	return ex
}

// ofPortal returns the exception for a portal's error about an authorization.
func ofPortal(err error) error {
	var e *portal.Error
	if !errors.As(err, &e) || e.Reason == portal.ReasonUnavailable || e.Reason == portal.ReasonStale ||
		e.Reason == portal.ReasonAudit {
		return unavailable("authorization", err)
	}
	return invalidGrant.with(&Error{Reason: ReasonEnded, Rule: "authorization", Err: err})
}

// opened returns the reason why a token could not be opened, or an error if the keys can't answer.
func opened(err error, reason Reason, rule string) (*Error, error) {
	var e *awsapi.Error
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &e), e.Reason == awsapi.ReasonUnavailable:
		return nil, unavailable(rule, err)
	case e.Reason == awsapi.ReasonExpired:
		return newError(reason, rule, "one that has not expired", ""), nil
	}
	return newError(reason, rule, "one that was issued here", ""), nil
}
