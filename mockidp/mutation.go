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
	// ID is the mutation chosen on the sign-in page, else the one of QueueMutation, else the one of SetMutation; ""
	// if none applies to this answer.
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
	// OtherIssuer and OtherKey are the entity ID and the signing key of another identity provider: of the app with the
	// same ID at the Server's first tenant by name or, for a tenant, at the Server itself. Zero: there is none.
	OtherIssuer string
	OtherKey    crypto.Signer
}

// MutationInfo describes a mutation to a user who selects one.
type MutationInfo struct {
	ID string // set by Server.Mutations
	// Title is a few words. Zero: the ID alone.
	Title string
	// Family groups mutations. Zero: none.
	Family string
	// Reference is a CVE, a paper or a place in a standard. Zero: none.
	Reference string
	// Changes is what it changes. Zero: responses to sign-ins. Others are not offered at a sign-in.
	Changes MessageKind
}

// Label returns the ID and the Title.
func (m MutationInfo) Label() string {
	if m.Title == "" {
		return m.ID
	}
	return m.ID + " · " + m.Title
}

// Mutations returns Config.Mutations, described by Config.MutationInfo.
func (s *Server) Mutations() []MutationInfo {
	out := make([]MutationInfo, len(s.config.Mutations))
	for i, id := range s.config.Mutations {
		out[i] = s.config.MutationInfo[id]
		out[i].ID = id
	}
	return out
}

// family is a group of mutations, as the pages offer them.
type family struct {
	Name      string
	Mutations []MutationInfo
}

// families groups the mutations of responses in which each word of a search occurs, in the order of Config.Mutations.
func (s *Server) families(search string) []family {
	var out []family
	words := strings.Fields(strings.ToLower(search))
	for _, m := range s.Mutations() {
		if m.Changes != ChangesResponse {
			continue
		}
		text := strings.ToLower(m.Label() + " " + m.Family + " " + m.Reference)
		if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			continue
		}
		at := slices.IndexFunc(out, func(f family) bool { return f.Name == m.Family })
		if at < 0 {
			at, out = len(out), append(out, family{Name: m.Family})
		}
		out[at].Mutations = append(out[at].Mutations, m)
	}
	return out
}

// attackList is the list of mutations on a page.
type attackList struct {
	Families []family
	Ordered  bool   // one is queued for the answer, or switched on
	Chosen   string // ID, or ""
}

// Mutated describes the message to send instead of a valid answer. The zero value leaves the answer unchanged. An
// HTML form must be able to carry it: values are UTF-8 without NUL, and only the methods, types and headers of
// forms exist.
type Mutated struct {
	// Response is the document. Zero (nil): Mutation.Response.
	Response []byte
	// ACS is where it goes, another URL of the app's list. Zero: Mutation.ACS.
	ACS string
	// Query is added to that URL. Zero: nothing is added.
	Query []Field
	// Fields replace the usual fields, of which SAMLResponse would be Response in base64: broken base64, a duplicate
	// field, another RelayState. Zero (nil): the usual ones.
	Fields []Field
	// Method and Encoding are how the form is sent. Zero: as the binding has it.
	Method   Method
	Encoding FormEncoding
}

// mutated returns the message to send: the answer, or what Config.Mutate makes of it.
func (s *Server) mutated(a answer, raw []byte) (Message, *Error) {
	if s.config.Mutate == nil {
		return Mutated{Response: raw}.message(a)
	}
	mutation := s.mutation(a, raw)
	changed, err := s.config.Mutate(mutation)
	if err != nil {
		return Message{}, internal("Config.Mutate failed for "+quote(mutation.ID), err)
	}
	if changed.Response == nil {
		changed.Response = raw
	}
	m, merr := changed.message(a)
	f := m.Form
	usual := f.URL == a.acs.URL && m.ACS == f.URL && f.Fields == nil && f.Method == POST && f.Encoding == URLEncoded
	if merr == nil && (!usual || !bytes.Equal(m.XML, raw)) {
		m.Attack = mutation.ID // else it is the valid answer
	}
	return m, merr
}

func (s *Server) mutation(a answer, raw []byte) Mutation {
	m := Mutation{ID: a.attack, Response: bytes.Clone(raw), App: a.app.clone(), ACS: a.acs.URL,
		InResponseTo: a.inResponseTo, RelayState: a.relayState,
		OtherRelayState: s.messages.otherRelayState(a.app.ID, a.relayState),
		Now:             a.now, Key: a.signer.key.own, Certificate: a.signer.key.cert}
	if m.ID == "" {
		m.ID = s.takeMutation(a.app.ID, a.login(), ChangesResponse)
	}
	if a.user != nil {
		m.User = a.user.clone()
	}
	m.OtherIssuer, m.OtherKey = s.otherIdP(a.app.ID)
	return m
}

// otherIdP returns the entity ID and the signing key that an app has at another tenant, if there is one.
func (s *Server) otherIdP(appID string) (string, crypto.Signer) {
	other := s.root
	if other == nil {
		all := s.Tenants()
		if len(all) == 0 {
			return "", nil
		}
		other = all[0]
	}
	st := other.state.Load()
	app, err := st.samlApp(appID)
	if err != nil {
		return "", nil
	}
	signer, err := st.signer(app)
	if err != nil {
		return "", nil
	}
	return app.Issuer, signer.key.own
}

func (m Mutated) message(a answer) (Message, *Error) {
	if err := m.check(a); err != nil {
		return Message{}, internal("the result of Config.Mutate can't be sent", err)
	}
	acs := cmp.Or(m.ACS, a.acs.URL)
	form := Form{URL: acs, SAMLResponse: base64.StdEncoding.EncodeToString(m.Response), RelayState: a.relayState,
		Fields: slices.Clone(m.Fields), Method: m.Method, Encoding: m.Encoding}
	if i := slices.IndexFunc(m.Fields, func(x Field) bool { return x.Name == "SAMLResponse" }); i >= 0 {
		form.SAMLResponse = m.Fields[i].Value
	}
	if len(m.Query) > 0 {
		join := "?"
		if strings.Contains(acs, "?") {
			join = "&"
		}
		form.URL += join + encodeFields(m.Query)
	}
	return Message{ACS: acs, XML: m.Response, Form: form}, nil
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
