package keys

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reason says why the package refused or failed. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons. The first six are refusals of a key, with the names that AWS gives them. A KMS's driver returns an
// *Error with one of them for a refusal, and any other error if the KMS doesn't answer.
const (
	// ReasonAccessDenied: the key's policy in this Region doesn't allow the operation.
	ReasonAccessDenied Reason = "KMS_AccessDeniedException"
	// ReasonDisabled: the key is disabled in this Region.
	ReasonDisabled Reason = "KMS_DisabledException"
	// ReasonInvalidState: the key's state, such as a scheduled deletion, doesn't allow the operation.
	ReasonInvalidState Reason = "KMS_InvalidStateException"
	// ReasonNotFound: there is no such key in this Region.
	ReasonNotFound Reason = "KMS_NotFoundException"
	// ReasonInvalidKeyUsage: the key is for another kind of operation.
	ReasonInvalidKeyUsage Reason = "KMS_InvalidKeyUsageException"
	// ReasonInvalidCiphertext: a value was sealed with another key or other associated data, or was changed.
	ReasonInvalidCiphertext Reason = "KMS_InvalidCiphertextException"
	// ReasonConfig: a value given to the package is invalid.
	ReasonConfig Reason = "Config"
	// ReasonNoFile: the file of the Ring doesn't exist.
	ReasonNoFile Reason = "NoFile"
	// ReasonExists: the file to create exists, or the Ring has the key already.
	ReasonExists Reason = "Exists"
	// ReasonWrongSecret: the file is sealed under another passphrase or key.
	ReasonWrongSecret Reason = "WrongSecret"
	// ReasonCorrupt: the file is truncated or changed, or is not a Ring's.
	ReasonCorrupt Reason = "Corrupt"
	// ReasonConflict: another process has changed the file. Nothing was written.
	ReasonConflict Reason = "Conflict"
	// ReasonUnavailable: the disk or the key service didn't answer.
	ReasonUnavailable Reason = "Unavailable"
)

// Error is the type of every error that this package returns.
type Error struct {
	Reason Reason
	// Rule names what was checked or done. Want and Got are the expected and the actual value, if there are two.
	Rule, Want, Got string
	// Err is the cause, or nil.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	text := "keys: " + string(e.Reason)
	if e.Rule != "" {
		text += ": " + e.Rule
	}
	var sides []string
	if e.Want != "" {
		sides = append(sides, "want "+e.Want)
	}
	if e.Got != "" {
		sides = append(sides, "got "+quote(e.Got))
	}
	if len(sides) > 0 {
		text += ": " + strings.Join(sides, ", ")
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// refuses reports whether the key refused: it did answer.
func (r Reason) refuses() bool { return strings.HasPrefix(string(r), "KMS_") }

func newError(r Reason, rule, want, got string) *Error {
	return &Error{Reason: r, Rule: rule, Want: want, Got: got}
}

// maxQuoted is the maximum length of a quoted input value in a message, in bytes.
const maxQuoted = 200

// quote quotes a value for one line of a log. It equals refusal.Quote: this package imports no other of the module.
func quote(s string) string {
	if len(s) > maxQuoted {
		cut := maxQuoted
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strconv.Quote(s)
}
