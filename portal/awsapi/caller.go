package awsapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/portal/awsapi/internal/sigv4"
)

// skew is how far a signature's time may be from the clock here. AWS has the same.
const skew = 5 * time.Minute

// Caller is the identity of a signed request.
type Caller struct {
	Account string // 12 digits
	ARN     string
	UserID  string // the unique ID, such as "AROA…:alice@example.com"
	// Role is the session of a role, if the credentials are of one.
	Role RoleSession
}

// Credentials find the secret of an access key.
type Credentials interface {
	// Credential returns the secret and the identity of a key ID, and of the session token that came with it. The error is
	// an *Error. ReasonToken: there is no such key, or the token isn't its own; this and a wrong signature look the same
	// to the client. ReasonExpired comes with the secret: the client is told only if the signature is right.
	Credential(ctx context.Context, accessKeyID, sessionToken string) (secret string, caller Caller, err error)
}

// signedHeaders are those by which a service decides what to do. Package sigv4 adds its own.
var signedHeaders = []string{"x-amz-target"}

// authenticate verifies the request's signature.
func (s *Service) authenticate(call *Call) (Caller, error) {
	scope := sigv4.Scope{Region: s.cfg.Region, Service: s.cfg.Name, Skew: skew, Signed: signedHeaders}
	signed, err := sigv4.Parse(call.HTTP, call.Body, scope, s.cfg.Now())
	if err != nil {
		return Caller{}, s.unsigned(err)
	}
	secret, caller, err := s.cfg.Credentials.Credential(call.HTTP.Context(), signed.AccessKeyID, signed.SessionToken)
	var refused *Error
	if err != nil && (!errors.As(err, &refused) || refused.Reason == ReasonUnavailable) {
		return Caller{}, err
	}
	expired := refused != nil && refused.Reason == ReasonExpired
	// The signature is computed for an unknown key too, so that the time is the same.
	if genuine := signed.Verify(secret); !genuine || refused != nil && !expired {
		return Caller{}, s.exceptionOf(authUnknown, err)
	}
	if expired {
		return Caller{}, s.exceptionOf(authExpired, err)
	}
	return caller, nil
}

// unsigned returns the exception for a request that package sigv4 refused.
func (s *Service) unsigned(err error) error {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Reason {
	case sigv4.ReasonMissing:
		return s.exceptionOf(authMissing, err)
	case sigv4.ReasonTime:
		return s.exceptionOf(authTime, err)
	case sigv4.ReasonScope:
		return s.exceptionOf(authScope, err)
	}
	return s.exceptionOf(authIncomplete, err)
}

// authFailure is what is wrong with a request's authentication.
type authFailure int

const (
	authMissing authFailure = iota
	authIncomplete
	authScope
	authTime
	authUnknown // also a signature that another secret made
	authExpired
)

// failures are the exceptions' names in services with JSON and REST bodies, the names and status with Query, and the
// message. Clients correct their clock after the two names of authTime.
var failures = [...]struct {
	name, query string
	queryStatus int
	message     string
}{
	authMissing: {
		"MissingAuthenticationTokenException", "MissingAuthenticationToken", http.StatusForbidden,
		"Request is missing Authentication Token",
	},
	authIncomplete: {
		"IncompleteSignatureException", "IncompleteSignature", http.StatusBadRequest,
		"The request signature does not conform to AWS standards.",
	},
	authScope: {
		"InvalidSignatureException", "SignatureDoesNotMatch", http.StatusForbidden,
		"Credential should be scoped to this Region and service.",
	},
	authTime: {
		"InvalidSignatureException", "SignatureDoesNotMatch", http.StatusForbidden,
		"Signature expired or not yet current: check the clock.",
	},
	authUnknown: {
		"UnrecognizedClientException", "InvalidClientTokenId", http.StatusForbidden,
		"The security token included in the request is invalid.",
	},
	authExpired: {
		"ExpiredTokenException", "ExpiredToken", http.StatusForbidden,
		"The security token included in the request is expired",
	},
}

func (s *Service) exceptionOf(f authFailure, err error) error {
	row := failures[f]
	ex := &Exception{Name: row.name, Status: http.StatusForbidden, Message: row.message, Err: err}
	switch s.cfg.Protocol {
	case Query:
		ex.Name, ex.Status = row.query, row.queryStatus
	case JSON:
		ex.Status = http.StatusBadRequest
	}
	return ex
}
