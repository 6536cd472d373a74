package mockidp

import (
	"net/url"
	"slices"
)

// Answer returns the answer to an AuthnRequest sent by the HTTP-Redirect binding, for a user who has just signed in.
// It takes the whole URL that a service provider redirects to. It needs neither a browser nor a session.
func (s *Server) Answer(redirectURL, login string) (Form, error) {
	u, err := url.Parse(redirectURL)
	if err != nil {
		return Form{}, malformed(err, "invalid URL")
	}
	v, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Form{}, malformed(err, "invalid query")
	}
	query := u.RawQuery
	u.RawQuery, u.Fragment = "", ""
	return s.answerTo(u.String(), bindingRedirect, query, v, login)
}

// AnswerPost is Answer for the HTTP-POST binding: ssoURL is the form's action, form its SAMLRequest and optional
// RelayState.
func (s *Server) AnswerPost(ssoURL string, form url.Values, login string) (Form, error) {
	return s.answerTo(ssoURL, bindingPOST, "", form, login)
}

func (s *Server) answerTo(ssoURL, binding, query string, v url.Values, login string) (Form, error) {
	st := s.state.Load()
	at := slices.IndexFunc(st.apps, func(a *App) bool { return a.Kind == SAML && ssoURL == s.ssoURL(a) })
	if at < 0 {
		return Form{}, mismatch(ReasonNoSuchApp, "", ssoURL, "no app has this sign-on address")
	}
	in, err := readParams(binding, v)
	if err == nil && !in.has {
		err = malformed(nil, "SAMLRequest is missing; IdPInitiated answers without one")
	}
	if err != nil {
		return Form{}, err
	}
	in.query = query
	app := st.apps[at]
	var p pending
	if app.Profile == Entra {
		app, p, err = s.readEntra(st, st.entraTenant(app), in)
	} else {
		app, p, err = s.read(app, in, nil)
	}
	switch {
	case app == nil:
		return Form{}, err
	case err != nil:
		return form(s.refusal(st, app, p, err))
	}
	return s.answerFor(st, app, p, login)
}

// IdPInitiated returns what the app's tile posts: an unsolicited answer to the first URL of its list. relayState "" is
// the app's DefaultRelayState.
func (s *Server) IdPInitiated(appID, login, relayState string) (Form, error) {
	st := s.state.Load()
	app, err := st.samlApp(appID)
	if err != nil {
		return Form{}, err
	}
	app, p, err := s.read(app, incoming{relayState: relayState, hasRelay: relayState != ""}, nil)
	if err != nil {
		return Form{}, err
	}
	return s.answerFor(st, app, p, login)
}

// answerFor answers as if the user had just signed in, with the second factor if they have one.
func (s *Server) answerFor(st *state, app *App, p pending, login string) (Form, error) {
	u := st.user(login)
	if u == nil {
		return Form{}, noSuchUser(login)
	}
	if u.Status != Active {
		return form(s.refusal(st, app, p, inactive(u)))
	}
	index, err := s.newID()
	if err != nil {
		return Form{}, err
	}
	return form(s.success(st, app, p, u, &session{at: s.now(), index: index, factor: u.SecondFactor != ""}))
}

// form returns an answer without its faults, for callers without a browser.
func form(out posted, err *Error) (Form, error) {
	if err != nil {
		return Form{}, err
	}
	return out.Form, nil
}
