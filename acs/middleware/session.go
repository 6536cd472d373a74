package middleware

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// Session is what a handler behind Require knows of the signed-in user. All values are from the verified assertion of
// the sign-in, as they were then.
type Session struct {
	// ID names the session in logs. It is not secret.
	ID string
	// UserID identifies the user: two sign-ins of one user have the same, and users of two identity providers don't. It
	// is a hash. UserName is for display.
	UserID, UserName string
	// IdP is the entity ID of the identity provider, and NameID is its name of the user.
	IdP    string
	NameID saml.NameID
	// SessionIndexes are the identity provider's names of its session.
	SessionIndexes []string
	// AuthnInstant and AuthnContext are when and how the user authenticated there.
	AuthnInstant time.Time
	AuthnContext string
	// Attributes are those of the assertion, or the ones that Config.KeepAttributes lists.
	Attributes []saml.Attribute
	// Region is the Region of the sign-in.
	Region string
	// Created is when the session began. It ends at Expires, or earlier by idleness or sign-out.
	Created, Expires time.Time

	sp *saml.ServiceProvider // nil for a session of a test
}

// Values returns the text values of the attributes with that Name, as [saml.Assertion.Values] does.
func (s *Session) Values(name string) (all []string) {
	for _, a := range s.Attributes {
		if a.Name != name {
			continue
		}
		for _, v := range a.Values {
			if len(v.Elements) == 0 && !v.Nil {
				all = append(all, v.Text)
			}
		}
	}
	return all
}

// Value returns the first of Values, or the empty string.
func (s *Session) Value(name string) string {
	if all := s.Values(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Decode returns the attributes of a session as a struct. The error is a [*saml.Error], as that of
// [saml.Decoder.Decode]; or it says that the identity provider is not known any more, whose scopes are needed.
func Decode[T any](s *Session, d *saml.Decoder[T]) (T, error) {
	idp := new(saml.IdP) // of a test, which vouches for its values
	if s.sp != nil {
		var err error
		if idp, err = s.sp.IdP(s.IdP); err != nil {
			var zero T
			return zero, err
		}
	}
	return d.DecodeAttributes(idp, s.NameID, s.Attributes)
}

type contextKey struct{}

// From returns the session of a request's context, or nil. It is never nil behind Require.
func From(ctx context.Context) *Session {
	s, _ := ctx.Value(contextKey{}).(*Session)
	return s
}

// With returns a context in which From returns s, for tests of handlers that are behind Require.
func With(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, contextKey{}, s)
}

// maxData is how many bytes the attributes of a session may have. In base64, and with the other values of a sign-in,
// they fit into a record of acs.Store.
const maxData = 40 << 10

// data is what sessions.Session.Data holds, in a short form.
type data struct {
	At      time.Time   `json:"t"`
	Context string      `json:"c,omitempty"`
	All     []attribute `json:"a,omitempty"`
}

type attribute struct {
	Name     string  `json:"n"`
	Format   string  `json:"f,omitempty"`
	Friendly string  `json:"d,omitempty"`
	Values   []value `json:"v"`
}

// value is a string in JSON if it has only text.
type value saml.AttributeValue

// MarshalJSON implements json.Marshaler.
func (v value) MarshalJSON() ([]byte, error) {
	if len(v.Elements) == 0 && !v.Nil {
		return json.Marshal(v.Text)
	}
	return json.Marshal(saml.AttributeValue(v))
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *value) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &v.Text)
	}
	return json.Unmarshal(b, (*saml.AttributeValue)(v))
}

// dataOf encodes what a session keeps of an assertion. The error is a *saml.Error with ReasonLimit.
func (g *Guard) dataOf(a *saml.Assertion) ([]byte, error) {
	d := data{At: a.AuthnInstant(), Context: a.AuthnContext()}
	for _, attr := range a.Attributes() {
		if g.cfg.KeepAttributes != nil && !slices.Contains(g.cfg.KeepAttributes, attr.Name) {
			continue
		}
		kept := attribute{Name: attr.Name, Format: attr.NameFormat, Friendly: attr.FriendlyName}
		for _, v := range attr.Values {
			kept.Values = append(kept.Values, value(v))
		}
		d.All = append(d.All, kept)
	}
	b, err := json.Marshal(d)
	if err == nil && len(b) > maxData {
		err = &saml.Error{
			Reason: saml.ReasonLimit, Rule: "Config.KeepAttributes",
			Want: "at most " + strconv.Itoa(maxData) + " bytes of attributes", Got: strconv.Itoa(len(b)),
		}
	}
	return b, err
}

// sessionOf returns what a handler gets.
func (g *Guard) sessionOf(s sessions.Session) (*Session, error) {
	var d data
	if err := json.Unmarshal(s.Data, &d); err != nil {
		return nil, err
	}
	out := &Session{
		ID: s.ID, UserID: s.UserID, UserName: s.UserName, IdP: s.Proof.Subject.Provider,
		NameID: saml.NameID(s.Proof.Subject.NameID), SessionIndexes: s.Proof.SessionIndexes,
		AuthnInstant: d.At, AuthnContext: d.Context, Region: s.Region, Created: s.Created, Expires: s.Expires, sp: g.cfg.SP,
	}
	for _, a := range d.All {
		attr := saml.Attribute{Name: a.Name, NameFormat: a.Format, FriendlyName: a.Friendly}
		for _, v := range a.Values {
			attr.Values = append(attr.Values, saml.AttributeValue(v))
		}
		out.Attributes = append(out.Attributes, attr)
	}
	return out, nil
}
