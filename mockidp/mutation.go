package mockidp

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Mutation is an answer that Config.Mutate may change before it is sent, with what is needed to forge another.
type Mutation struct {
	// ID is what was chosen on the sign-in page, else the ID of QueueMutation, else that of SetMutation; "" if none
	// applies to this answer.
	ID string
	// Response is the valid answer, as XML.
	Response []byte

	App          App
	User         User // zero for an error status
	ACS          string
	InResponseTo string // "" if unsolicited
	RelayState   string // "" if there is none
	// OtherRelayState is one from another request for the app; "" if the messages hold none.
	OtherRelayState string
	Now             time.Time
	Key             crypto.Signer // the app's signing key
	Certificate     *x509.Certificate
}

// Mutated is what is sent instead of a valid answer. The zero value is the valid answer itself. All of it has to fit
// into a form on a page: values are UTF-8 without NUL, and only the methods, types and headers of HTML forms exist.
type Mutated struct {
	// Response is the document. Zero (nil): Mutation.Response.
	Response []byte
	// ACS is where it goes, another URL of the app's list. Zero: Mutation.ACS.
	ACS string
	// Query is added to that URL. Zero: nothing is added.
	Query []Field
	// Fields replace the usual fields, of which SAMLResponse would be Response in base64: broken base64, a
	// duplicate field, another RelayState. Zero (nil): the usual ones.
	Fields []Field
	// Method and Encoding are how the form is sent. Zero: as the binding has it.
	Method   Method
	Encoding FormEncoding
}

// outgoing is an answer after Config.Mutate.
type outgoing struct {
	form   Form
	acs    string // form.URL without Mutated.Query
	xml    []byte
	attack string // the mutation's ID, or "" for a valid answer
}

// mutated calls Config.Mutate, if it is set.
func (s *Server) mutated(a answer, raw []byte) (outgoing, *Error) {
	if s.config.Mutate == nil {
		return Mutated{Response: raw}.outgoing(a)
	}
	m := s.mutation(a, raw)
	changed, err := s.config.Mutate(m)
	if err != nil {
		return outgoing{}, internal("Config.Mutate failed for "+quote(m.ID), err)
	}
	if changed.Response == nil {
		changed.Response = raw
	}
	out, oerr := changed.outgoing(a)
	if oerr == nil && (out.acs != a.acs.URL || !out.form.usual(out.acs) || !bytes.Equal(out.xml, raw)) {
		out.attack = m.ID // else it is the valid answer
	}
	return out, oerr
}

func (s *Server) mutation(a answer, raw []byte) Mutation {
	m := Mutation{ID: a.attack, Response: bytes.Clone(raw), App: a.app.clone(), ACS: a.acs.URL,
		InResponseTo: a.inResponseTo, RelayState: a.relayState,
		OtherRelayState: s.messages.otherRelayState(a.app.ID, a.relayState),
		Now:             a.now, Key: a.signer.key.own, Certificate: a.signer.key.cert}
	if m.ID == "" {
		m.ID = s.takeMutation(a.app.ID, a.login())
	}
	if a.user != nil {
		m.User = a.user.clone()
	}
	return m
}

// outgoing returns the form. The app's list of consumers holds for attacks too.
func (m Mutated) outgoing(a answer) (outgoing, *Error) {
	out := outgoing{acs: cmp.Or(m.ACS, a.acs.URL), xml: m.Response}
	if err := m.check(a); err != nil {
		return out, internal("the result of Config.Mutate can't be sent", err)
	}
	out.form = Form{URL: out.acs, SAMLResponse: base64.StdEncoding.EncodeToString(m.Response), RelayState: a.relayState,
		Fields: slices.Clone(m.Fields), Method: m.Method, Encoding: m.Encoding}
	if i := slices.IndexFunc(m.Fields, func(x Field) bool { return x.Name == "SAMLResponse" }); i >= 0 {
		out.form.SAMLResponse = m.Fields[i].Value
	}
	if len(m.Query) > 0 {
		join := "?"
		if strings.Contains(out.acs, "?") {
			join = "&"
		}
		out.form.URL += join + encodeFields(m.Query)
	}
	return out, nil
}

func (m Mutated) check(a answer) error {
	if m.ACS != "" && m.ACS != a.acs.URL && !slices.ContainsFunc(a.app.ACS, func(x ACS) bool { return x.URL == m.ACS }) {
		return badConfig("the ACS %s is not on the app's list", quote(withoutUser(m.ACS)))
	}
	for _, x := range slices.Concat(m.Query, m.Fields) {
		if !utf8.ValidString(x.Name+x.Value) || strings.ContainsRune(x.Name+x.Value, 0) {
			return badConfig("the field %s is not text that a page can hold", quote(x.Name))
		}
	}
	if !slices.Contains([]Method{POST, GET}, m.Method) ||
		!slices.Contains([]FormEncoding{URLEncoded, Multipart, PlainText}, m.Encoding) {
		return badConfig("a form has no method %s with encoding %s", quote(string(m.Method)), quote(string(m.Encoding)))
	}
	return nil
}
