package attack

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// LogoutCase is one hostile logout message of an identity provider (SAML Core 3.7): a row of the catalogue or a variant
// of one.
type LogoutCase struct {
	// ID, Name, Description and Reference are as in [Case].
	ID, Name, Description, Reference string
	Binding                          LogoutBinding
	// Answer: it is a LogoutResponse, or is sent as one. Otherwise it is a LogoutRequest.
	Answer  bool
	Outcome LogoutOutcome
	// Key is the kind of key that the identity provider signs with.
	Key KeyKind
	// Encrypted: the name is encrypted for Params.EncryptTo (EncryptedID).
	Encrypted bool
	// OtherIdP: the service provider trusts Params.OtherIdP, too.
	OtherIdP bool

	changes
}

// LogoutBinding is how a logout message is sent.
type LogoutBinding int

// The bindings of logout messages (Bindings 3.4, 3.5, 3.2).
const (
	ByPOST LogoutBinding = iota
	ByRedirect
	BySOAP
)

var logoutBindings = [...]string{"HTTP-POST", "HTTP-Redirect", "SOAP"}

// String returns "HTTP-POST", "HTTP-Redirect" or "SOAP".
func (b LogoutBinding) String() string { return logoutBindings[b] }

// Row returns the ID of the row that c shows.
func (c LogoutCase) Row() string {
	row, _, _ := strings.Cut(c.ID, "/")
	return row
}

// LogoutOutcome is the expected outcome of a logout message. An accepted LogoutRequest names Params.Subject, whose
// session ends.
type LogoutOutcome struct {
	// Reasons are as in [Outcome]. Empty: it is accepted.
	Reasons []string
	// AllSessions: an accepted LogoutRequest names no SessionIndex.
	AllSessions bool
	// OtherSubject: an accepted LogoutRequest names another user, though it may look like Params.Subject. The session of
	// Params.Subject must not end.
	OtherSubject bool
}

// Ends reports whether the message must end the session of Params.Subject.
func (o LogoutOutcome) Ends() bool { return o.Accepted() && !o.OtherSubject }

// Accepted reports whether the message is to be accepted.
func (o LogoutOutcome) Accepted() bool { return len(o.Reasons) == 0 }

// String returns "accepted", or "refused" and the reasons.
func (o LogoutOutcome) String() string { return Outcome{Reasons: o.Reasons}.String() }

// LogoutParams fills in a logout message. Of Params, Recipient is the logout URL, RequestID is the ID of an
// AuthnRequest, Subject is the user who is signed in, and Forged is another one. Sign, Attributes, IdentityAttribute
// and OtherACS have no meaning.
type LogoutParams struct {
	Params
	// SessionIndex names the session of Subject. Required.
	SessionIndex string
	// InResponseTo is the ID of the LogoutRequest that a LogoutResponse answers. Required where c.Answer.
	InResponseTo string
	// RelayState is sent with the message. Empty: none is.
	RelayState string
}

// LogoutMessage is a logout message as it is sent.
type LogoutMessage struct {
	Binding LogoutBinding
	Param   string // SAMLRequest or SAMLResponse
	// Text is the raw query by HTTP-Redirect, the value of Param in the form by HTTP-POST, and the envelope by SOAP.
	Text       string
	RelayState string // in the form by HTTP-POST
	XML        []byte // the document
}

// LogoutCases lists the logout messages in the order of the catalogue. They share slices, which must not be changed.
func LogoutCases() []LogoutCase { return slices.Clone(read().logouts) }

// Make makes the hostile message.
func (c LogoutCase) Make(p LogoutParams) (LogoutMessage, error) { return c.make(p, c.base, c.attack) }

// Twin makes the same message without the attack. A service provider that sent the LogoutRequest, or has the session,
// must accept it.
func (c LogoutCase) Twin(p LogoutParams) (LogoutMessage, error) { return c.make(p, c.base) }

// PlainTwin reports whether the twin is a plain good message by its binding.
func (c LogoutCase) PlainTwin() bool {
	return !c.Encrypted && !slices.ContainsFunc(c.base[:], func(steps []func(*draft)) bool { return steps != nil })
}

func (c LogoutCase) make(p LogoutParams, changes ...change) (LogoutMessage, error) {
	if p.SessionIndex == "" || c.Answer && p.InResponseTo == "" {
		err := errors.New("missing SessionIndex or InResponseTo")
		return LogoutMessage{}, &Error{Rule: c.ID, Detail: "parameters", Err: err}
	}
	if !c.Encrypted {
		p.EncryptTo = nil
	}
	n := Needs{Key: c.Key, Encrypted: c.Encrypted, SP: Settings{OtherIdP: c.OtherIdP}}
	d, err := newDraft(p.Params, n, changes)
	if err != nil {
		return LogoutMessage{}, &Error{Rule: c.ID, Detail: "parameters", Err: err}
	}
	d.logout = &logoutDraft{LogoutParams: p, binding: c.Binding, answer: c.Answer, param: "SAMLRequest", escape: escaped}
	if c.Answer {
		d.logout.param = "SAMLResponse"
	}
	m := d.makeLogout()
	if d.err != nil {
		return LogoutMessage{}, &Error{Rule: c.ID, Detail: "making it", Err: d.err}
	}
	return m, nil
}

