package mockidp

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/beevik/etree"
)

// logoutRequestLifetime is how long an app may take the Server's LogoutRequest.
const logoutRequestLifetime = AssertionLifetime

// outgoing is a logout message on its way.
type outgoing struct {
	param, to, relayState string
	doc                   *etree.Document
	framed                bool // the page is in a frame of this Server's
	login                 string
	status                *Status // of a LogoutResponse that isn't a success
}

// sendLogoutRequest sends the browser to the next app with a LogoutRequest.
func (s *Server) sendLogoutRequest(
	w http.ResponseWriter, r *http.Request, st *state, app *App, to logoutTo) *Error {
	id, doc, err := s.logoutRequest(app, to.participant, app.LogoutURL)
	if err != nil {
		return err
	}
	to.sent(id)
	return s.sendLogout(w, r, st, app, outgoing{param: "SAMLRequest", to: app.LogoutURL, doc: doc, login: to.login,
		framed: to.framed})
}

// logoutTo is a LogoutRequest that the browser carries to a participant.
type logoutTo struct {
	participant
	login  string
	framed bool
	sent   func(id string) // is called with the ID before the message is sent
}

// logoutRequest returns a LogoutRequest to an app, and its ID (SAML Core 3.7.1).
func (s *Server) logoutRequest(app *App, p participant, destination string) (string, *etree.Document, *Error) {
	id, err := s.newID()
	if err != nil {
		return "", nil, err
	}
	doc, xerr := newDocument("logout-request", map[string]any{"ID": id, "Issuer": app.Issuer, "Destination": destination,
		"Now": instant(s.now()), "NotOnOrAfter": instant(s.now().Add(logoutRequestLifetime)),
		"Format": p.format, "NameID": p.nameID, "SessionIndex": p.index})
	if xerr != nil {
		return "", nil, internal("writing the LogoutRequest", xerr)
	}
	return id, doc, nil
}

// sendLogoutResponse answers the app that asked (SAML Core 3.7.3.2).
func (s *Server) sendLogoutResponse(w http.ResponseWriter, r *http.Request, st *state, app *App, l logout) *Error {
	out := outgoing{param: "SAMLResponse", to: cmp.Or(app.LogoutResponseURL, app.LogoutURL),
		relayState: l.asking.relayState, login: l.login}
	var err *Error
	if out.doc, out.status, err = s.logoutResponse(app, l.asking.request.id, out.to, l.told); err != nil {
		return err
	}
	return s.sendLogout(w, r, st, app, out)
}

// logoutResponse returns a LogoutResponse, and its status if that isn't a plain success. By SOAP there is no
// destination.
func (s *Server) logoutResponse(
	app *App, inResponseTo, destination string, told []ToldApp) (*etree.Document, *Status, *Error) {
	id, err := s.newID()
	if err != nil {
		return nil, nil, err
	}
	var status *Status
	sub := ""
	if partial(told) {
		sub = StatusPartialLogout
		status = &Status{Code: StatusSuccess, SubCode: sub}
	}
	doc, xerr := newDocument("logout-response", map[string]any{"ID": id, "Issuer": app.Issuer, "Destination": destination,
		"Now": instant(s.now()), "InResponseTo": inResponseTo, "SubCode": sub})
	if xerr != nil {
		return nil, nil, internal("writing the LogoutResponse", xerr)
	}
	return doc, status, nil
}

// sendLogout signs a message and sends the browser to an app with it, by the app's binding.
func (s *Server) sendLogout(w http.ResponseWriter, r *http.Request, st *state, app *App, out outgoing) *Error {
	faults := s.takeLogoutFaults(app, out.param)
	if out.param == "SAMLResponse" {
		faults = append(faults, s.takeTransportFaults(EndpointLogout, app.ID, false)...)
	}
	if before(w, r, faults) || keepsSilent(w, faults) {
		return nil
	}
	s.spoilLogout(out.doc.Root(), faults)
	if err := s.encryptName(app, out.doc.Root(), faults); err != nil {
		return err
	}
	form, raw, ferr := Form{URL: out.to}, []byte(nil), error(nil)
	post := app.LogoutBinding == LogoutPOST
	if post {
		if err := s.seal(st, app, out.doc.Root(), sealingBy(faults)); err != nil {
			return err
		}
		raw, ferr = out.doc.WriteToBytes()
		form.Fields = []Field{{out.param, base64.StdEncoding.EncodeToString(raw)}}
	} else {
		form.Method = GET
		if raw, ferr = out.doc.WriteToBytes(); ferr == nil {
			k, err := s.sealer(st, app, sealingBy(faults))
			if err != nil {
				return err
			}
			form.Fields, ferr = s.signedQuery(k, out, raw, sealingBy(faults))
		}
	}
	if ferr != nil {
		return internal("signing the logout message", ferr)
	}
	query, id, document, err := s.mutatedLogout(st, app, out, raw, &form)
	if err != nil {
		return err
	}
	m := Message{Time: s.now(), Direction: Sent, App: app.ID, User: out.login, Binding: bindingRedirect, ACS: out.to,
		RelayState: out.relayState, XML: document, Status: out.status, Faults: kindsOf(faults), Form: form, Attack: id}
	if post && out.relayState != "" {
		form.Fields = append(form.Fields, Field{"RelayState", out.relayState})
	}
	if post {
		m.Binding, m.Form = bindingPOST, form.clone()
	}
	s.messages.add(m)
	if post {
		s.postLogout(w, app, form, out.framed)
		return nil
	}
	sep := "?"
	if strings.Contains(out.to, "?") {
		sep = "&"
	}
	http.Redirect(w, r, out.to+sep+query, http.StatusSeeOther)
	return nil
}

