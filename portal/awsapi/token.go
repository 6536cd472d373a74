package awsapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// maxToken is the longest token that is opened.
const maxToken = 16 << 10

// Tokens makes tokens that contain what they stand for, so that the service stores nothing: the client keeps it, and
// can neither read nor change it.
type Tokens struct {
	Sealer Sealer // required
	// Audience is where the tokens are valid, such as an instance and one of its Regions. Tokens of another Audience are
	// refused. Required.
	Audience string
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

type sealedToken struct {
	Until int64           `json:"u"` // seconds
	Value json.RawMessage `json:"v"`
}

// Seal returns a token of one kind for a value, which is encoded as JSON. It consists of the characters of base64url,
// and is valid until the given time. Use a kind of its own for each purpose.
func (t Tokens) Seal(ctx context.Context, kind string, until time.Time, value any) (string, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return "", &Error{Reason: ReasonToken, Rule: kind, Err: err}
	}
	plain, err := json.Marshal(sealedToken{Until: until.Unix(), Value: raw})
	if err != nil {
		return "", &Error{Reason: ReasonToken, Rule: kind, Err: err}
	}
	sealed, err := t.Sealer.Seal(ctx, plain, t.associated(kind))
	if err != nil {
		return "", &Error{Reason: ReasonUnavailable, Rule: kind, Err: err}
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open reads the value of a token into the value that out points to. The error is an *Error: ReasonToken, ReasonExpired
// or ReasonUnavailable. With ReasonExpired the value is set too.
func (t Tokens) Open(ctx context.Context, kind, token string, out any) error {
	refused := &Error{Reason: ReasonToken, Rule: kind, Want: "a token that was sealed here"}
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") { // which the decoder skips
		return refused
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return refused // the cause quotes the token
	}
	plain, err := t.Sealer.Open(ctx, sealed, t.associated(kind))
	if errors.Is(err, ErrNotSealed) {
		return refused
	} else if err != nil {
		return &Error{Reason: ReasonUnavailable, Rule: kind, Err: err}
	}
	var in sealedToken
	if err := json.Unmarshal(plain, &in); err != nil {
		return &Error{Reason: ReasonToken, Rule: kind, Err: errors.New("sealed by another version")}
	}
	if err := json.Unmarshal(in.Value, out); err != nil {
		return &Error{Reason: ReasonToken, Rule: kind, Err: errors.New("sealed by another version")}
	}
	if end := time.Unix(in.Until, 0); !t.now().Before(end) {
		return &Error{Reason: ReasonExpired, Rule: kind, Want: "before " + end.UTC().Format(time.RFC3339)}
	}
	return nil
}

func (t Tokens) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

// associated joins without ambiguity.
func (t Tokens) associated(kind string) []byte {
	return []byte(strconv.Itoa(len(t.Audience)) + ":" + t.Audience + kind)
}
