package awsapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Protocol is how a service's operations and errors look on the wire.
type Protocol int

const (
	// REST is AWS's restJson1: an operation is a method and a path.
	REST Protocol = iota
	// JSON is AWS's awsJson1_1: each request is a POST of the path /, and X-Amz-Target names the operation.
	JSON
	// Query is AWS's awsQuery: each request is a form with Action and Version, and the answer is XML.
	Query
)

// Handler serves one operation. The result is the body: a value for encoding/json, or for encoding/xml with Protocol
// Query. A nil result is an empty body. The error should be an [Exception], or an *Error with ReasonInput.
type Handler func(ctx context.Context, call *Call) (any, error)

// Typed returns a Handler whose input is read from a JSON body, as [Decode] does.
func Typed[In any](serve func(ctx context.Context, call *Call, in In) (any, error)) Handler {
	return func(ctx context.Context, call *Call) (any, error) {
		var in In
		if err := Decode(call.Body, &in); err != nil {
			return nil, err
		}
		return serve(ctx, call, in)
	}
}

// Call is one request for an operation.
type Call struct {
	Operation string        // the key of Config.Operations
	RequestID string        // a new UUID, also in the response and in the log
	HTTP      *http.Request // its body has been read
	Body      []byte
	Form      url.Values // the parameters with Protocol Query
	Caller    Caller     // who signed the request, if Config.Credentials is set
}

// Param returns a parameter of the URL, or "". A duplicate is refused.
func (c *Call) Param(name string) (string, error) {
	query, err := url.ParseQuery(c.HTTP.URL.RawQuery)
	if err != nil {
		return "", badInput("query", "parameters with a valid encoding", "")
	}
	switch values := query[name]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", badInput(name, "one value", "several")
}

// Config describes a service. New copies it.
type Config struct {
	// Name is the service's name, which signatures and the log have, such as "sts". Required.
	Name     string
	Protocol Protocol
	// Region is the Region that the service is in. Required.
	Region string
	// Operations are the service's operations: by method and path with Protocol REST, such as "POST /logout", and by name
	// with the others. Required.
	Operations map[string]Handler
	// TargetPrefix is what comes before the operation and a dot in X-Amz-Target. Required with Protocol JSON.
	TargetPrefix string
	// Version is the version that requests name, and Namespace the one of the answer's XML. Required with Protocol Query.
	Version, Namespace string

	// Credentials make the service refuse requests that aren't signed with one of them (Signature Version 4). Nil: the
	// operations authenticate their callers themselves, if at all.
	Credentials Credentials
	// MaxBody is the largest body that is read. Zero: 1 MiB.
	MaxBody int64
	// Malformed and Internal are the service's names for the two errors that every operation has. Zero:
	// "InvalidRequestException" and "InternalServerException"; "ValidationException" for Malformed with Protocol JSON,
	// "ValidationError" and "InternalFailure" with Query.
	Malformed, Internal string
	// OAuthErrors adds the members error and error_description of RFC 6749 5.2 to the exceptions that the package itself
	// returns.
	OAuthErrors bool

	// Audit receives an event for each refused request.
	Audit AuditConfig
	// Now is the clock for signatures. Nil: time.Now.
	Now func() time.Time
	// Logger receives a record for every refused request, without tokens and secrets. Nil: slog.Default().
	Logger *slog.Logger
}

// Service is an http.Handler for one service in one Region. It is safe for concurrent use.
type Service struct {
	cfg Config
	log *slog.Logger
}

// New returns the service that cfg describes, or an *Error with ReasonConfig.
func New(cfg Config) (*Service, error) {
	switch {
	case cfg.Name == "":
		return nil, badConfig("Config.Name", "a name", "")
	case cfg.Region == "":
		return nil, badConfig("Config.Region", "the name of a Region", "")
	case cfg.Protocol < REST || cfg.Protocol > Query:
		return nil, badConfig("Config.Protocol", "REST, JSON or Query", strconv.Itoa(int(cfg.Protocol)))
	case len(cfg.Operations) == 0:
		return nil, badConfig("Config.Operations", "at least one", "none")
	case cfg.Protocol == JSON && cfg.TargetPrefix == "":
		return nil, badConfig("Config.TargetPrefix", "a prefix", "")
	case cfg.Protocol == Query && (cfg.Version == "" || cfg.Namespace == ""):
		return nil, badConfig("Config.Version and Namespace", "both", "")
	case cfg.MaxBody < 0:
		return nil, badConfig("Config.MaxBody", "zero or more", strconv.FormatInt(cfg.MaxBody, 10))
	}
	cfg.Operations = maps.Clone(cfg.Operations)
	cfg.MaxBody = cmp.Or(cfg.MaxBody, 1<<20)
	cfg.Malformed = cmp.Or(cfg.Malformed, [...]string{
		REST: "InvalidRequestException", JSON: "ValidationException", Query: "ValidationError",
	}[cfg.Protocol])
	cfg.Internal = cmp.Or(cfg.Internal, [...]string{
		REST: "InternalServerException", JSON: "InternalServerException", Query: "InternalFailure",
	}[cfg.Protocol])
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Service{cfg: cfg, log: cfg.Logger.With("region", cfg.Region, "service", cfg.Name)}, nil
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := &Call{RequestID: newUUID(), HTTP: s.cfg.Audit.withClient(r)}
	h := w.Header()
	h.Set("X-Amzn-Requestid", call.RequestID)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	result, err := s.serve(w, call)
	if err != nil {
		s.refuse(w, call, err)
		return
	}
	s.answer(w, call, result)
}

func (s *Service) serve(w http.ResponseWriter, call *Call) (any, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, call.HTTP.Body, s.cfg.MaxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		const text = "The body is too large"
		return nil, &Exception{
			Name: s.cfg.Malformed, Status: http.StatusRequestEntityTooLarge, Message: text,
			Members: s.oauth("invalid_request", text),
		}
	} else if err != nil {
		return nil, badInput("body", "a whole one", "")
	}
	call.Body = body
	handler, err := s.route(call)
	if err != nil {
		return nil, err
	}
	if s.cfg.Credentials != nil {
		if call.Caller, err = s.authenticate(call); err != nil {
			return nil, err
		}
	}
	return handler(call.HTTP.Context(), call)
}

// refuse sends an exception and logs it.
func (s *Service) refuse(w http.ResponseWriter, call *Call, err error) {
	ex := s.asException(err)
	level := slog.LevelInfo
	if ex.status() >= 500 {
		level = slog.LevelError
	}
	s.log.Log(call.HTTP.Context(), level, "request refused", "operation", call.Operation, "exception", ex.Name,
		"status", ex.status(), "request", call.RequestID, "reason", ex.Error())
	s.auditRefused(call.HTTP.Context(), call, ex)
	w.Header().Set("X-Amzn-Errortype", ex.Name)
	s.fail(w, call, ex)
}

// newUUID returns a random UUID (RFC 9562 5.4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}
