// Package sigv4 verifies AWS Signature Version 4 on requests in which it is a header. It knows no keys: it says which
// key a request claims, and whether a secret made its signature.
//
// A signature covers what it lists, for a time, Region and service that the request itself names. So recomputing it is
// not enough. Parse also requires that the request is for this Region and service, that it is new, and that it signs
// each header by which the service decides.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reason says why a request was refused. The list is closed.
type Reason string

// The reasons.
const (
	ReasonMissing   Reason = "Missing"   // the request has no signature in a header
	ReasonMalformed Reason = "Malformed" // the signature's header or another one that it needs is malformed
	ReasonUnsigned  Reason = "Unsigned"  // a header that the service reads isn't signed
	ReasonScope     Reason = "Scope"     // it is for another day, Region or service
	ReasonTime      Reason = "Time"      // it is too old, or from the future
	ReasonBody      Reason = "Body"      // the body isn't the one whose hash the request names
)

// Error is the type of the errors of Parse. No field has a signature.
type Error struct {
	Reason    Reason
	Rule      string
	Want, Got string
}

// Error implements error.
func (e *Error) Error() string {
	return "sigv4: " + string(e.Reason) + ": " + e.Rule + ": want " + e.Want + ", got " + strconv.Quote(e.Got)
}

// Scope is what a service accepts.
type Scope struct {
	Region, Service string
	Skew            time.Duration // the largest difference between the clocks
	// Signed are headers that must be signed if the request has them, in lower case. Host and X-Amz-Date always must.
	Signed []string
}

// Limits of what an unauthenticated client can send. Clients sign about ten headers.
const (
	maxAuthorization = 4 << 10
	maxSigned        = 64
	maxCanonical     = 64 << 10
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
)

// Signed is a request whose signature is still to be verified.
type Signed struct {
	AccessKeyID  string
	SessionToken string // empty: the key is a long-term one

	toSign    string
	scope     []string // date, Region, service
	signature []byte
}

// Verify reports whether this secret made the signature, in a time that doesn't depend on the signature.
func (s *Signed) Verify(secret string) bool {
	key := []byte("AWS4" + secret)
	for _, part := range append(slices.Clone(s.scope), "aws4_request") {
		key = sum(key, part)
	}
	return hmac.Equal(sum(key, s.toSign), s.signature)
}

// Parse returns the signature of a request with this body. The error is an *Error.
func Parse(r *http.Request, body []byte, scope Scope, now time.Time) (*Signed, error) {
	auth, err := parseAuthorization(r.Header)
	if err != nil {
		return nil, err
	}
	stamp, err := single(r.Header, "X-Amz-Date")
	if err != nil {
		return nil, err
	}
	at, timeErr := time.Parse(timeFormat, stamp)
	if timeErr != nil {
		return nil, malformed("X-Amz-Date", timeFormat, stamp)
	}
	if d := now.Sub(at); d > scope.Skew || d < -scope.Skew {
		return nil, &Error{ReasonTime, "X-Amz-Date", "within " + scope.Skew.String() + " of " +
			now.UTC().Format(timeFormat), stamp}
	}
	for i, want := range []string{stamp[:8], scope.Region, scope.Service} {
		if auth.scope[i] != want {
			return nil, &Error{ReasonScope, "Credential", want, auth.scope[i]}
		}
	}
	if err := checkSigned(r.Header, auth.headers, scope.Signed); err != nil {
		return nil, err
	}
	token, err := optional(r.Header, "X-Amz-Security-Token")
	if err != nil {
		return nil, err
	}
	canonical, err := canonicalRequest(r, auth.headers, body)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(canonical))
	return &Signed{
		AccessKeyID: auth.keyID, SessionToken: token, scope: auth.scope, signature: auth.signature,
		toSign: strings.Join([]string{
			algorithm, stamp, strings.Join(auth.scope, "/") + "/aws4_request", hex.EncodeToString(digest[:]),
		}, "\n"),
	}, nil
}

// checkSigned requires that the headers that decide about the request are signed.
func checkSigned(h http.Header, signed, more []string) error {
	for _, name := range append([]string{"host", "x-amz-date", "x-amz-security-token"}, more...) {
		present := name == "host" || len(h.Values(name)) > 0
		if present && !slices.Contains(signed, name) {
			return &Error{ReasonUnsigned, "SignedHeaders", name, strings.Join(signed, ";")}
		}
		if _, err := optional(h, name); err != nil {
			return err
		}
	}
	return nil
}

func sum(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}

func single(h http.Header, name string) (string, error) {
	values := h.Values(name)
	if len(values) != 1 {
		return "", malformed(name, "one value", strconv.Itoa(len(values)))
	}
	return values[0], nil
}

func optional(h http.Header, name string) (string, error) {
	if len(h.Values(name)) == 0 {
		return "", nil
	}
	return single(h, name)
}

func malformed(rule, want, got string) error {
	if len(got) > 100 {
		got = got[:100]
	}
	return &Error{ReasonMalformed, rule, want, got}
}
