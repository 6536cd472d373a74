package saml

import (
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// decoder keeps the first thing that was wrong, so that reading can be written
// as a list of what is read.
type decoder struct {
	err    error
	v      *verification // of a signed assertion; it has the keys
	signed xmltree.Node  // that assertion
}

// decrypt gives what is in an encrypted element, and none where something was
// wrong, here or before: then there is nothing left to learn, and private keys
// cost.
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

func (d *decoder) attr(n xmltree.Node, name string) string {
	value, _ := n.Attr(name)
	return value
}

// one gives the child of that name, if there is one. Two are refused: a
// reader that takes the first and one that takes the last would read two messages.
func (d *decoder) one(n xmltree.Node, ns xmltree.NS, local string) xmltree.Node {
	found := n.Child(ns, local)
	if found.OK() && found.Again().OK() {
		d.fail(&Error{Reason: ReasonNotResponse, Detail: "more than one " + local + " in " + n.Local()})
	}
	return found
}

// text gives the text of an element that may hold nothing else.
func (d *decoder) text(n xmltree.Node) string {
	if n.First().OK() {
		d.fail(&Error{Reason: ReasonText, Detail: "an element inside the text of " + quote(n.Local())})
	}
	return n.Text()
}

// uri gives the text of an element of type xs:anyURI, which collapses white space
// (XML Schema Part 2, 3.2.17).
func (d *decoder) uri(n xmltree.Node) string { return collapse(d.text(n)) }

func (d *decoder) requiredTime(n xmltree.Node, name string) time.Time {
	t := d.optionalTime(n, name)
	if !t.given {
		d.fail(&Error{Reason: ReasonTime, Detail: n.Local() + " has no " + name})
	}
	return t.at
}

func (d *decoder) optional(n xmltree.Node, name string) optional {
	value, ok := n.Attr(name)
	return optional{value, ok}
}

func (d *decoder) optionalTime(n xmltree.Node, name string) optionalTime {
	value, ok := n.Attr(name)
	if !ok {
		return optionalTime{}
	}
	t, err := parseDateTime(value)
	if err != nil {
		d.fail(&Error{Reason: ReasonTime, Detail: n.Local() + "/@" + name + " is not an xs:dateTime", Got: value})
		return optionalTime{given: true}
	}
	return optionalTime{t, true}
}
