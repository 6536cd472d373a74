package mockidp

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// handleAttributes serves an app's AttributeService (SAML Profiles 6; Core 3.3.2.3): it answers with an assertion about
// a user that has attributes and no AuthnStatement, so that it is no sign-in.
func (s *Server) handleAttributes(_ *http.Request, st *state, app *App, in incoming) ([]byte, *Error) {
	if !app.AttributeQueries {
		return nil, errorf(ReasonBinding, "the app %s has no AttributeService: its AttributeQueries is off", quote(app.Label))
	}
	req, id, err := s.readCall(app, in, "AttributeQuery", s.attributesURL(app))
	if err != nil {
		return nil, err
	}
	q, err := readAttributeQuery(req.root)
	if err != nil {
		s.messages.refuse(id, err)
		return nil, err
	}
	a := answer{app: app, query: true, now: s.now(), inResponseTo: req.id, nameID: q.nameID,
		format: cmp.Or(q.format, NameIDUnspecified), composed: true}
	if a.user = s.userNamed(st, app, q); a.user == nil {
		a.failure = &Status{Code: StatusRequester, SubCode: StatusUnknownPrincipal}
	} else {
		a.attributes = q.selected(app.attributesFor(a.user))
	}
	faults := s.takeMessageFaults(app.ID, AttributesSubject, AttributesAudience, AttributesUnsigned, AttributesUnasked)
	spoilAttributes(&a, faults)
	if a.signer, err = st.signer(app); err != nil {
		return nil, err
	}
	raw, berr := s.buildResponse(a)
	if berr != nil {
		return nil, internal("building the response", berr)
	}
	change := MessageMutation{Kind: ChangesAttributes, InResponseTo: req.id, NameID: q.nameID, NameIDFormat: q.format}
	return s.bySOAP(st, app, raw, change, Message{User: a.login(), Status: a.failure, Faults: kindsOf(faults)})
}

// spoilAttributes changes an answer as faults want.
func spoilAttributes(a *answer, faults []Fault) {
	for _, f := range faults {
		switch f.Kind {
		case AttributesSubject:
			a.nameID = "other-" + a.nameID
		case AttributesAudience:
			other := a.app.clone()
			other.Audience = elsewhere
			a.app = &other
		case AttributesUnsigned:
			a.unsigned = true
		case AttributesUnasked:
			a.inResponseTo = unknownID
		}
	}
}

// attributeQuery holds what the Server reads of an AttributeQuery.
type attributeQuery struct {
	nameID, format, qualifier, spQualifier string
	asked                                  []Attribute // none: all
}

func readAttributeQuery(root *etree.Element) (q attributeQuery, err *Error) {
	subject := childNamed(root, xml.Name{Space: nsAssertion, Local: "Subject"})
	if subject == nil {
		return q, malformed(nil, "the AttributeQuery has no Subject")
	}
	name := childNamed(subject, xml.Name{Space: nsAssertion, Local: "NameID"})
	if name == nil {
		return q, errorf(ReasonSubject, "the Subject has no NameID, and nothing else is supported")
	}
	attrs := attributes(name)
	q.format, q.qualifier, q.spQualifier = attrs["Format"], attrs["NameQualifier"], attrs["SPNameQualifier"]
	if q.nameID, err = textOf(name); err != nil {
		return q, err
	}
	for el := range root.ChildElementsSeq() {
		if nameOf(el) != (xml.Name{Space: nsAssertion, Local: "Attribute"}) {
			continue
		}
		attrs := attributes(el)
		want := Attribute{Name: attrs["Name"], NameFormat: cmp.Or(attrs["NameFormat"], AttrUnspecified)}
		if want.Name == "" || slices.ContainsFunc(q.asked, want.sameName) {
			return q, malformed(nil, "the AttributeQuery has an Attribute without a Name, or twice: %s", quote(want.Name))
		}
		for value := range el.ChildElementsSeq() {
			text, err := textOf(value)
			if err != nil {
				return q, err
			}
			want.Values = append(want.Values, text)
		}
		q.asked = append(q.asked, want)
	}
	return q, nil
}

func (at Attribute) sameName(other Attribute) bool {
	return at.Name == other.Name && at.NameFormat == other.NameFormat
}

// selected returns the attributes, and of those with values the values, that are asked for. A NameFormat that is
// unspecified matches any.
func (q attributeQuery) selected(has []Attribute) []Attribute {
	if len(q.asked) == 0 {
		return has
	}
	var out []Attribute
	for _, at := range has {
		i := slices.IndexFunc(q.asked, func(want Attribute) bool {
			return want.Name == at.Name && (want.NameFormat == at.NameFormat || want.NameFormat == AttrUnspecified)
		})
		if i < 0 {
			continue
		}
		if want := q.asked[i].Values; len(want) > 0 {
			at.Values = slices.DeleteFunc(slices.Clone(at.Values), func(v string) bool { return !slices.Contains(want, v) })
		}
		if len(at.Values) > 0 {
			out = append(out, at)
		}
	}
	return out
}

// userNamed returns the user whom the app knows by a NameID: by the one of a session, which may be transient, or by the
// one that a sign-in would send. It is nil for a user who may not sign in to the app.
func (s *Server) userNamed(st *state, app *App, q attributeQuery) *User {
	if q.qualifier != "" && q.qualifier != app.Issuer || q.spQualifier != "" && q.spQualifier != app.Audience {
		return nil
	}
	free := q.format == "" || q.format == NameIDUnspecified
	may := func(u *User) bool { return u != nil && app.openTo(u) && !u.deactivated() }
	login := ""
	s.sessions.with(func(byToken map[string]session) {
		for _, sess := range byToken {
			if slices.ContainsFunc(sess.apps, func(p participant) bool {
				return p.app == app.ID && p.nameID == q.nameID && (p.format == q.format || free)
			}) {
				login = sess.login
			}
		}
	})
	if u := st.user(login); may(u) {
		return u
	}
	if app.NameIDFormat == NameIDTransient || !free && q.format != app.NameIDFormat || strings.TrimSpace(q.nameID) == "" {
		return nil
	}
	for _, u := range st.users {
		if id, err := app.nameID(u); err == nil && id == q.nameID && may(u) {
			return u
		}
	}
	return nil
}
