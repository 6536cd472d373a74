package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Event is one event, in the shape of CloudTrail's record contents. The Log fills in Version, ID, Time, Type, Category,
// Region and Account where they are empty. An Event must hold no secret: no token, code, cookie, assertion or key.
//
// Texts may come from clients. Each is cut, and characters that aren't printable are written as escapes, so that an
// event is one line, whatever a client sends.
type Event struct {
	Version string    `json:"eventVersion"`
	ID      string    `json:"eventID"` // a UUID; the same in every Region for a change that all Regions see
	Time    time.Time `json:"eventTime"`
	// Source is the service, such as "sso.amazonaws.com", and Name what happened there.
	Source   string `json:"eventSource"`
	Name     string `json:"eventName"`
	Type     string `json:"eventType"`     // AwsServiceEvent or AwsApiCall
	Category string `json:"eventCategory"` // Management
	Region   string `json:"awsRegion"`     // the Region that handled it and wrote the event
	// ClientAddr and UserAgent are the client's. For an event of the instance itself ClientAddr is the service's name.
	ClientAddr string   `json:"sourceIPAddress"`
	UserAgent  string   `json:"userAgent"`
	Identity   Identity `json:"userIdentity"`
	ReadOnly   bool     `json:"readOnly"`
	RequestID  string   `json:"requestID,omitempty"`
	// ErrorCode is the Reason of a refusal, and ErrorMessage the rule that was broken. Empty: accepted.
	ErrorCode    string `json:"errorCode,omitempty"`
	ErrorMessage string `json:"errorMessage,omitempty"`
	// Request is what was asked, Response what was answered, Additional what CloudTrail has as additionalEventData, and
	// Details its serviceEventDetails. At most 16 values each.
	Request    map[string]string `json:"requestParameters"`
	Response   map[string]string `json:"responseElements"`
	Additional map[string]string `json:"additionalEventData,omitempty"`
	Details    map[string]string `json:"serviceEventDetails,omitempty"`
	Account    string            `json:"recipientAccountId,omitempty"`
}

// Identity is who caused an event: userIdentity.
type Identity struct {
	Type         string      `json:"type"`
	AccountID    string      `json:"accountId,omitempty"`
	UserName     string      `json:"userName,omitempty"`
	InvokedBy    string      `json:"invokedBy,omitempty"` // of a service
	OnBehalfOf   *OnBehalfOf `json:"onBehalfOf,omitempty"`
	CredentialID string      `json:"credentialId,omitempty"` // the session's public ID
}

// OnBehalfOf is a user of the instance.
type OnBehalfOf struct {
	UserID           string `json:"userId"`
	IdentityStoreARN string `json:"identityStoreArn,omitempty"`
}

// The types of an Identity.
const (
	TypeUser    = "IdentityCenterUser" // a user of the instance
	TypeService = "AWSService"         // the instance itself
	TypeClient  = "WebIdentityUser"    // a client that provisions users, with a token
	TypeUnknown = "Unknown"            // a client that proved nothing
)

// The sources of events.
const (
	SourceSignIn    = "signin.amazonaws.com"
	SourceSSO       = "sso.amazonaws.com"
	SourceDirectory = "sso-directory.amazonaws.com"
	SourceKMS       = "kms.amazonaws.com"
)

// The types of events.
const (
	ServiceEvent = "AwsServiceEvent"
	APICall      = "AwsApiCall"
)

// User returns the Identity of a user of the instance. credentialID is the public ID of their session, or "".
func User(userID, userName, credentialID string) Identity {
	return Identity{
		Type: TypeUser, UserName: userName, CredentialID: credentialID, OnBehalfOf: &OnBehalfOf{UserID: userID},
	}
}

// Service returns the Identity of the instance itself.
func Service() Identity { return Identity{Type: TypeService, InvokedBy: SourceSSO} }

// EventID returns an ID that depends on parts only, as a UUID (RFC 9562 5.8). Regions that see the same change so have
// the same ID for it.
func EventID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return uuid(h.Sum(nil), 8)
}

func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return uuid(b[:], 4)
}

func uuid(b []byte, version byte) string {
	b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
	x := hex.EncodeToString(b[:16])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// Limits of an event. CloudTrail's own limit of one is 256 KB.
const (
	maxText   = 512 // bytes of one text
	maxValues = 16  // of one map
	maxEvent  = 16 << 10
)

// line returns the event as one line of JSON, without the newline.
func (l *Log) line(e Event) ([]byte, error) {
	if e.Name == "" || e.Source == "" {
		return nil, newError(ReasonEvent, "event", "a name and a source", e.Source+" "+e.Name)
	}
	e.Version = "1.08"
	if e.ID == "" {
		e.ID = randomID()
	}
	if e.Time.IsZero() {
		e.Time = l.cfg.Now()
	}
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	if e.Type == "" {
		e.Type = ServiceEvent
	}
	e.Category, e.Region, e.Account = "Management", l.cfg.Region, l.cfg.Account
	if e.Identity.Type == "" {
		e.Identity.Type = TypeUnknown
	}
	id := &e.Identity
	id.AccountID = l.cfg.Account
	if id.OnBehalfOf != nil {
		of := *id.OnBehalfOf
		of.UserID, of.IdentityStoreARN = clean(of.UserID), l.cfg.IdentityStoreARN
		id.OnBehalfOf = &of
	}
	for _, s := range []*string{
		&e.ID, &e.Source, &e.Name, &e.Type, &e.ClientAddr, &e.UserAgent, &e.RequestID, &e.ErrorCode, &e.ErrorMessage,
		&id.Type, &id.UserName, &id.InvokedBy, &id.CredentialID,
	} {
		*s = clean(*s)
	}
	e.Request, e.Response = cleanAll(e.Request), cleanAll(e.Response)
	e.Additional, e.Details = cleanAll(e.Additional), cleanAll(e.Details)
	b, err := json.Marshal(e)
	if err != nil || len(b) > maxEvent {
		return nil, &Error{
			Reason: ReasonEvent, Rule: "event " + e.Name, Want: "at most 16 KiB of JSON", Got: strconv.Itoa(len(b)), Err: err,
		}
	}
	return b, nil
}

// cleanAll returns a copy with cleaned keys and values: the first 16 in the order of their keys, without empty values.
func cleanAll(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if m[k] != "" && len(out) < maxValues {
			out[cut(clean(k), 64)] = clean(m[k])
		}
	}
	return out
}

// clean cuts a text, and writes what isn't printable as escapes: newlines, control characters, invalid UTF-8, and
// characters that change the direction of text.
func clean(s string) string {
	s = cut(s, maxText)
	bad := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	if !strings.ContainsFunc(s, bad) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if b.Len() >= maxText {
			b.WriteString("…")
			break
		}
		switch _, n := utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r != utf8.RuneError && bad(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cut returns at most n bytes of s, and "…" if there were more. It cuts no character in two.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
