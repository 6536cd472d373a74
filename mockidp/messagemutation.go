package mockidp

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/xml"
	"slices"
	"time"

	"github.com/beevik/etree"
)

// MessageKind is what a mutation changes.
type MessageKind string

// The kinds.
const (
	ChangesResponse       MessageKind = ""                   // a response to a sign-in: see Config.Mutate
	ChangesLogoutRequest  MessageKind = "LogoutRequest"      // one that the Server sends
	ChangesLogoutResponse MessageKind = "LogoutResponse"     // its answer to an app's
	ChangesArtifact       MessageKind = "artifact"           // the artifact that the browser carries
	ChangesArtifactAnswer MessageKind = "ArtifactResponse"   // the answer of the ArtifactResolutionService
	ChangesAttributes     MessageKind = "attribute Response" // the answer to an attribute query
)

// MessageMutation is a message that Config.MutateMessage may change before it is sent, with what is needed to forge
// another.
type MessageMutation struct {
	// ID is the mutation that applies to this message.
	ID   string
	Kind MessageKind
	// Binding is HTTP-Redirect, HTTP-POST or SOAP.
	Binding string
	// Message is the valid one: the document, or the artifact.
	Message []byte

	App App
	// User is the user whom it is about; zero if that is not known.
	User User
	// NameID, NameIDFormat and SessionIndex are those of a LogoutRequest, without the first two if it has an EncryptedID;
	// of an attribute query NameID and NameIDFormat.
	NameID, NameIDFormat, SessionIndex string
	// Destination is the address that a logout message goes to, and the app's ACS URL of an artifact and its answer.
	Destination string
	// InResponseTo is the ID of the request that it answers: a LogoutRequest, an ArtifactResolve or an attribute query.
	InResponseTo string
	// AuthnRequest is the ID of the request that the Response of an artifact answers. For other kinds it is that of the
	// last one of the app. "" if there is none.
	AuthnRequest string
	RelayState   string // of a logout message; "" if there is none
	Now          time.Time
	Key          crypto.Signer // the app's signing key
	Certificate  *x509.Certificate
	// OtherIssuer and OtherKey are those of Mutation.
	OtherIssuer string
	OtherKey    crypto.Signer
}

// MutatedMessage describes the message to send instead. The zero value leaves it unchanged.
type MutatedMessage struct {
	// Text is the query without "?" by HTTP-Redirect, the value of Param in the form by HTTP-POST, the envelope by SOAP,
	// or the artifact.
	Text string
	// Param is SAMLRequest or SAMLResponse, by HTTP-POST. Zero: that of the valid message.
	Param string
	// Document is listed by Server.Messages. Zero (nil): Text.
	Document []byte
}

// mutatedMessage returns what Config.MutateMessage makes of a message, and the ID of the mutation. Without one, Text is
// empty.
func (s *Server) mutatedMessage(st *state, app *App, login string, m MessageMutation) (MutatedMessage, string, *Error) {
	if s.config.MutateMessage == nil {
		return MutatedMessage{}, "", nil
	}
	if m.ID = s.takeMutation(app.ID, login, m.Kind); m.ID == "" {
		return MutatedMessage{}, "", nil
	}
	k, err := st.signer(app)
	if err != nil {
		return MutatedMessage{}, "", err
	}
	m.Message, m.App, m.Now, m.Key, m.Certificate = bytes.Clone(m.Message), app.clone(), s.now(), k.key.own, k.key.cert
	if u := st.user(login); u != nil {
		m.User = u.clone()
	}
	if m.Kind != ChangesArtifactAnswer {
		m.AuthnRequest = s.lastAuthnRequest(app.ID)
	}
	m.OtherIssuer, m.OtherKey = s.otherIdP(app.ID)
	out, merr := s.config.MutateMessage(m)
	if merr != nil {
		return MutatedMessage{}, "", internal("Config.MutateMessage failed for "+quote(m.ID), merr)
	}
	if out.Text == "" {
		return MutatedMessage{}, "", nil
	}
	if out.Document == nil {
		out.Document = []byte(out.Text)
	}
	return out, m.ID, nil
}

// readLogout fills in what a valid logout message says.
func (m *MessageMutation) readLogout(doc *etree.Document) {
	root := doc.Root()
	m.Kind, m.InResponseTo = ChangesLogoutRequest, root.SelectAttrValue("InResponseTo", "")
	if root.Tag == "LogoutResponse" {
		m.Kind = ChangesLogoutResponse
	}
	if name := childNamed(root, xml.Name{Space: nsAssertion, Local: "NameID"}); name != nil {
		m.NameID, m.NameIDFormat = name.Text(), name.SelectAttrValue("Format", "")
	}
	if index := childNamed(root, xml.Name{Space: nsProtocol, Local: "SessionIndex"}); index != nil {
		m.SessionIndex = index.Text()
	}
}

// lastAuthnRequest returns the ID of the last AuthnRequest of an app, or "".
func (s *Server) lastAuthnRequest(app string) string {
	all := s.Messages()
	for _, m := range slices.Backward(all) {
		if m.Direction != Received || m.App != app {
			continue
		}
		doc := etree.NewDocument()
		if doc.ReadFromBytes(m.XML) == nil && doc.Root() != nil && doc.Root().Tag == "AuthnRequest" {
			return doc.Root().SelectAttrValue("ID", "")
		}
	}
	return ""
}

// asItIs marks an envelope of Config.MutateMessage, which is sent without another one around it. No document begins
// with it.
const asItIs = "\x00"

// bySOAP returns an answer of the kind as it is to be sent: the message, or what Config.MutateMessage makes of it. It
// is listed with what m says beside the document.
func (s *Server) bySOAP(st *state, app *App, message []byte, change MessageMutation, m Message) ([]byte, *Error) {
	change.Binding, change.Message = "SOAP", message
	changed, id, err := s.mutatedMessage(st, app, m.User, change)
	if err != nil {
		return nil, err
	}
	out := message
	if id != "" {
		out, message, m.Attack = []byte(asItIs+changed.Text), changed.Document, id
	}
	m.Time, m.Direction, m.App, m.Binding, m.XML = s.now(), Sent, app.ID, bindingSOAP, message
	s.messages.add(m)
	return out, nil
}

// mutatedArtifact returns the artifact that the browser carries, and the ID of the mutation that changed it.
func (s *Server) mutatedArtifact(a answer, artifact string) (string, string, *Error) {
	changed, id, err := s.mutatedMessage(s.state.Load(), a.app, a.login(), MessageMutation{
		Kind: ChangesArtifact, Binding: "HTTP-POST", Message: []byte(artifact), Destination: a.acs.URL,
	})
	return cmp.Or(changed.Text, artifact), id, err
}
