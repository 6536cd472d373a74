package saml

import (
	"errors"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	nsSOAP   = "http://schemas.xmlsoap.org/soap/envelope/"
	soapHead = `<soap:Envelope xmlns:soap="` + nsSOAP + `"><soap:Body>`
	soapTail = `</soap:Body></soap:Envelope>`

	ruleSOAP = "SOAP envelope (Bindings 3.2.2.1)"
)

// readEnvelope returns the one message in the Body of a SOAP 1.1 envelope. Header blocks are ignored, except that one
// that must be understood is refused. Nothing in it is verified.
func readEnvelope(root xmltree.Node) (xmltree.Node, error) {
	bad := func(detail, got string) error {
		return &Error{Reason: ReasonXML, Rule: ruleSOAP, Detail: detail, Got: got}
	}
	if !isSOAP(root, "Envelope") {
		return xmltree.Node{}, bad("the root is not a SOAP 1.1 Envelope", root.Name())
	}
	body := root.First()
	if body.OK() && isSOAP(body, "Header") {
		for block := body.First(); block.OK(); block = block.Next() {
			if must, _ := soapAttr(block, "mustUnderstand"); strings.TrimSpace(must) != "0" && must != "" {
				return xmltree.Node{}, bad("a header block must be understood", block.Name())
			}
		}
		body = body.Next()
	}
	if !body.OK() || !isSOAP(body, "Body") || body.Next().OK() {
		return xmltree.Node{}, bad("an Envelope must contain an optional Header and one Body", "")
	}
	message := body.First()
	switch {
	case !message.OK() || message.Next().OK():
		return xmltree.Node{}, bad("the Body must contain one message", "")
	case isSOAP(message, "Fault"):
		return xmltree.Node{}, &Error{
			Reason: ReasonSOAP, Rule: "SOAP Fault (Bindings 3.2.3.3)", Detail: "the answer is a Fault", Got: faultText(message),
		}
	}
	return message, nil
}

// SOAPFault returns the error with ReasonSOAP that describes the Fault in an envelope, the body of an answer with the
// HTTP status 500 (Bindings 3.2.3.3). It is nil if there is none. Nothing in a Fault is verified.
func (sp *ServiceProvider) SOAPFault(envelope []byte) error {
	tree, err := xmltree.Parse(string(envelope), sp.cfg.Limits.tree(xmltree.Name{}))
	if err != nil {
		return nil
	}
	var e *Error
	if _, err := readEnvelope(tree.Root()); errors.As(err, &e) && e.Reason == ReasonSOAP {
		return e
	}
	return nil
}

func isSOAP(n xmltree.Node, local string) bool {
	return n.Local() == local && n.Doc().URI(n.NS()) == nsSOAP
}

func soapAttr(n xmltree.Node, local string) (string, bool) {
	for _, a := range n.Attrs() {
		if a.Local == local && n.Doc().URI(a.NS) == nsSOAP {
			return a.Value, true
		}
	}
	return "", false
}

// faultText returns the faultcode and faultstring of a Fault, whose children have no namespace (SOAP 1.1, 4.4).
func faultText(fault xmltree.Node) string {
	var parts []string
	for _, name := range []string{"faultcode", "faultstring"} {
		if part := fault.Child(xmltree.None, name); part.OK() {
			parts = append(parts, clip(part.Text()))
		}
	}
	return strings.Join(parts, ": ")
}
