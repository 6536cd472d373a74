package mockidp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// composeParameters are the parameters of a sign-on address with which a script composes the answer. Those that may be
// repeated are group and attr.NAME.
var composeParameters = []string{"login", "first_name", "last_name", "email", "group", "preset", "nameid",
	"nameid_format", "attr_format", "acs", "relay_state", "status", "substatus", "message", "attack"}

const attributeParameter = "attr." // and the name of an attribute

// samlParameters are those of the bindings, of Entra's links, and for the sign-in page.
var samlParameters = []string{
	"SAMLRequest", "RelayState", "SAMLEncoding", "SigAlg", "Signature", "tenantId", paramLoginHint,
}

const paramLoginHint = "login_hint"

// composing returns the parameters beside those of the bindings, if one of them composes the answer; else nil. Service
// providers may send others, which are ignored otherwise.
func composing(v url.Values) url.Values {
	out, found := url.Values{}, false
	for name, values := range v {
		if slices.Contains(samlParameters, name) {
			continue
		}
		out[name] = values
		known := slices.Contains(composeParameters, name) && name != "acs" // which alone composes nothing
		found = found || known || strings.HasPrefix(name, attributeParameter)
	}
	if !found {
		return nil
	}
	return out
}

// readComposition reads the parameters of a sign-on address.
func (s *Server) readComposition(st *state, app *App, p pending, v url.Values) (c composition, err *Error) {
	for name, values := range v {
		attribute := strings.HasPrefix(name, attributeParameter)
		switch {
		case name == "audience": // it may be named, but isn't changed
			if v.Get(name) != app.Audience {
				return c, badParameter(app.Audience, v.Get(name), "audience is not that of the app %s", quote(app.Label))
			}
			continue
		case !attribute && !slices.Contains(composeParameters, name):
			return c, badParameter("one of "+strings.Join(composeParameters, ", ")+", attr.NAME", name, "unknown parameter")
		case !attribute && name != "group" && len(values) > 1:
			return c, badParameter("one value", itoa(len(values)), "the parameter %s occurs more than once", name)
		}
	}
	if err = c.setACS(app, p, v.Get("acs")); err != nil {
		return c, err
	}
	c.relayState, c.attack = p.relayState, v.Get("attack")
	if v.Has("relay_state") {
		if p.req != nil {
			return c, badParameter("", "", "relay_state is for sign-in without a request: the answer has the RelayState of "+
				"the request")
		}
		c.relayState = v.Get("relay_state")
	}
	if err = c.setStatus(v.Get("status"), v.Get("substatus"), v.Get("message")); err != nil || c.status != nil {
		return c, cmpError(err, s.checkComposition(st, c))
	}
	if strings.TrimSpace(v.Get("login")) == "" {
		return c, badParameter("a login, of a user or made up", "", "the parameter login is missing")
	}
	if c.user, err = st.person(v); err != nil {
		return c, err
	}
	if err = s.fill(&c, app, p, v.Get("preset")); err != nil {
		return c, err
	}
	if err = c.override(v); err != nil {
		return c, err
	}
	return c, s.checkComposition(st, c)
}

// override replaces what was filled in.
func (c *composition) override(v url.Values) (err *Error) {
	if v.Has("nameid") {
		c.nameID = v.Get("nameid")
	}
	if v.Has("nameid_format") {
		if c.nameIDFormat, err = chosen("nameid_format", v.Get("nameid_format"), nameIDFormats); err != nil {
			return err
		}
	}
	return c.setAttributes(v)
}

func cmpError(errs ...*Error) *Error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// setAttributes replaces or adds attributes. One whose only value is empty is removed.
func (c *composition) setAttributes(v url.Values) *Error {
	format, given := AttrUnspecified, v.Has("attr_format")
	if given {
		var err *Error
		if format, err = chosen("attr_format", v.Get("attr_format"), attributeFormats); err != nil {
			return err
		}
	}
	var names []string
	for name := range v {
		if name, ok := strings.CutPrefix(name, attributeParameter); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names) // a query has an order, but url.Values doesn't
	for _, name := range names {
		values := v[attributeParameter+name]
		at := slices.IndexFunc(c.attributes, func(a Attribute) bool { return a.Name == name })
		switch {
		case len(values) == 1 && values[0] == "":
			c.attributes = slices.DeleteFunc(c.attributes, func(a Attribute) bool { return a.Name == name })
		case at < 0:
			c.attributes = append(c.attributes, Attribute{name, format, values})
		default:
			c.attributes[at].Values = values
			if given {
				c.attributes[at].NameFormat = format
			}
		}
	}
	return nil
}

// answerComposed answers a request to a sign-on address with the parameters of composing. It needs no session and no
// cookie, and opens none.
func (s *Server) answerComposed(w http.ResponseWriter, r *http.Request, app *App, in incoming, p pending) *Error {
	switch {
	case !s.config.Compose:
		return badParameter("", "", "the parameters that compose an answer are switched off (Config.Compose)")
	case !in.has && fromOtherSite(r): // with a request, the service provider's page leads here
		return malformed(nil, "a page of another site sent this sign-in")
	}
	st := s.state.Load()
	c, err := s.readComposition(st, app, p, in.compose)
	if err != nil {
		return err
	}
	return s.sendComposed(w, r, st, app, p, c)
}

func (s *Server) sendComposed(
	w http.ResponseWriter, r *http.Request, st *state, app *App, p pending, c composition) *Error {
	return s.post(w, r, app, func() (posted, *Error) {
		a, err := s.composedAnswer(app, p, c)
		if err != nil {
			return posted{}, err
		}
		return s.respond(st, a)
	})
}

// fromOtherSite reports whether a page of another origin led the browser here (W3C Fetch Metadata). Clients that aren't
// browsers don't say.
func fromOtherSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site" || http.NewCrossOriginProtection().Check(r) != nil
}
