package saml

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	maxSessionIndexes = 256
	maxSessionIndex   = 1024 // bytes
)

// VerifiedLogoutRequest is an identity provider's LogoutRequest whose signature verified and for which every rule
// holds. Only [ServiceProvider.VerifyLogoutRequest] returns one.
type VerifiedLogoutRequest struct {
	id, idp, binding, relayState, reason string

	nameID  NameID
	indexes []string
	origins []string
	issued  time.Time
	end     time.Time
}

// VerifyLogoutRequest verifies a LogoutRequest of an identity provider (Core 3.7.1, Profiles 4.4.4.1) that was sent to
// the single logout URL in our metadata. It must be signed. It keeps no state: the caller must accept each ID once, end
// the sessions, and refuse later assertions that the request names (Core 3.7.3.1). The error is a [*Error], which
// [ServiceProvider.NewLogoutRefusal] answers.
func (sp *ServiceProvider) VerifyLogoutRequest(in LogoutMessage) (*VerifiedLogoutRequest, error) {
	if in.Binding == SOAP && !sp.cfg.LogoutSOAP {
		return nil, &Error{Reason: ReasonNotLogout, Rule: ruleSOAP, Detail: "our metadata offers no SOAP (Config.LogoutSOAP)"}
	}
	m, err := sp.openLogout(in, "SAMLRequest", "LogoutRequest")
	if err != nil {
		return nil, m.refused(in.Binding, err)
	}
	d := decoder{v: m.verification, signed: m.root}
	until := d.optionalTime(m.root, "NotOnOrAfter")
	r := &VerifiedLogoutRequest{
		id: strings.Clone(m.id), idp: m.idp.entityID, binding: in.Binding, relayState: m.echo(),
		reason: strings.Clone(d.attr(m.root, "Reason")), issued: m.issueInstant, origins: m.idp.origins(),
		nameID: d.loggedOut(m.root), indexes: d.sessionIndexes(m.root),
	}
	if d.err != nil {
		return nil, m.refused(in.Binding, asLogout(d.err))
	}
	r.end = m.issueInstant.Add(m.cfg.MaxAge)
	if until.given {
		if err := m.checkNotOnOrAfter("LogoutRequest/@NotOnOrAfter (Core 3.7.1)", until.value); err != nil {
			return nil, m.refused(in.Binding, err)
		}
		// Not before IssueInstant + MaxAge, until when the same message would be accepted: see NotOnOrAfter.
		r.end = earliest(until.value, m.issueInstant.Add(max(maxLogoutValidity, m.cfg.MaxAge)))
	}
	return r, nil
}

// echo returns the RelayState to answer with: what was sent, or nothing if it is longer than the binding allows.
func (m *logoutMessage) echo() string {
	if len(m.relayState) > maxRelayState {
		return ""
	}
	return strings.Clone(m.relayState)
}

// loggedOut reads the one identifier of a LogoutRequest, and refuses children that the schema doesn't allow.
func (d *decoder) loggedOut(n xmltree.Node) NameID {
	identifiers := 0
	var name xmltree.Node
	for c := n.First(); c.OK(); c = c.Next() {
		switch {
		case c.Is(xmltree.Assertion, "BaseID"):
			d.fail(unknownBaseID())
		case c.Is(xmltree.Assertion, "NameID"), c.Is(xmltree.Assertion, "EncryptedID"):
			identifiers++
			name = c
		case c.Is(xmltree.Assertion, "Issuer"), c.Is(xmltree.Signature, "Signature"),
			c.Is(xmltree.Protocol, "Extensions"), c.Is(xmltree.Protocol, "SessionIndex"):
		default:
			d.fail(&Error{Reason: ReasonNotLogout, Detail: "unexpected element in the LogoutRequest", Got: c.Name()})
		}
	}
	if identifiers != 1 {
		d.fail(&Error{
			Reason: ReasonNameID, Rule: "Identifier (Core 3.7.1)", Want: "one NameID or EncryptedID",
			Got: fmt.Sprint(identifiers),
		})
		return NameID{}
	}
	if name.Is(xmltree.Assertion, "EncryptedID") {
		name = d.decrypt(name, "NameID")
	}
	if !name.OK() {
		return NameID{}
	}
	id := d.nameID(name).detached()
	if isBlank(id.Value) {
		d.fail(&Error{Reason: ReasonNameID, Rule: "Identifier (Core 3.7.1)", Detail: "no NameID with a value"})
	}
	return id
}

