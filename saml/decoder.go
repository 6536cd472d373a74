package saml

import (
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// decoder reads values and keeps the first error.
type decoder struct {
	err    error
	v      *verification // has the keys; nil for a Response
	signed xmltree.Node  // the signed assertion that is read
}

// decrypt returns the content of an encrypted element. After an error it does
// nothing, because the message is refused anyway and private-key operations are
// expensive.
func (d *decoder) decrypt(n xmltree.Node, want string) xmltree.Node {
	if d.err != nil {
		return xmltree.Node{}
	}
	opened, err := d.v.decryptPart(n, d.signed, want)
	if err != nil {
		d.fail(err)
	}
	return opened
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// issuer reads the Issuer of a Response or an assertion.
func (d *decoder) issuer(n xmltree.Node) issuer {
	i := d.one(n, xmltree.Assertion, "Issuer")
	if !i.OK() {
		return issuer{}
	}
	return issuer{value: d.text(i), format: d.attr(i, "Format"), given: true}
}

func (d *decoder) attr(n xmltree.Node, name string) string {
	value, _ := n.Attr(name)
	return value
}

// one returns the child of that name, if there is one. A second one is refused,
// because programs disagree about which one counts.
func (d *decoder) one(n xmltree.Node, ns xmltree.NS, local string) xmltree.Node {
	found := n.Child(ns, local)
	if found.OK() && found.NextSame().OK() {
		d.fail(&Error{Reason: ReasonNotResponse, Detail: "more than one " + local + " in " + n.Local()})
	}
	return found
}

// text returns the text of an element that may contain only text.
func (d *decoder) text(n xmltree.Node) string {
	if n.First().OK() {
		d.fail(&Error{Reason: ReasonText, Detail: "element inside the text of " + quote(n.Local())})
	}
	return n.Text()
}

// uri returns the text of an element of type xs:anyURI, which collapses white space
// (XML Schema Part 2, 3.2.17).
func (d *decoder) uri(n xmltree.Node) string { return collapse(d.text(n)) }

func (d *decoder) requiredTime(n xmltree.Node, name string) time.Time {
	t := d.optionalTime(n, name)
	if !t.given {
		d.fail(&Error{Reason: ReasonTime, Detail: n.Local() + " has no " + name})
	}
	return t.value
}

func (d *decoder) optional(n xmltree.Node, name string) optional[string] {
	value, ok := n.Attr(name)
	return optional[string]{value, ok}
}

func (d *decoder) optionalTime(n xmltree.Node, name string) optional[time.Time] {
	value, ok := n.Attr(name)
	if !ok {
		return optional[time.Time]{}
	}
	t, err := parseDateTime(value)
	if err != nil {
		d.fail(&Error{Reason: ReasonTime, Detail: n.Local() + "/@" + name + " is not an xs:dateTime", Got: value})
	}
	return optional[time.Time]{t, true}
}
