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

// Mutation is an answer that Config.Mutate may change before it is sent, and
// what one needs to forge another in its place.
type Mutation struct {
	// ID is what was chosen on the sign-in page, else what QueueMutation
	// ordered, else what SetMutation switched on; "" if nothing was for this
	// answer.
	ID string
	// Response is the good one, as XML.
	Response []byte

	App          App
	User         User // zero for an error status
	ACS          string
	InResponseTo string // "" if nobody asked
	RelayState   string // "" if there is none
	// OtherRelayState is one that another request for the app came with; "" if
	// none is among the messages.
	OtherRelayState string
	Now             time.Time
	Key             crypto.Signer // the real one
	Certificate     *x509.Certificate
}

// Mutated is what is sent instead of a good answer. The zero value is the good
// answer itself. Whatever it says has to fit into a form on a page: values are
// UTF-8 without NUL, and there are no other methods, types or headers than a
// browser sends with a form.
type Mutated struct {
	// Response is the document. Zero (nil): Mutation.Response.
	Response []byte
	// ACS is where it goes, another URL of the app's list. Zero: Mutation.ACS.
	ACS string
	// Query is added to that URL. Zero: nothing is.
	Query []Field
	// Fields are the form's fields instead of the usual ones, of which
	// SAMLResponse would be Response in base64: broken base64, a field twice,
	// another RelayState. Zero (nil): the usual ones.
	Fields []Field
	// Method and Encoding are how the form is sent. Zero: as the binding has it.
	Method   Method
	Encoding FormEncoding
}

// outgoing is an answer after Config.Mutate.
type outgoing struct {
	form   Form
	acs    string // form.URL without what was added to it
	xml    []byte
	attack string // its ID, or "" for a good answer
}

// mutated gives an answer to Config.Mutate, if there is one.
func (s *Server) mutated(a answer, raw []byte) (outgoing, *Error) {
	if s.config.Mutate == nil {
		return Mutated{Response: raw}.outgoing(a)
	}
	m := s.mutation(a, raw)
	changed, err := s.config.Mutate(m)
	if err != nil {
		return outgoing{}, &Error{Reason: ReasonInternal, Detail: "Config.Mutate failed for " + quote(m.ID), Err: err}
	}
	if changed.Response == nil {
		changed.Response = raw
	}
	out, oerr := changed.outgoing(a)
	if oerr == nil && (out.acs != a.acs.URL || !out.form.usual(out.acs) || !bytes.Equal(out.xml, raw)) {
		out.attack = m.ID // else this is the good answer, whatever was ordered
	}
	return out, oerr
}

func (s *Server) mutation(a answer, raw []byte) Mutation {
	m := Mutation{ID: a.attack, Response: bytes.Clone(raw), App: a.app.clone(), ACS: a.acs.URL, InResponseTo: a.inResponseTo,
		RelayState: a.relayState, OtherRelayState: s.messages.otherRelayState(a.app.ID, a.relayState),
		Now: a.now, Key: a.signer.key.own, Certificate: a.signer.key.cert}
	if m.ID == "" {
		m.ID = s.mutations.take(a.app.ID, a.login())
	}
	if a.user != nil {
		m.User = a.user.clone()
	}
	return m
}

// outgoing is what becomes of it. The list of the app holds for attacks too.
func (m Mutated) outgoing(a answer) (outgoing, *Error) {
	out := outgoing{acs: cmp.Or(m.ACS, a.acs.URL), xml: m.Response}
	if err := m.check(a); err != nil {
		return out, &Error{Reason: ReasonInternal, Detail: "Config.Mutate's answer can't be sent", Err: err}
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
		return badConfig("its ACS %s is not on the app's list", quote(withoutUser(m.ACS)))
	}
	for _, x := range slices.Concat(m.Query, m.Fields) {
		if !utf8.ValidString(x.Name+x.Value) || strings.ContainsRune(x.Name+x.Value, 0) {
			return badConfig("the field %s isn't text that a page can hold", quote(x.Name))
		}
	}
	if !slices.Contains([]Method{POST, GET}, m.Method) || !slices.Contains([]FormEncoding{URLEncoded, Multipart, PlainText}, m.Encoding) {
		return badConfig("a form has no method %s with encoding %s", quote(string(m.Method)), quote(string(m.Encoding)))
	}
	return nil
}
