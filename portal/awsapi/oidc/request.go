package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

// request is what a user is asked to answer. It goes through the browser, sealed, from /authorize or from the page on
// which the user entered a code.
type request struct {
	Client  string   `json:"c"` // fingerprint
	Name    string   `json:"n"`
	Scopes  []string `json:"p"`
	Refresh bool     `json:"f,omitempty"` // whether the client gets a refresh token
	Until   int64    `json:"u"`

	// Of a program that waits at Redirect.
	Redirect  string `json:"r,omitempty"`
	Challenge string `json:"h,omitempty"`
	State     string `json:"s,omitempty"`

	// Of a program that shows a code.
	Device   string `json:"d,omitempty"` // the hash of the device code's secret
	UserCode string `json:"o,omitempty"`
	Addr     string `json:"a,omitempty"`
	Asked    int64  `json:"t,omitempty"`
	Session  string `json:"i,omitempty"` // the ID of the session in which the code was entered
}

const (
	kindRequest = "request"
	kindCode    = "code"
	// requestLifetime is how long a user may take to sign in and answer.
	requestLifetime = 10 * time.Minute
	// maxRequest is the maximum length of a sealed request: a portal carries it through a sign-in.
	maxRequest = 1000
	// codeLifetime is how long a program may take to use a code.
	codeLifetime = 2 * time.Minute
)

// answer is what the store keeps when a user has answered, until the program takes it.
type answer struct {
	Denied  bool            `json:"denied,omitempty"`
	Name    string          `json:"name"`
	Scopes  []string        `json:"scopes"`
	Refresh bool            `json:"refresh,omitempty"`
	By      portal.Approval `json:"by"`
}

// code is the value of an authorization code. It says what must be true of the program that uses it, so that a wrong
// one doesn't use it up. The answer is in the store, under the secret's hash.
type code struct {
	Secret string `json:"x"` // 256 bits
	Client string `json:"c"`
	Bound  string `json:"b"` // to the redirect URI and the challenge
}

func boundTo(redirect, challenge string) string { return derived("redirect", redirect+"|"+challenge) }

// storeKey returns a key that neither acs nor the portal uses for records of its own.
func storeKey(kind, secret string) string {
	sum := sha256.Sum256([]byte(kind + "|" + secret))
	return "oidc." + hex.EncodeToString(sum[:])
}

// open returns a request that is valid for a session. The error is a *portal.Error.
func (s *Server) open(ctx context.Context, sealed string, by portal.Approval) (request, error) {
	var q request
	err := s.here.Open(ctx, kindRequest, sealed, &q)
	why, down := opened(err, ReasonGrant, "request")
	switch {
	case down != nil:
		return q, &portal.Error{Reason: portal.ReasonUnavailable, Rule: "request of a program", Err: down}
	case why == nil && q.Session != "" && q.Session != by.ID:
		why = newError(ReasonGrant, "session in which the code was entered", "this one", "")
	}
	if why != nil {
		return q, &portal.Error{Reason: portal.ReasonClientRequest, Rule: "request of a program", Err: why}
	}
	return q, nil
}

// Request implements portal.Clients.
func (s *Server) Request(ctx context.Context, sealed string, by portal.Approval) (portal.ClientRequest, error) {
	q, err := s.open(ctx, sealed, by)
	if err != nil {
		return portal.ClientRequest{}, err
	}
	out := portal.ClientRequest{
		Name: q.Name, Redirect: q.Redirect, UserCode: q.UserCode, Addr: q.Addr, Until: time.Unix(q.Until, 0),
	}
	if q.Asked > 0 {
		out.Asked = time.Unix(q.Asked, 0)
	}
	for _, scope := range q.Scopes {
		out.Scopes = append(out.Scopes, scopeText(scope))
	}
	return out, nil
}

// Allow implements portal.Clients.
func (s *Server) Allow(ctx context.Context, sealed string, by portal.Approval) (string, error) {
	q, err := s.answerOnce(ctx, sealed, by)
	if err != nil {
		return "", err
	}
	a := answer{Name: q.Name, Scopes: q.Scopes, Refresh: q.Refresh, By: by}
	if q.Redirect == "" {
		return "", s.keepAnswer(ctx, storeKey("device", q.Device), a, time.Unix(q.Until, 0))
	}
	c, until := code{newSecret(), q.Client, boundTo(q.Redirect, q.Challenge)}, s.now().Add(codeLifetime)
	text, err := s.here.Seal(ctx, kindCode, until, c)
	if err != nil {
		return "", &portal.Error{Reason: portal.ReasonUnavailable, Rule: "seal of a code", Err: err}
	}
	if err := s.keepAnswer(ctx, storeKey("code", c.Secret), a, until); err != nil {
		return "", err
	}
	return redirectWith(q.Redirect, withState(url.Values{"code": {text}}, q.State)), nil
}

// Deny implements portal.Clients.
func (s *Server) Deny(ctx context.Context, sealed string, by portal.Approval) (string, error) {
	q, err := s.answerOnce(ctx, sealed, by)
	if err != nil {
		return "", err
	}
	if q.Redirect == "" {
		return "", s.keepAnswer(ctx, storeKey("device", q.Device), answer{Denied: true}, time.Unix(q.Until, 0))
	}
	return redirectWith(q.Redirect, withState(url.Values{
		"error": {denied.oauth}, "error_description": {denied.text},
	}, q.State)), nil
}

func withState(v url.Values, state string) url.Values {
	if state != "" {
		v.Set("state", state)
	}
	return v
}

// answerOnce opens a request that has no answer yet, whichever user gave it.
func (s *Server) answerOnce(ctx context.Context, sealed string, by portal.Approval) (request, error) {
	q, err := s.open(ctx, sealed, by)
	if err != nil {
		return q, err
	}
	err = s.cfg.Store.Add(ctx, storeKey("answered", sealed), nil, time.Unix(q.Until, 0))
	if errors.Is(err, acs.ErrExists) || errors.Is(err, acs.ErrExpired) {
		const want = "one without an answer"
		return q, &portal.Error{Reason: portal.ReasonClientRequest, Rule: "request of a program", Want: want}
	} else if err != nil {
		return q, &portal.Error{Reason: portal.ReasonUnavailable, Rule: "write of an answer", Err: err}
	}
	return q, nil
}

func (s *Server) keepAnswer(ctx context.Context, key string, a answer, until time.Time) error {
	b, err := json.Marshal(a)
	if err == nil {
		err = s.cfg.Store.Add(ctx, key, b, until)
	}
	if err != nil {
		return &portal.Error{Reason: portal.ReasonUnavailable, Rule: "write of an answer", Err: err}
	}
	return nil
}

// takeAnswer returns the answer under a key, once. ok is false if there is none.
func (s *Server) takeAnswer(ctx context.Context, key string) (a answer, ok bool, err error) {
	b, err := s.cfg.Store.Take(ctx, key)
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if errors.Is(err, acs.ErrNotFound) {
		return a, false, nil
	} else if err != nil {
		return a, false, unavailable("read of an answer", err)
	}
	return a, true, nil
}
