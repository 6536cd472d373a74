package saml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// message is a Response that was read. Nothing in it is verified yet: it is good
// for finding reasons to refuse, and for finding what is signed.
type message struct {
	root      xmltree.Node
	response  *response    // its own values, as they stand
	assertion xmltree.Node // exactly one of these two is there,
	encrypted xmltree.Node // directly in the Response

	responseSignature  *dsig.Envelope // nil where there is none
	assertionSignature *dsig.Envelope // likewise
}

// parse reads the document, if it is a samlp:Response. There is no other
// reader after this one.
func (v *verification) parse(doc string) (*message, error) {
	tree, err := xmltree.Parse(doc, v.cfg.Limits.tree(xmltree.Name{NS: xmltree.Protocol, Local: "Response"}))
	if err != nil {
		return nil, fromTree(err)
	}
	return &message{root: tree.Root()}, nil
}

// readResponse wants nothing in the Response that the schema doesn't have there
// (Core 3.3.3).
func (m *message) readResponse() error {
	for c := m.root.First(); c.OK(); c = c.Next() {
		known := c.Is(xmltree.Assertion, "Issuer") || c.Is(xmltree.Signature, "Signature") || c.Is(xmltree.Protocol, "Extensions") ||
			c.Is(xmltree.Protocol, "Status") || c.Is(xmltree.Assertion, "Assertion") || c.Is(xmltree.Assertion, "EncryptedAssertion")
		if !known {
			return &Error{Reason: ReasonNotResponse, Detail: "an element that a Response does not hold", Got: c.Name()}
		}
	}
	var err error
	m.response, err = decodeResponse(m.root)
	return err
}

// checkStatus comes before the signatures: an identity provider that says no
// often doesn't sign it, and a forged no signs no user in. All codes are told.
func (m *message) checkStatus() error {
	status := m.response.status
	if status.code == statusSuccess && len(status.nested) == 0 {
		return nil
	}
	return &Error{Reason: ReasonStatus, Want: statusSuccess, Got: status.String(), Status: append([]string{status.code}, status.nested...)}
}

// findAssertion wants exactly one assertion in the whole document, and that
// directly in the Response. Wrapped, nested and advised ones need a second one
// somewhere; without it there is nothing to confuse it with.
func (m *message) findAssertion() error {
	var assertions, encrypted, responses int
	m.root.Walk(func(n xmltree.Node) {
		switch ns := n.NS(); {
		case ns == xmltree.Assertion && n.Local() == "Assertion":
			assertions++
			m.assertion = n
		case ns == xmltree.Assertion && n.Local() == "EncryptedAssertion":
			encrypted++
			m.encrypted = n
		case ns == xmltree.Protocol && n.Local() == "Response":
			responses++
		}
	})
	switch {
	case assertions+encrypted != 1:
		return &Error{Reason: ReasonAssertionCount, Want: "1", Got: fmt.Sprintf("%d assertions and %d encrypted ones", assertions, encrypted)}
	case responses != 1:
		return &Error{Reason: ReasonAssertionCount, Detail: "one Response", Want: "1", Got: fmt.Sprint(responses)}
	case assertions == 1 && m.assertion.Parent() != m.root, encrypted == 1 && m.encrypted.Parent() != m.root:
		return &Error{Reason: ReasonAssertionCount, Detail: "the assertion is not directly in the Response"}
	}
	return nil
}

// fromTree gives the reader's errors their Reason.
func fromTree(err error) error {
	var e *xmltree.Error
	if !errors.As(err, &e) {
		return &Error{Reason: ReasonXML, Err: err}
	}
	reason := ReasonXML
	switch e.Reason {
	case xmltree.Root:
		return &Error{Reason: ReasonNotResponse, Want: "{" + nsProtocol + "}Response", Got: e.Name}
	case xmltree.Limit:
		reason = ReasonLimit
	case xmltree.Text:
		reason = ReasonText
	case xmltree.Duplicate:
		reason = ReasonID
	}
	return &Error{Reason: reason, Detail: treeDetail(e)}
}

// treeDetail is the text of a reader's error. It is fit to be shown; as Err it
// would be quoted once more.
func treeDetail(e *xmltree.Error) string { return strings.TrimPrefix(e.Error(), "xmltree: ") }
