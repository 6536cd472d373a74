package saml

import "fmt"

// String describes the assertion for a log: its ID, its issuer, its ACS URL and when
// it can be used. It holds nothing about the user: no NameID, attribute or session.
func (a Assertion) String() string {
	if a.a == nil {
		return "no assertion"
	}
	return fmt.Sprintf("assertion %s of %s for %s, issued %s, until %s",
		a.a.id, a.a.issuer.value, a.acs.URL, stamp(a.a.issueInstant), stamp(a.window))
}

// Format writes String for every verb: %+v and %#v would print the fields.
func (a Assertion) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(a.String())) }

// MarshalText returns String, for log/slog and encoding/json. It can't be
// unmarshalled: what one program verified is only a claim to another.
func (a Assertion) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
