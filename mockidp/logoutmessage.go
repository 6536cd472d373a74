package mockidp

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// logoutMessage holds what the Server reads of a LogoutRequest (SAML Core 3.7.1) or a LogoutResponse (3.7.2).
type logoutMessage struct {
	id, issuer, destination string
	instant                 time.Time
	enveloped               bool // it holds a ds:Signature, verified or not

	// Of a LogoutRequest.
	notOnOrAfter           time.Time // zero if absent
	nameID, format         string
	qualifier, spQualifier string         // NameQualifier and SPNameQualifier
	encrypted              *etree.Element // the EncryptedID; nil if there is none, or it is decrypted
	indexes                []string

	// Of a LogoutResponse.
	inResponseTo, status, subStatus string
}

func (m *logoutMessage) bytes() int {
	n := len(m.issuer) + len(m.destination) + len(m.nameID) + len(m.format) + len(m.qualifier) + len(m.spQualifier)
	for _, index := range m.indexes {
		n += len(index) + 16
	}
	return n
}

// readLogout reads the parameters of a logout message: a SAMLRequest or a SAMLResponse.
func readLogout(w http.ResponseWriter, r *http.Request) (incoming, *Error) {
	binding, v := bindingPOST, url.Values(nil)
	if r.Method == http.MethodPost {
		var err *Error
		if v, err = readForm(w, r, maxRequest); err != nil {
			return incoming{}, err
		}
	} else {
		binding = bindingRedirect
		if len(r.URL.RawQuery) > 2*maxRequest {
			return incoming{}, tooLarge("the query")
		}
		var err error
		if v, err = url.ParseQuery(r.URL.RawQuery); err != nil {
			return incoming{}, malformed(err, "invalid query")
		}
	}
	param := "SAMLRequest"
	if v.Has("SAMLResponse") {
		if param = "SAMLResponse"; v.Has("SAMLRequest") || len(v[param]) > 1 {
			return incoming{}, malformed(nil, "want one SAMLRequest or SAMLResponse, got several")
		}
		v["SAMLRequest"] = v[param]
	}
	in, err := readParams(binding, v)
	if err == nil && !in.has {
		err = malformed(nil, "want a SAMLRequest with a LogoutRequest, or a SAMLResponse with a LogoutResponse")
	}
	in.param = param
	if binding == bindingRedirect {
		in.query = r.URL.RawQuery
	}
	return in, err
}

// parseLogout parses the message of a parameter: a LogoutRequest for SAMLRequest, a LogoutResponse for SAMLResponse.
func parseLogout(param string, doc []byte) (*logoutMessage, *Error) {
	root, err := parseRequestXML(doc)
	if err != nil {
		return nil, err
	}
	want := map[string]string{"SAMLRequest": "LogoutRequest", "SAMLResponse": "LogoutResponse"}[param]
	if name := nameOf(root); name != (xml.Name{Space: nsProtocol, Local: want}) {
		return nil, mismatch(ReasonMalformed, nsProtocol+" "+want, name.Space+" "+name.Local,
			"%s holds another element", param)
	}
	m := &logoutMessage{}
	if err := m.readAttributes(want, attributes(root)); err != nil {
		return nil, err
	}
	seen := map[xml.Name]bool{}
	for el := range root.ChildElementsSeq() {
		name := nameOf(el)
		if seen[name] && name.Local != "SessionIndex" {
			return nil, malformed(nil, "the %s has two elements %s", want, name.Local)
		}
		seen[name] = true
		if err := m.readChild(el); err != nil {
			return nil, err
		}
	}
	subject := xml.Name{Space: nsAssertion, Local: "NameID"}
	if param == "SAMLRequest" && !seen[subject] && m.encrypted == nil {
		return nil, malformed(nil, "the LogoutRequest has no NameID")
	}
	return m, nil
}

func (m *logoutMessage) readAttributes(what string, attrs map[string]string) *Error {
	bad := func(name, want string) *Error {
		return mismatch(ReasonMalformed, want, attrs[name], "invalid %s of the %s", name, what)
	}
	m.id, m.destination, m.inResponseTo = attrs["ID"], attrs["Destination"], attrs["InResponseTo"]
	if attrs["Version"] != "2.0" {
		return bad("Version", "2.0")
	}
	if !messageID.MatchString(m.id) {
		return bad("ID", "1 to 256 of A-Z a-z 0-9 _ . : -")
	}
	var err error
	if m.instant, err = time.Parse(time.RFC3339Nano, attrs["IssueInstant"]); err != nil {
		return bad("IssueInstant", "2006-01-02T15:04:05Z")
	}
	if v, ok := attrs["NotOnOrAfter"]; ok {
		if m.notOnOrAfter, err = time.Parse(time.RFC3339Nano, v); err != nil {
			return bad("NotOnOrAfter", "2006-01-02T15:04:05Z")
		}
	}
	return nil
}

func (m *logoutMessage) readChild(el *etree.Element) (err *Error) {
	switch nameOf(el) {
	case xml.Name{Space: nsAssertion, Local: "Issuer"}:
		m.issuer, err = textOf(el)
		m.issuer = strings.TrimSpace(m.issuer)
	case xml.Name{Space: nsAssertion, Local: "NameID"}:
		attrs := attributes(el)
		m.format, m.qualifier, m.spQualifier = attrs["Format"], attrs["NameQualifier"], attrs["SPNameQualifier"]
		m.nameID, err = textOf(el)
	case xml.Name{Space: nsAssertion, Local: "EncryptedID"}:
		m.encrypted = el
	case xml.Name{Space: nsProtocol, Local: "SessionIndex"}:
		var index string
		index, err = textOf(el)
		m.indexes = append(m.indexes, strings.TrimSpace(index))
	case xml.Name{Space: nsProtocol, Local: "Status"}:
		code := xml.Name{Space: nsProtocol, Local: "StatusCode"}
		if top := childNamed(el, code); top != nil {
			m.status = attributes(top)["Value"]
			if second := childNamed(top, code); second != nil {
				m.subStatus = attributes(second)["Value"]
			}
		}
	case xml.Name{Space: nsSignature, Local: "Signature"}:
		m.enveloped = true
	}
	return err
}

