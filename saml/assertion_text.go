package saml

import "fmt"

// String names the assertion for a log: its ID, its issuer, where it came to and
// when it can be used. It has nothing about the user: no NameID, no attribute
// and no session.
func (a Assertion) String() string {
	if a.a == nil {
		return "no assertion"
	}
	return fmt.Sprintf("assertion %s of %s for %s, issued %s, until %s", a.a.id, a.a.issuer.value, a.acs.URL, stamp(a.a.issueInstant), stamp(a.window))
}

// Format writes String, whatever the verb: %+v and %#v would print what is inside.
func (a Assertion) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(a.String())) }

// MarshalText is String, for log/slog and encoding/json. It can't be read back:
// what was proved to one program is a claim to another.
func (a Assertion) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
