package mockidp

import (
	"encoding/xml"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// call is a request by SOAP from a service provider (SAML Core 3.2.1), other than a LogoutRequest.
type call struct {
	root                    *etree.Element
	id, issuer, destination string
	instant                 time.Time
	enveloped               bool // it holds a ds:Signature, verified or not
}

// readCall reads and verifies a request to one of an app's SOAP addresses, and adds it to the messages in any case. It
// returns a request that could be read, even if that is refused, and the ID under which it is listed.
func (s *Server) readCall(app *App, in incoming, name, here string) (*call, int64, *Error) {
	m := Message{Time: s.now(), Direction: Received, Binding: in.binding, App: app.ID, XML: []byte(in.message)}
	c, err := parseCall([]byte(in.message), name)
	if err == nil {
		var signed []byte
		if signed, err = app.verified(in, c.enveloped, []byte(in.message)); err == nil {
			var of *call
			if of, err = parseCall(signed, name); err == nil {
				c, err = of, s.checkCall(app, of, here)
			}
		}
	}
	m.Refused = err
	return c, s.messages.add(m), err
}

func parseCall(doc []byte, name string) (*call, *Error) {
	root, err := parseRequestXML(doc)
	if err != nil {
		return nil, err
	}
	if got := nameOf(root); got != (xml.Name{Space: nsProtocol, Local: name}) {
		return nil, mismatch(ReasonMalformed, nsProtocol+" "+name, got.Space+" "+got.Local,
			"the SOAP message holds another element")
	}
	attrs := attributes(root)
	c := &call{root: root, id: attrs["ID"], destination: attrs["Destination"]}
	var terr error
	c.instant, terr = time.Parse(time.RFC3339Nano, attrs["IssueInstant"])
	if attrs["Version"] != "2.0" || !messageID.MatchString(c.id) || terr != nil {
		return nil, malformed(terr, "the %s needs an ID, the Version 2.0 and an IssueInstant", name)
	}
	seen := map[xml.Name]bool{}
	for el := range root.ChildElementsSeq() {
		n := nameOf(el)
		if seen[n] && n.Local != "Attribute" {
			return nil, malformed(nil, "the %s has two elements %s", name, n.Local)
		}
		seen[n] = true
		switch n {
		case xml.Name{Space: nsAssertion, Local: "Issuer"}:
			if c.issuer, err = textOf(el); err != nil {
				return nil, err
			}
			c.issuer = strings.TrimSpace(c.issuer)
		case xml.Name{Space: nsSignature, Local: "Signature"}:
			c.enveloped = true
		}
	}
	return c, nil
}

// checkCall checks a request that is verified.
func (s *Server) checkCall(app *App, c *call, here string) *Error {
	switch now := s.now(); {
	case c.issuer != app.Audience || app.Audience == "":
		return mismatch(ReasonIssuer, app.Audience, c.issuer, "the Issuer is not the Audience of the app %s",
			quote(app.Label))
	case c.destination != "" && c.destination != here:
		return mismatch(ReasonDestination, here, c.destination, "the Destination is not the address of the service")
	case now.Sub(c.instant).Abs() > 5*time.Minute:
		return mismatch(ReasonIssueInstant, instant(now), instant(c.instant),
			"the IssueInstant is more than five minutes off")
	}
	return nil
}
