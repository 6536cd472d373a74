package mockidp

import (
	"net/http"
	"net/url"
	"time"
)

// read judges a request for an app as far as it can be judged without a
// person, and keeps it among the messages whatever comes of it.
func (s *Server) read(app *App, in incoming) (pending, *Error) {
	p := pending{appID: app.ID, relayState: in.relayState, at: s.now()}
	if !in.has {
		if !in.hasRelay {
			p.relayState = app.DefaultRelayState
		}
		return p, nil
	}
	m := Message{Time: p.at, Direction: Received, App: app.ID, Binding: in.binding, RelayState: in.relayState}
	doc, err := in.xml()
	if err == nil {
		m.XML = doc
		p.req, err = parseAuthnRequest(doc)
	}
	if err == nil {
		if p.req.ACSURL != nil {
			m.ACS = *p.req.ACSURL
		}
		err = s.judge(app, p.req)
	}
	m.Refused = err
	s.messages.add(m)
	if len(in.relayState) > 80 {
		s.config.Logger.Warn("mockidp: RelayState is over the 80 bytes of SAML Bindings 3.4.3", "bytes", len(in.relayState), "app", app.ID)
	}
	return p, err
}

// judge holds a request against the app (SAML Core 3.2.1, 3.4.1; Profiles 4.1.4.1).
func (s *Server) judge(app *App, req *authnRequest) *Error {
	if app.Audience == "" {
		return &Error{Reason: ReasonIssuer, Got: req.Issuer,
			Detail: "the app " + quote(app.Label) + " knows no service provider yet: give it an Audience with RegisterSP, UpdateApp or in its configuration"}
	}
	if req.Issuer != app.Audience {
		return &Error{Reason: ReasonIssuer, Detail: "the request's Issuer is not the Audience of the app " + quote(app.Label), Want: app.Audience, Got: req.Issuer}
	}
	if req.Destination != "" && req.Destination != s.ssoURL(app) {
		return &Error{Reason: ReasonDestination, Detail: "the request's Destination is another address", Want: s.ssoURL(app), Got: req.Destination}
	}
	_, err := app.resolve(req)
	return err
}

// success answers for a user; it is where assignment and the ACS list are
// checked for the last time.
func (s *Server) success(st *state, p pending, u *User, at time.Time, index string) (Form, *Error) {
	app, err := st.samlApp(p.appID)
	if err != nil {
		return Form{}, err
	}
	if !app.assignedTo(u) {
		return Form{}, notAssigned(app, u)
	}
	acs, err := app.resolve(p.req)
	if err != nil {
		return Form{}, err
	}
	a := answer{app: app, acs: acs, relayState: p.relayState, now: s.now(), user: u, authnInstant: at, sessionIndex: index}
	if p.req != nil {
		a.inResponseTo = p.req.ID
	}
	return s.respond(a)
}

// noPassive answers an IsPassive request that would need the person
// (SAML Core 3.4.1, 3.2.2.2).
func (s *Server) noPassive(st *state, p pending) (Form, *Error) {
	app, err := st.samlApp(p.appID)
	if err != nil {
		return Form{}, err
	}
	acs, err := app.resolve(p.req)
	if err != nil {
		return Form{}, err
	}
	return s.respond(answer{app: app, acs: acs, inResponseTo: p.req.ID, relayState: p.relayState, now: s.now(),
		status: statusResponder, substatus: statusNoPassive})
}

func notAssigned(app *App, u *User) *Error {
	return &Error{Reason: ReasonNotAssigned, Detail: "the user " + quote(u.Login) + " isn't assigned to the app " + quote(app.Label)}
}

// proceed takes a pending sign-in as far as it goes: an answer, a page that
// says no, or the sign-in page. key is "" while it isn't stored.
func (s *Server) proceed(w http.ResponseWriter, r *http.Request, p pending, key string) {
	st := s.state.Load()
	app, err := st.app(p.appID)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	sess, user := s.sessionOf(r, st)
	switch {
	case user != nil && (!p.force() || p.freshIn == sess.token):
		s.finish(w, r, st, app, p, sess, user)
	case p.passive():
		form, err := s.noPassive(st, p)
		s.post(w, r, app, form, err)
	default:
		if key == "" {
			if key, err = s.hold(p); err != nil {
				s.refuse(w, r, err)
				return
			}
		}
		s.signInPage(w, r, http.StatusOK, signIn{Pending: key, App: app, User: user})
	}
}

// finish lets a signed-in user through to the app.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, st *state, app *App, p pending, sess *session, u *User) {
	if app.Kind == Bookmark {
		if !app.assignedTo(u) {
			s.refuse(w, r, notAssigned(app, u))
			return
		}
		http.Redirect(w, r, app.URL, http.StatusFound)
		return
	}
	form, err := s.success(st, p, u, sess.at, sess.index)
	if err == nil {
		s.config.Logger.Info("mockidp: signed in to an app", "app", app.ID, "login", u.Login, "acs", form.URL, "solicited", p.req != nil)
	}
	s.post(w, r, app, form, err)
}

// handleSSO is the single sign-on service of an app: both bindings, and
// without a SAMLRequest the start of IdP-initiated sign-in.
func (s *Server) handleSSO(w http.ResponseWriter, r *http.Request) {
	app := s.state.Load().byKey(r.PathValue("key"))
	if app == nil || app.Name != r.PathValue("name") {
		s.refuse(w, r, &Error{Reason: ReasonNoSuchApp, Detail: "no app has this sign-on address"})
		return
	}
	in, err := readHTTP(w, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	p, err := s.read(app, in)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if in.binding == bindingRedirect {
		s.proceed(w, r, p, "")
		return
	}
	// The session cookie isn't sent with another site's POST; it is with the
	// redirect that follows.
	key, err := s.hold(p)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, pathContinue+"?pending="+key, http.StatusSeeOther)
}

// readHTTP takes the parameters of a GET (HTTP-Redirect) or a POST (HTTP-POST).
func readHTTP(w http.ResponseWriter, r *http.Request) (incoming, *Error) {
	if r.Method != http.MethodPost {
		if len(r.URL.RawQuery) > 2*MaxRequest { // percent-encoding may triple what xml() caps
			return incoming{}, tooLarge("the query")
		}
		v, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return incoming{}, malformed(err, "the query can't be read")
		}
		return readParams(bindingRedirect, v)
	}
	v, err := readForm(w, r)
	if err != nil {
		return incoming{}, err
	}
	in, err := readParams(bindingPOST, v)
	if err == nil && !in.has {
		err = malformed(nil, "the form has no SAMLRequest")
	}
	return in, err
}

func (s *Server) handleContinue(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("pending")
	p, err := s.pending.get(key, s.now())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.proceed(w, r, p, key)
}

// handleBookmark is where a bookmark's tile leads.
func (s *Server) handleBookmark(w http.ResponseWriter, r *http.Request) {
	app, err := s.state.Load().app(r.PathValue("id"))
	if err == nil && app.Kind != Bookmark {
		err = &Error{Reason: ReasonNoSuchApp, Detail: "no bookmark has this address"}
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.proceed(w, r, pending{appID: app.ID, at: s.now()}, "")
}