// detached returns a copy that does not keep the document in memory.
func (n NameID) detached() NameID {
	return NameID{
		strings.Clone(n.Value), strings.Clone(n.Format), strings.Clone(n.NameQualifier),
		strings.Clone(n.SPNameQualifier), strings.Clone(n.SPProvidedID),
	}
}

func (d *decoder) sessionIndexes(n xmltree.Node) (all []string) {
	for c := n.Child(xmltree.Protocol, "SessionIndex"); c.OK(); c = c.NextSame() {
		index := d.text(c)
		if len(all) == maxSessionIndexes || len(index) > maxSessionIndex {
			const detail = "a LogoutRequest has too many SessionIndexes, or a long one"
			d.fail(&Error{Reason: ReasonLimit, Rule: "SessionIndex (Core 3.7.1)", Detail: detail})
			return nil
		}
		all = append(all, strings.Clone(index))
	}
	return all
}

// ID returns the request's ID.
func (r *VerifiedLogoutRequest) ID() string { return r.id }

// IdP returns the entity ID of the identity provider that sent the request.
func (r *VerifiedLogoutRequest) IdP() string { return r.idp }

// Binding returns the binding by which the request arrived.
func (r *VerifiedLogoutRequest) Binding() string { return r.binding }

// NameID returns the user's NameID, decrypted. Compare it whole, after the defaults of Core 2.2.2: no Format is
// unspecified, no NameQualifier is the identity provider's entity ID, no SPNameQualifier is ours.
func (r *VerifiedLogoutRequest) NameID() NameID { return r.nameID }

// SessionIndexes returns the named sessions. Empty: all sessions of the user.
func (r *VerifiedLogoutRequest) SessionIndexes() []string { return slices.Clone(r.indexes) }

// Origins returns the origins of the identity provider's endpoints in its metadata, such as https://idp.example:8443:
// of the first eight for logout, and the first eight for sign-in. It may show the answer in a frame, so only they may
// be the ancestors of that page. They are safe in a Content-Security-Policy.
func (r *VerifiedLogoutRequest) Origins() []string { return slices.Clone(r.origins) }

// IssueInstant returns when the request was issued, by the identity provider's clock.
func (r *VerifiedLogoutRequest) IssueInstant() time.Time { return r.issued }

// NotOnOrAfter returns until when the request must be applied to assertions that arrive later (Core 3.7.3.1): its
// NotOnOrAfter, but at most 24 hours after its IssueInstant, or Config.MaxAge if that is more. Without one it is the
// IssueInstant plus Config.MaxAge. VerifyLogoutRequest refuses the same message after that instant plus Config.Skew, so
// a record that prevents its replay may end then.
func (r *VerifiedLogoutRequest) NotOnOrAfter() time.Time { return r.end }

// Reason returns the identity provider's reason, a URI, or nothing.
func (r *VerifiedLogoutRequest) Reason() string { return r.reason }

// RelayState returns the value to send back with the answer. It is empty if there was none, or one of more than
// 80 bytes (Bindings 3.4.3). Use it for nothing else.
func (r *VerifiedLogoutRequest) RelayState() string { return r.relayState }

// String describes the request for a log, without the user's name.
func (r *VerifiedLogoutRequest) String() string {
	return fmt.Sprintf("LogoutRequest %s of %s for %d sessions, issued %s, until %s",
		r.id, r.idp, len(r.indexes), stamp(r.issued), stamp(r.end))
}
