package awsapi

import (
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// Exception is an error of an operation as the client sees it. A [Handler] returns it as its error. Every other error
// becomes an internal error without details.
type Exception struct {
	// Name is the exception's name in the service's model, such as "UnauthorizedException". The SDKs make a typed error
	// from it.
	Name string
	// Status is the HTTP status. Zero: 400. Services with Protocol JSON send 400 for each of the client's errors, whatever
	// their model says, and 500 for the server's.
	Status int
	// Message is for people. It must not tell an unauthenticated client which users, accounts or roles exist. Empty: the
	// model has no message.
	Message string
	// Members are the further members of the exception in the model, by their names on the wire.
	Members map[string]any
	// Err is the cause, for the log. It is never sent, and it must hold no token, code or secret.
	Err error
}

// Error implements error.
func (e *Exception) Error() string {
	return refusal.Message("awsapi", e.Name, "", e.Message, "", "", e.Err)
}

// Unwrap returns the cause.
func (e *Exception) Unwrap() error { return e.Err }

func (e *Exception) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// body returns the members of the response's body. Clients find the exception's name in three places: the CLI and the
// Go SDK in the header X-Amzn-Errortype or in __type, the JavaScript SDK in one of them by protocol.
func (e *Exception) body(messageMember string) map[string]any {
	out := maps.Clone(e.Members)
	if out == nil {
		out = map[string]any{}
	}
	out["__type"] = e.Name
	if e.Message != "" {
		out[messageMember] = e.Message
	}
	return out
}

// asException returns what the client sees of an error.
func (s *Service) asException(err error) *Exception {
	var ex *Exception
	if errors.As(err, &ex) {
		return ex
	}
	var e *Error
	if errors.As(err, &e) && e.Reason == ReasonInput {
		text := s.inputMessage(e)
		return &Exception{Name: s.cfg.Malformed, Message: text, Members: s.oauth("invalid_request", text), Err: err}
	}
	status := http.StatusInternalServerError
	if e != nil && e.Reason == ReasonUnavailable {
		status = http.StatusServiceUnavailable
	}
	const text = "Internal error"
	return &Exception{
		Name: s.cfg.Internal, Status: status, Message: text, Members: s.oauth("server_error", text), Err: err,
	}
}

// inputMessage says what is wrong with a request, without the value.
func (s *Service) inputMessage(e *Error) string { return fmt.Sprintf("%s: want %s", e.Rule, e.Want) }

// oauth returns the members of RFC 6749 5.2, in services that have them.
func (s *Service) oauth(code, description string) map[string]any {
	if !s.cfg.OAuthErrors {
		return nil
	}
	return map[string]any{"error": code, "error_description": description}
}