func (c *LogoutCase) set(name string, args []string) bool {
	switch name {
	case "by":
		c.Binding = LogoutBinding(slices.Index(logoutBindings[:], args[0]))
	case "answer":
		c.Answer = true
	case "key":
		c.Key = keyCalled(args[0])
	case "encrypted":
		c.Encrypted = true
	case "sp":
		c.OtherIdP = c.OtherIdP || args[0] == "OtherIdP"
	case "all-sessions":
		c.Outcome.AllSessions = true
	case "other-subject":
		c.Outcome.OtherSubject = true
	default:
		return false
	}
	return true
}

// logoutDraft is what a draft of a logout message has beside a document.
type logoutDraft struct {
	LogoutParams
	binding LogoutBinding
	answer  bool

	// The setup stage may change these.
	param     string // the name by which a query is signed
	escape    func(string) string
	enveloped bool // by HTTP-Redirect there is a signature in the XML, too
	bare      bool // by HTTP-Redirect there is no signature in the query
	hmac      []byte

	payload []byte // instead of the deflated document
}

// makeLogout makes a good message and runs the steps.
func (d *draft) makeLogout() LogoutMessage {
	l := d.logout
	d.run(setup)
	d.buildLogout()
	d.run(before)
	if d.encryption != nil {
		name := d.find("LogoutRequest/NameID")
		name.CreateAttr("xmlns:saml2", nsAssertion)
		d.text = d.plaintext(name)
		d.run(inside)
		swap(name, d.encrypted("saml2:EncryptedID", d.text, *d.encryption))
		d.run(sealed)
	}
	if !d.unsigned && (l.binding != ByRedirect || l.enveloped) {
		d.sig = d.sign(d.tree.Root(), d.key)
		d.run(signed)
	}
	d.run(after)
	d.text = d.write(d.tree)
	d.run(text)
	d.document = d.text
	out := LogoutMessage{Binding: l.binding, Param: l.param}
	switch l.binding {
	case ByRedirect:
		d.text = d.query()
	case BySOAP:
		d.text = enveloped(d.document)
	default:
		d.text, out.RelayState = encode([]byte(d.document)), l.RelayState
	}
	d.run(posted)
	out.Text, out.XML = d.text, []byte(d.document)
	return out
}

// buildLogout makes the good, unsigned message.
func (d *draft) buildLogout() {
	l := d.logout
	name := "saml2p:LogoutRequest"
	if l.answer {
		name = "saml2p:LogoutResponse"
	}
	root := node(name, "xmlns:saml2p", nsProtocol, "xmlns:saml2", nsAssertion,
		"Destination", d.p.Recipient, "ID", d.newID(), "IssueInstant", d.at(0), "Version", "2.0")
	d.tree = etree.NewDocumentWithRoot(root)
	child(root, "saml2:Issuer").SetText(d.p.Issuer)
	if l.answer {
		root.CreateAttr("InResponseTo", l.InResponseTo)
		child(child(root, "saml2p:Status"), "saml2p:StatusCode", "Value", success)
		return
	}
	root.CreateAttr("NotOnOrAfter", d.at(lifetime))
	child(root, "saml2:NameID", "Format", cmp.Or(d.p.NameIDFormat, email)).SetText(d.p.Subject)
	child(root, "saml2p:SessionIndex").SetText(l.SessionIndex)
}

// stored returns a DEFLATE stream whose blocks are not compressed (RFC 1951, 3.2.4): compression isn't the same in
// every version of Go.
func stored(text string) []byte {
	const most = 1<<16 - 1
	var out []byte
	for first := true; first || text != ""; first = false {
		block := text[:min(len(text), most)]
		text = text[len(block):]
		final := byte(0)
		if text == "" {
			final = 1
		}
		out = append(out, final)
		out = binary.LittleEndian.AppendUint16(out, uint16(len(block)))
		out = binary.LittleEndian.AppendUint16(out, ^uint16(len(block)))
		out = append(out, block...)
	}
	return out
}

// query returns the message as a query of HTTP-Redirect, signed over its octets (Bindings 3.4.4.1).
func (d *draft) query() string {
	l := d.logout
	payload := l.payload
	if payload == nil {
		payload = stored(d.document)
	}
	q := l.param + "=" + l.escape(encode(payload))
	if l.RelayState != "" {
		q += "&RelayState=" + l.escape(l.RelayState)
	}
	if l.bare {
		return q
	}
	method := cmp.Or(d.method, methodOf(d.key))
	q += "&SigAlg=" + l.escape(method)
	value, err := signText(d.key, method, []byte(q))
	if err != nil {
		d.fail("signing: %w", err)
	}
	if l.hmac != nil {
		m := hmac.New(sha256.New, l.hmac)
		m.Write([]byte(q))
		value = m.Sum(nil)
	}
	return q + "&Signature=" + l.escape(encode(value))
}
