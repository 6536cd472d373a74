package saml

import (
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// VerifiedLogoutResponse is an identity provider's answer to a LogoutRequest of ours. Only
// [ServiceProvider.VerifyLogoutResponse] returns one.
type VerifiedLogoutResponse struct {
	id, idp, inResponseTo, relayState string

	status status
	asked  LogoutEndpoint
}

const ruleLogoutAnswer = "InResponseTo (Profiles 4.4.4.2)"

// VerifyLogoutResponse verifies a LogoutResponse that was sent to the single logout URL in our metadata (Core 3.7.2,
// Profiles 4.4.4.2). It must be signed, by the identity provider to which we sent a LogoutRequest. Any Region can
// verify it. The caller must still find the request in the same browser, accept one answer to it, and call
// CheckRequest. The error is a [*Error].
func (sp *ServiceProvider) VerifyLogoutResponse(in LogoutMessage) (*VerifiedLogoutResponse, error) {
	m, err := sp.openLogout(in, "SAMLResponse", "LogoutResponse")
	if err != nil {
		return nil, err
	}
	for c := m.root.First(); c.OK(); c = c.Next() {
		if !c.Is(xmltree.Assertion, "Issuer") && !c.Is(xmltree.Signature, "Signature") &&
			!c.Is(xmltree.Protocol, "Extensions") && !c.Is(xmltree.Protocol, "Status") {
			return nil, &Error{Reason: ReasonNotLogout, Detail: "unexpected element in the LogoutResponse", Got: c.Name()}
		}
	}
	read, err := decodeResponse(m.root)
	if err != nil {
		return nil, asLogout(err)
	}
	to := read.inResponseTo.value
	asked, ours := sp.logout.Load().tagOf(to)
	switch {
	case !ours:
		return nil, &Error{
			Reason: ReasonInResponseTo, Rule: ruleLogoutAnswer,
			Want: "the ID of a LogoutRequest of ours", Got: to,
		}
	case !strings.HasPrefix(afterTag(to), idpTag(m.idp.entityID)):
		return nil, &Error{
			Reason: ReasonIdP, Rule: ruleLogoutAnswer,
			Want: "a request made to " + m.idp.entityID, Got: to,
		}
	case read.status.code == "":
		return nil, &Error{Reason: ReasonSchema, Rule: "Status (Core 3.2.2.1)", Detail: "no StatusCode"}
	}
	return &VerifiedLogoutResponse{
		id: strings.Clone(m.id), idp: m.idp.entityID, inResponseTo: strings.Clone(to), relayState: m.echo(),
		status: read.status.clone(), asked: asked,
	}, nil
}

func (s status) clone() status {
	out := status{code: strings.Clone(s.code), message: strings.Clone(clip(s.message))}
	for _, code := range s.nested {
		out.nested = append(out.nested, strings.Clone(code))
	}
	return out
}

// ID returns the response's ID.
func (r *VerifiedLogoutResponse) ID() string { return r.id }

// IdP returns the entity ID of the identity provider that answered.
func (r *VerifiedLogoutResponse) IdP() string { return r.idp }

// InResponseTo returns the ID of the LogoutRequest.
func (r *VerifiedLogoutResponse) InResponseTo() string { return r.inResponseTo }

// Endpoint returns the endpoint that the LogoutRequest was made for. If it is not the one at which the answer arrived,
// send the browser there, with the same message.
func (r *VerifiedLogoutResponse) Endpoint() LogoutEndpoint { return r.asked }

// RelayState returns what the request was sent with, or what an attacker replaced it by if the binding is HTTP-POST.
func (r *VerifiedLogoutResponse) RelayState() string { return r.relayState }

// Success reports whether all sessions at the identity provider, and those at other service providers that it knows of,
// have ended.
func (r *VerifiedLogoutResponse) Success() bool {
	return r.status.code == statusSuccess && !r.Partial()
}

// Partial reports whether the session at the identity provider ended, and some at other service providers may not have
// (PartialLogout, Core 3.7.3.2).
func (r *VerifiedLogoutResponse) Partial() bool {
	return slices.Contains(r.status.nested, statusPartial)
}

// Status returns the status codes, the outermost first.
func (r *VerifiedLogoutResponse) Status() []string {
	return append([]string{r.status.code}, r.status.nested...)
}

// CheckRequest checks that the response answers a request that was kept.
func (r *VerifiedLogoutResponse) CheckRequest(record LogoutRecord) error {
	switch {
	case record.ID == "" || r.inResponseTo != record.ID:
		return &Error{Reason: ReasonInResponseTo, Rule: ruleLogoutAnswer, Want: record.ID, Got: r.inResponseTo}
	case r.idp != record.IdP:
		return &Error{Reason: ReasonIdP, Rule: "Issuer (Profiles 4.4.4.2)", Want: record.IdP, Got: r.idp}
	}
	return nil
}