// readLogoutMessage checks a message as far as that needs no session, and adds it to the messages in any case. It
// returns a message that could be read, even if that is refused, and the ID under which it is listed.
func (s *Server) readLogoutMessage(app *App, in incoming) (*logoutMessage, int64, *Error) {
	m := Message{Time: s.now(), Direction: Received, Binding: in.binding, RelayState: in.relayState, App: app.ID}
	doc, err := in.xml()
	var msg *logoutMessage
	if err == nil {
		m.XML = doc
		msg, err = parseLogout(in.param, doc)
	}
	if err == nil && !app.InsecureUnsignedLogout {
		var signed []byte
		var of *logoutMessage
		if signed, err = app.verified(in, msg.enveloped, doc); err == nil {
			of, err = parseLogout(in.param, signed)
		}
		if err == nil {
			msg = of
		}
	}
	if err == nil && in.param == "SAMLRequest" {
		err = msg.decryptName(s.state.Load().keysFor(app))
	}
	if err == nil {
		err = s.checkLogout(app, in, msg)
	}
	if err != nil {
		if in.param == "SAMLResponse" { // checks that requests share
			err.Detail = strings.NewReplacer("SAMLRequest", in.param, "the request", "the answer",
				"signed requests", "signed messages").Replace(err.Detail)
		}
		err.app = app.ID
	}
	m.Refused = err
	return msg, s.messages.add(m), err
}

// checkLogout checks a message that is verified (SAML Core 3.2.1, 3.7.3; Bindings 3.4.5.2, 3.5.5.2).
func (s *Server) checkLogout(app *App, in incoming, m *logoutMessage) *Error {
	const most = 5 * time.Minute
	now, here := s.now(), s.logoutURL(app)
	mayLack := app.InsecureUnsignedLogout // a Destination
	if in.binding == bindingSOAP {
		here, mayLack = s.logoutSOAPURL(app), true
	}
	switch {
	case m.issuer != app.Audience || app.Audience == "":
		return mismatch(ReasonIssuer, app.Audience, m.issuer, "the Issuer is not the Audience of the app %s",
			quote(app.Label))
	case m.destination != here && (m.destination != "" || !mayLack):
		return mismatch(ReasonDestination, here, m.destination, "the Destination is not the app's single logout address")
	case now.Sub(m.instant).Abs() > most:
		return mismatch(ReasonIssueInstant, instant(now), instant(m.instant),
			"the IssueInstant is more than five minutes off")
	case !m.notOnOrAfter.IsZero() && !now.Before(m.notOnOrAfter):
		return mismatch(ReasonIssueInstant, instant(now), instant(m.notOnOrAfter), "the LogoutRequest's NotOnOrAfter is past")
	case in.param == "SAMLResponse":
		return nil
	case !s.heard.add(app.ID+" "+m.id, struct{}{}):
		return errorf(ReasonReplay, "a LogoutRequest with the ID %s was received before", quote(m.id))
	}
	return nil
}

// named compares a LogoutRequest with the assertions that its app got in the session. Value, format and qualifiers must
// match (SAML Core 3.3.4); the Server sends no qualifiers, so the entity IDs are what they would be. Unless strict, a
// Format may be missing, because many service providers keep only the value.
func (sess *session) named(app *App, m *logoutMessage, strict bool) *Error {
	var got []participant
	for _, p := range sess.apps {
		if p.app == app.ID {
			got = append(got, p)
		}
	}
	if len(got) == 0 {
		return errorf(ReasonSubject, "the app %s got no assertion in this browser's session", quote(app.Label))
	}
	last := got[len(got)-1]
	name := func(p participant) bool {
		free := !strict && (m.format == "" || m.format == NameIDUnspecified)
		return p.nameID == m.nameID && (p.format == m.format || free)
	}
	switch got = slices.DeleteFunc(got, func(p participant) bool { return !name(p) }); {
	case len(got) == 0:
		return mismatch(ReasonSubject, last.nameID+" ("+last.format+")", m.nameID+" ("+m.format+")",
			"the LogoutRequest's NameID is not that of the session")
	case m.qualifier != "" && m.qualifier != app.Issuer:
		return mismatch(ReasonSubject, app.Issuer, m.qualifier, "the NameQualifier is not that of the assertion")
	case m.spQualifier != "" && m.spQualifier != app.Audience:
		return mismatch(ReasonSubject, app.Audience, m.spQualifier, "the SPNameQualifier is not that of the assertion")
	}
	indexed := func(p participant) bool { return slices.Contains(m.indexes, p.index) }
	if len(m.indexes) > 0 && !slices.ContainsFunc(got, indexed) {
		return mismatch(ReasonSubject, last.index, strings.Join(m.indexes, " "),
			"no SessionIndex of the LogoutRequest is that of this browser's session")
	}
	return nil
}

// lastPart returns the last part of a URN, or what a client sent instead.
func lastPart(urn string) string { return urn[strings.LastIndexByte(urn, ':')+1:] }