// mutatedLogout returns what Config.MutateMessage makes of a logout message: the query by HTTP-Redirect, the ID of the
// mutation, or "", and the document. By HTTP-POST it changes the form.
func (s *Server) mutatedLogout(
	st *state, app *App, out outgoing, doc []byte, form *Form,
) (query, id string, document []byte, err *Error) {
	change := MessageMutation{Binding: "HTTP-Redirect", Message: doc, Destination: out.to, RelayState: out.relayState}
	if app.LogoutBinding == LogoutPOST {
		change.Binding = "HTTP-POST"
	}
	change.readLogout(out.doc)
	changed, id, err := s.mutatedMessage(st, app, out.login, change)
	switch {
	case err != nil || id == "":
		return encodeFields(form.Fields), "", doc, err
	case change.Binding == "HTTP-POST":
		form.Fields = []Field{{cmp.Or(changed.Param, out.param), changed.Text}}
	default:
		form.Fields = queryFields("?" + changed.Text)
	}
	return changed.Text, id, changed.Document, nil
}

// postLogout shows the page that posts a message. The app may redirect anywhere, so the page has no form-action.
func (s *Server) postLogout(w http.ResponseWriter, app *App, form Form, framed bool) {
	const doing = "Signing out of"
	w.Header().Set("Content-Security-Policy", policy(""))
	if framed {
		w.Header().Set("Content-Security-Policy", framedPolicy(""))
	}
	s.render(w, http.StatusOK, "post", page{Title: doing + " " + app.Label, Script: scriptSubmit,
		Body: postPage{Doing: doing, URL: form.URL, Inputs: form.Inputs(), Words: words(app.Label)}})
}

// signedQuery returns the parameters of HTTP-Redirect (SAML Bindings 3.4.4.1).
func (s *Server) signedQuery(k signer, out outgoing, doc []byte, how sealing) ([]Field, error) {
	var b bytes.Buffer
	deflater, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	_, _ = deflater.Write(doc) // a Buffer never fails
	_ = deflater.Close()
	fields := []Field{{out.param, base64.StdEncoding.EncodeToString(b.Bytes())}}
	if out.relayState != "" {
		fields = append(fields, Field{"RelayState", out.relayState})
	}
	if how == unsealed {
		return fields, nil
	}
	fields = append(fields, Field{"SigAlg", string(k.method)})
	hash := signatureHashes[k.method]
	h := hash.New()
	h.Write([]byte(encodeFields(fields)))
	sig, err := k.key.signer.Sign(readerFunc(s.readRandom), h.Sum(nil), hash)
	if how == tampered && len(sig) > 0 {
		sig[len(sig)-1] ^= 1
	}
	return append(fields, Field{"Signature", base64.StdEncoding.EncodeToString(sig)}), err
}

// handleLogout shows what a sign-out has done, and what is left. A LogoutRequest by HTTP-POST begins here.
func (s *Server) handleLogout(w http.ResponseWriter, r *http.Request) *Error {
	key := r.URL.Query().Get("logout")
	l, err := s.logoutByKey(key)
	if err != nil {
		return err
	}
	if l.asking.app != "" && !l.asking.begun {
		return s.beginLogout(w, r, key)
	}
	if r.URL.Query().Has("go") {
		return s.continueLogout(w, r, key)
	}
	if len(l.frames) > 0 {
		s.showFrames(w, key, l)
		return nil
	}
	s.showLogout(w, key, l)
	return nil
}

// handleSkip goes on without an app that didn't answer.
func (s *Server) handleSkip(w http.ResponseWriter, r *http.Request, form url.Values) *Error {
	key := form.Get("logout")
	if _, err := s.logoutByKey(key); err != nil {
		return err
	}
	st := s.state.Load()
	s.logouts.update(key, func(l *logout) {
		if l.sent == form.Get("sent") && l.sent != "" {
			l.settle(st, "it didn't answer")
		}
	})
	return s.continueLogout(w, r, key)
}

// showLogout shows the page of a sign-out. Its forms lead to apps by redirects, so it has no form-action.
func (s *Server) showLogout(w http.ResponseWriter, key string, l logout) {
	st := s.state.Load()
	var waiting []string
	for _, p := range l.waiting {
		waiting = append(waiting, st.told(p, "").Label)
	}
	p := page{Title: "You are signed out", Body: struct {
		Key, Sent, Login string
		Told             []ToldApp
		Waiting          []string
		Partial          bool
	}{key, l.sent, l.login, l.told, waiting, partial(l.told)}}
	switch {
	case len(waiting) > 0:
		p.Title = "Signing out"
		if l.sent == "" {
			p.Script = scriptSubmit
		}
	case partial(l.told):
		p.Title = "You may still be signed in to some apps"
	}
	w.Header().Set("Content-Security-Policy", policy(""))
	s.render(w, http.StatusOK, "logout", p)
}
