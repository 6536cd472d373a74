package saml

import (
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// VerifyArtifactResponse verifies the answer to an ArtifactResolve, a SOAP envelope, and the Response in it (Core
// 3.5.2, Profiles 4.1.4.4). It is [ServiceProvider.Verify] for a response that did not come through the browser, with
// these differences. The signature of the ArtifactResponse counts as that of the Response; TLS alone doesn't count. The
// ArtifactResponse must answer that ArtifactResolve and be of the identity provider that was asked, and so must the
// Response: otherwise the error has ReasonInResponseTo, ReasonIssuer or ReasonIdP. The Response need
// not have a Destination (Bindings 3.6.5.2); one that it has must be the ACS URL.
func (sp *ServiceProvider) VerifyArtifactResponse(
	envelope []byte, to ArtifactRecord, want VerifyOptions,
) (*Assertion, error) {
	return sp.verify(string(envelope), &to, want, nil)
}

// ExplainArtifactResponse verifies like VerifyArtifactResponse and reports on every rule, as [ServiceProvider.Explain]
// does.
func (sp *ServiceProvider) ExplainArtifactResponse(envelope []byte, to ArtifactRecord, want VerifyOptions) Report {
	var t trace
	assertion, err := sp.verify(string(envelope), &to, want, &t)
	return Report{assertion, err, t.checks}
}

const ruleArtifactResponse = "ArtifactResponse (Core 3.5.2, Profiles 5.4.2)"

// parseArtifactResponse parses the envelope, and finds the one Response in the ArtifactResponse. The status of the
// ArtifactResponse is checked first: only with Success can there be a message. No message with Success means that the
// artifact is unknown, used or expired (Core 3.5.3).
func (v *verification) parseArtifactResponse(doc string) (*message, error) {
	tree, err := xmltree.Parse(doc, v.cfg.Limits.tree(xmltree.Name{}))
	if err != nil {
		return nil, fromTree(err)
	}
	answer, err := readEnvelope(tree.Root())
	if err != nil {
		return nil, err
	}
	if !answer.Is(xmltree.Protocol, "ArtifactResponse") {
		return nil, &Error{
			Reason: ReasonNotResponse, Want: "{" + nsProtocol + "}ArtifactResponse", Got: answer.Name(),
		}
	}
	m := &message{artifactResponse: answer}
	if m.around, err = decodeResponse(answer); err != nil {
		return nil, err
	}
	if err := m.around.checkStatus(); err != nil {
		return nil, err
	}
	for c := answer.First(); c.OK(); c = c.Next() {
		switch {
		case c.Is(xmltree.Protocol, "Response") && !m.root.OK():
			m.root = c
		case c.Is(xmltree.Assertion, "Issuer"), c.Is(xmltree.Signature, "Signature"),
			c.Is(xmltree.Protocol, "Extensions"), c.Is(xmltree.Protocol, "Status"):
		default:
			return nil, &Error{Reason: ReasonNotResponse, Want: "one Response", Got: "also " + c.Name()}
		}
	}
	if !m.root.OK() {
		return nil, &Error{
			Reason: ReasonNotResponse, Want: "one Response",
			Got: "none: the artifact is unknown at the identity provider, was used before, or has expired",
		}
	}
	return m, nil
}

// checkNamed requires the Response to name the identity provider whose artifact was resolved. Nothing is verified yet,
// so this only refuses: the keys are those of that identity provider in any case.
func (v *verification) checkNamed(m *message) error {
	named, err := m.named()
	if err != nil {
		return err
	}
	if named.given && named.value != v.idp.entityID {
		return &Error{
			Reason: ReasonIdP, Rule: ruleIdP, Detail: "the artifact is of another identity provider than the Response in it",
			Want: v.idp.entityID, Got: named.value,
		}
	}
	return nil
}

// checkArtifactResponse checks the rules on the ArtifactResponse. Its Destination would be an address of ours for SOAP,
// and there is none.
func (c *claims) checkArtifactResponse() error {
	switch a := c.around; {
	case a.version != "2.0":
		return &Error{Reason: ReasonVersion, Detail: "ArtifactResponse", Want: "2.0", Got: a.version}
	case !goodID(a.id):
		return &Error{Reason: ReasonID, Detail: "ArtifactResponse", Want: idForm, Got: a.id}
	case a.inResponseTo.value != c.artifact.ID:
		return &Error{
			Reason: ReasonInResponseTo, Detail: "ArtifactResponse", Want: c.artifact.ID, Got: a.inResponseTo.value,
		}
	case !a.issuer.given:
		return &Error{Reason: ReasonIssuer, Detail: "ArtifactResponse/Issuer is missing", Want: c.idp.entityID}
	}
	if err := c.checkIssuer("ArtifactResponse/Issuer", c.around.issuer); err != nil {
		return err
	}
	return c.checkIssueInstant("ArtifactResponse/@IssueInstant", c.around.issueInstant)
}
