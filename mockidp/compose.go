package mockidp

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// composition is an answer as a user composes it, on the page or by parameters.
type composition struct {
	user         User
	nameID       string
	nameIDFormat string
	attributes   []Attribute // a NameFormat of "" is left out
	acs          string      // where the answer goes
	target       *target     // with Config.AnyServiceProvider, whose acs is the same; or nil
	relayState   string
	status       *Status // of an error instead of the user; nil: none
	attack       string  // the mutation, or ""
}

const (
	maxComposed       = 1 << 20 // bytes of the form with which an answer is composed
	maxComposedValues = 500     // of all attributes together
)

// choice is a value that has a short name in parameters and on the page.
type choice struct{ Name, Value string }

var (
	nameIDFormats = []choice{
		{"emailAddress", NameIDEmail}, {"unspecified", NameIDUnspecified}, {"persistent", NameIDPersistent},
		{"transient", NameIDTransient}, {"X509SubjectName", NameIDX509Subject},
		{"WindowsDomainQualifiedName", "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName"},
		{"kerberos", "urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos"},
		{"entity", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"},
	}
	attributeFormats = []choice{{"none", ""}, {"unspecified", AttrUnspecified}, {"uri", AttrURI}, {"basic", AttrBasic}}
	topStatuses      = []choice{{"Requester", StatusRequester}, {"Responder", StatusResponder},
		{"VersionMismatch", StatusVersionMismatch}}
)

// secondStatuses lists all second-level codes of SAML Core 3.2.2.2.
var secondStatuses = func() (out []choice) {
	for _, name := range []string{"AuthnFailed", "InvalidAttrNameOrValue", "InvalidNameIDPolicy", "NoAuthnContext",
		"NoAvailableIDP", "NoPassive", "NoSupportedIDP", "PartialLogout", "ProxyCountExceeded", "RequestDenied",
		"RequestUnsupported", "RequestVersionDeprecated", "RequestVersionTooHigh", "RequestVersionTooLow",
		"ResourceNotRecognized", "TooManyResponses", "UnknownAttrProfile", "UnknownPrincipal", "UnsupportedBinding"} {
		out = append(out, choice{name, "urn:oasis:names:tc:SAML:2.0:status:" + name})
	}
	return out
}()

func badParameter(want, got, format string, args ...any) *Error {
	return mismatch(ReasonParameter, want, got, format, args...)
}

// chosen returns the value with a short name, or a URI as it is.
func chosen(param, got string, from []choice) (string, *Error) {
	var names []string
	for _, c := range from {
		if c.Name == got || c.Value == got {
			return c.Value, nil
		}
		names = append(names, c.Name)
	}
	if strings.Contains(got, ":") {
		return got, nil
	}
	return "", badParameter("one of "+strings.Join(names, ", ")+", or a URI", got, "unknown value of %s", param)
}

// acsChoices lists where the answer may go: the URL that the request leads to, then the app's list. The first is the
// default.
func (a *App) acsChoices(req *authnRequest) ([]string, *Error) {
	first, err := a.resolve(req)
	if err != nil {
		return nil, err
	}
	out := []string{first.URL}
	for _, x := range a.ACS {
		if x.URL != first.URL {
			out = append(out, x.URL)
		}
	}
	return out, nil
}

// setACS sets where the answer goes; "" is the default.
func (c *composition) setACS(app *App, p pending, acs string) *Error {
	if p.target != nil { // any URL may be typed, and is checked before it is used
		t := *p.target
		t.acs = cmp.Or(strings.TrimSpace(acs), t.acs)
		c.acs, c.target = t.acs, &t
		return nil
	}
	list, err := app.acsChoices(p.req)
	if err != nil {
		return err
	}
	c.acs = cmp.Or(acs, list[0])
	if !slices.Contains(list, c.acs) {
		return badParameter(strings.Join(list, " or "), withoutUser(c.acs), "acs is not on the list of the app %s",
			quote(app.Label))
	}
	return nil
}

// setStatus makes it an error if code isn't "".
func (c *composition) setStatus(code, second, message string) *Error {
	if code == "" {
		if second+message != "" {
			return badParameter("", "", "substatus and message need a status")
		}
		return nil
	}
	st := Status{Message: message}
	var err *Error
	if st.Code, err = chosen("status", code, topStatuses); err == nil && second != "" {
		st.SubCode, err = chosen("substatus", second, secondStatuses)
	}
	if err == nil {
		err = st.check()
	}
	if err != nil {
		err.Reason = ReasonParameter
		return err
	}
	c.status = &st
	return nil
}

// person returns the user with that login, or one who is made up, changed by what the form says.
func (st *state) person(v url.Values) (User, *Error) {
	login := strings.TrimSpace(v.Get("login"))
	u := User{ID: "composed", Login: login}
	if known := st.user(login); known != nil {
		u = known.clone()
	}
	for name, field := range map[string]*string{
		"first_name": &u.FirstName, "last_name": &u.LastName, "email": &u.Email,
	} {
		if v.Has(name) {
			*field = strings.TrimSpace(v.Get(name))
		}
	}
	if v.Has("group") {
		u.Groups = nonEmpty(v["group"])
	}
	u, err := u.prepared()
	if err != nil {
		err.Reason = ReasonParameter
	}
	return u, err
}

func nonEmpty(list []string) []string {
	var out []string
	for _, x := range list {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}

// fill sets NameID and attributes for the user: as a preset has them, or for "" as the app sends them.
func (s *Server) fill(c *composition, app *App, p pending, presetID string) *Error {
	if presetID == "" {
		c.attributes, c.nameIDFormat = app.attributesFor(&c.user), app.NameIDFormat
		c.nameID = ""
		if id := expand(app.NameIDTemplate, &c.user); len(id) > 0 {
			c.nameID = id[0]
		}
		if !app.sendsTransient(p.req) {
			return nil
		}
		c.nameIDFormat = NameIDTransient
		return s.transient(c)
	}
	pre := presetByID(presetID)
	if pre == nil {
		var ids []string
		for _, x := range presets {
			ids = append(ids, x.ID)
		}
		return badParameter("one of "+strings.Join(ids, ", "), presetID, "unknown preset")
	}
	c.attributes, c.nameIDFormat = pre.attributesFor(&c.user), pre.NameIDFormat
	if pre.NameID == "" {
		return s.transient(c)
	}
	c.nameID = strings.Join(expand(pre.NameID, &c.user), "")
	return nil
}

func (s *Server) transient(c *composition) (err *Error) {
	c.nameID, err = s.newID()
	return err
}

// check refuses what can't be written into an answer.
func (s *Server) checkComposition(st *state, c composition) *Error {
	if c.target != nil {
		if err := c.target.check(); err != nil {
			return err
		}
	}
	texts, values := []string{c.nameID, c.nameIDFormat}, 0
	for _, a := range c.attributes {
		if strings.TrimSpace(a.Name) == "" {
			return badParameter("", "", "an attribute has no name")
		}
		texts, values = append(append(texts, a.Name, a.NameFormat), a.Values...), values+1+len(a.Values)
	}
	if values > maxComposedValues {
		return badParameter("at most "+itoa(maxComposedValues), itoa(values), "too many attributes and values")
	}
	if c.attack != "" {
		if c.status != nil {
			return badParameter("", "", "status and attack exclude each other")
		}
		if _, err := s.checkMutation(st, StandingMutation{ID: c.attack}); err != nil {
			err.Reason = ReasonParameter
			return err
		}
	}
	err := checkText("the response", texts...)
	if err == nil {
		return checkRelayState(c.relayState)
	}
	err.Reason = ReasonParameter
	return err
}

// composedAnswer returns the values that the Response is made from. It doesn't check whether the user is assigned to
// the app, or may sign in.
func (s *Server) composedAnswer(app *App, p pending, c composition) (answer, *Error) {
	a := answer{app: app, acs: ACS{URL: c.acs}, binding: app.bindingFor(p.req), relayState: c.relayState, now: s.now(),
		attack: c.attack, failure: c.status}
	if p.req != nil {
		a.inResponseTo = p.req.ID
	}
	if c.status != nil {
		return a, nil
	}
	index, err := s.newID()
	a.user, a.authnInstant, a.sessionIndex, a.nameID, a.format = &c.user, a.now, index, c.nameID, c.nameIDFormat
	a.class = cmp.Or(app.classFor(p.req, withFactor), app.AuthnContext)
	a.composed, a.attributes = true, c.attributes
	return a, err
}
