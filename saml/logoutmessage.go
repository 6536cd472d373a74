package saml

import (
	"errors"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// LogoutMessage is a logout message as it arrived. Nothing in it is verified.
type LogoutMessage struct {
	// Binding is HTTPRedirect, HTTPPost or SOAP. Take it from the HTTP request.
	Binding string
	// Query is the raw query of an HTTPRedirect, exactly as it was received: the signature is over its octets. The
	// message in it has at most 64 KiB, or Config.Limits.Bytes if that is less.
	Query string
	// Message is the form value SAMLRequest or SAMLResponse of an HTTPPost, in base64, or the envelope of SOAP.
	Message []byte
	// RelayState is the form value of an HTTPPost.
	RelayState string
}

// logoutMessage is a logout message whose signature was verified. Only openLogout returns one.
type logoutMessage struct {
	*verification
	root       xmltree.Node
	relayState string

	id, version  string
	issueInstant time.Time
	issuer       issuer
	destination  optional[string]
}

// openLogout reads a message, verifies its signature, and checks the rules that requests and responses share (Core
// 3.2.1, 3.2.2). The values are read from what the signature covers. With an error it returns the message if its
// signature verified.
func (sp *ServiceProvider) openLogout(in LogoutMessage, param, name string) (*logoutMessage, error) {
	m := &logoutMessage{verification: &verification{cfg: &sp.cfg, now: sp.cfg.Now(), idp: sp.cfg.only()}}
	var query redirectQuery
	var doc string
	var err error
	switch in.Binding {
	case HTTPRedirect:
		if query, err = parseRedirect(in.Query); err != nil {
			return nil, err
		}
		if query.param() != param {
			return nil, badQuery("not a "+name, query.param())
		}
		if m.relayState, err = query.decoded("RelayState"); err != nil {
			return nil, err
		}
		doc, err = query.message(sp.cfg.Limits.Bytes)
	case HTTPPost:
		m.relayState = in.RelayState
		doc, err = sp.cfg.decodeBase64(in.Message)
	case SOAP:
		doc = string(in.Message)
	default:
		return nil, configError("LogoutMessage.Binding",
			"%s is none of HTTP-Redirect, HTTP-POST and SOAP", quote(in.Binding))
	}
	if err != nil {
		return nil, err
	}
	if err := m.readDocument(doc, in.Binding, name); err != nil {
		return nil, err
	}
	if err := m.readHead(); err != nil {
		return nil, err
	}
	if err := m.findIssuer(); err != nil {
		return nil, err
	}
	if query != nil {
		err = m.verifyQuery(query)
	} else {
		err = m.verifyEnveloped()
	}
	if err != nil {
		return nil, err
	}
	return m, m.checkHead(in.Binding, sp.logout.Load().published)
}

// readDocument parses a document once, and finds the message in it.
func (m *logoutMessage) readDocument(doc, binding, name string) error {
	tree, err := xmltree.Parse(doc, m.cfg.Limits.tree(xmltree.Name{}))
	if err != nil {
		return fromTree(err)
	}
	m.root = tree.Root()
	if binding == SOAP {
		if m.root, err = readEnvelope(m.root); err != nil {
			return err
		}
	}
	if !m.root.Is(xmltree.Protocol, name) {
		return &Error{Reason: ReasonNotLogout, Want: "{" + nsProtocol + "}" + name, Got: m.root.Name()}
	}
	return nil
}

func (m *logoutMessage) readHead() error {
	var d decoder
	m.id, m.version = d.attr(m.root, "ID"), d.attr(m.root, "Version")
	m.issueInstant = d.requiredTime(m.root, "IssueInstant")
	m.destination = d.optional(m.root, "Destination")
	m.issuer = d.issuer(m.root)
	return asLogout(d.err)
}

// asLogout gives an error of the decoder, which also reads Responses, the Reason for logout messages.
func asLogout(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Reason != ReasonNotResponse {
		return err
	}
	changed := *e
	changed.Reason = ReasonNotLogout
	return &changed
}

// findIssuer finds the identity provider that the Issuer names, whose keys must then verify the signature.
func (m *logoutMessage) findIssuer() error {
	const rule = "Issuer (Profiles 4.4.4)"
	if !m.issuer.given {
		return &Error{Reason: ReasonIssuer, Rule: rule, Detail: "no Issuer names the identity provider"}
	}
	idp, err := m.cfg.find(m.issuer.value)
	switch {
	case err != nil && m.cfg.IdPs == nil:
		return &Error{Reason: ReasonIssuer, Rule: rule, Want: m.idp.entityID, Got: m.issuer.value}
	case err != nil:
		return err
	case m.issuer.format != "" && m.issuer.format != formatEntity:
		return &Error{Reason: ReasonIssuer, Rule: rule, Detail: "Format", Want: formatEntity, Got: m.issuer.format}
	}
	m.idp = idp
	return m.cfg.checkMetadataInForce(idp, m.now)
}

// verifyQuery verifies the signature of an HTTP-Redirect message over the octets received (Bindings 3.4.4.1). It covers
// the whole document, in which there is then no other (ibid.).
func (m *logoutMessage) verifyQuery(q redirectQuery) error {
	octets, signature, algorithm, err := q.signed()
	if err != nil {
		return err
	}
	if err := m.noSignatures(xmltree.Node{}); err != nil {
		return err
	}
	if err := dsig.VerifyOctets(algorithm, []byte(octets), signature, m.idp.public, m.policy()); err != nil {
		return fromSignature(m.root.Local(), err)
	}
	return nil
}

// verifyEnveloped verifies the signature of the message in its XML (Core 5.4).
func (m *logoutMessage) verifyEnveloped() error {
	signature := m.root.Child(xmltree.Signature, "Signature")
	if !signature.OK() {
		return &Error{Reason: ReasonUnsigned, Rule: ruleSignatures, Detail: "the " + m.root.Local() + " is not signed"}
	}
	if err := m.noSignatures(signature); err != nil {
		return err
	}
	envelope, err := m.readSignature(signature)
	if err != nil {
		return err
	}
	signed, err := m.verifySignature(m.root.Local(), envelope)
	if err != nil {
		return err
	}
	if signed.Element() != m.root {
		return &Error{Reason: ReasonSignatureShape, Detail: "the signature does not cover the message"}
	}
	return nil
}

// noSignatures refuses every Signature in the document but one.
func (m *logoutMessage) noSignatures(but xmltree.Node) error {
	var err error
	m.root.Doc().Root().Walk(func(n xmltree.Node) {
		if n.Is(xmltree.Signature, "Signature") && n != but {
			err = &Error{Reason: ReasonSignatureShape, Rule: ruleShapes, Detail: "a Signature that is not the message's"}
		}
	})
	return err
}

// checkHead checks the rules of all messages. Destination is required where the message is signed and goes through a
// browser (Bindings 3.4.5.2, 3.5.5.2). It is always the URL in our metadata, even if another Region forwarded the
// message.
func (m *logoutMessage) checkHead(binding, published string) error {
	switch {
	case m.version != "2.0":
		return &Error{Reason: ReasonVersion, Rule: "Version (Core 3.2.1)", Want: "2.0", Got: m.version}
	case !goodID(m.id):
		return &Error{Reason: ReasonID, Rule: "ID (Core 1.3.4)", Want: idForm, Got: m.id}
	case published == "":
		return configError("Config.Logout", "is required for logout")
	case m.destination.given && m.destination.value != published, !m.destination.given && binding != SOAP:
		const rule = "Destination (Core 3.2.1)"
		return &Error{Reason: ReasonDestination, Rule: rule, Want: published, Got: m.destination.value}
	}
	return m.checkIssueInstant("IssueInstant", m.issueInstant)
}
