package saml

import (
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
		return xmltree.Node{}, bad("the message is a Fault", clip(faultText(message)))
	}
	return message, nil
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

// faultText returns the faultstring of a Fault, whose children have no namespace.
func faultText(fault xmltree.Node) string {
	if text := fault.Child(xmltree.None, "faultstring"); text.OK() {
		return text.Text()
	}
	return ""
}
