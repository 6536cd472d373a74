package mockidp

import (
	"net/http"
	"slices"

	"github.com/beevik/etree"
)

// handleLogoutSOAP answers a LogoutRequest by SOAP: it ends every session that the request names, in all browsers, and
// tells their other apps by SOAP. An app without LogoutSOAPURL can't be told, which makes the answer a PartialLogout.
func (s *Server) handleLogoutSOAP(r *http.Request, st *state, app *App, in incoming) ([]byte, *Error) {
	if !app.hasLogout() {
		return nil, errorf(ReasonNoLogout, "the app %s has no single logout", quote(app.Label))
	}
	msg, _, err := s.readLogoutMessage(app, in)
	if err != nil {
		return nil, err
	}
	login, others := s.endNamed(app, msg)
	told := s.tellBySOAP(r.Context(), st, login, others)
	doc, status, err := s.logoutResponse(app, msg.id, "", told)
	if err != nil {
		return nil, err
	}
	faults := s.takeLogoutFaults(app, "SAMLResponse")
	if has(faults, LogoutSilent) {
		pause(r, longestSilence)
		panic(http.ErrAbortHandler)
	}
	return s.signedBySOAP(st, app, doc, faults, Message{User: login, Status: status})
}

// endNamed ends the sessions that a LogoutRequest names. It returns their user and their other apps.
func (s *Server) endNamed(app *App, msg *logoutMessage) (login string, others []participant) {
	s.sessions.with(func(byToken map[string]session) {
		for token, sess := range byToken {
			if !s.now().Before(sess.expires) || sess.named(app, msg, s.config.Strict) != nil {
				continue
			}
			delete(byToken, token)
			login = sess.login
			others = append(others, slices.DeleteFunc(slices.Clone(sess.apps), func(p participant) bool {
				return p.app == app.ID || slices.Contains(others, p)
			})...)
		}
	})
	if login != "" {
		s.config.Logger.Info("mockidp: signed out", "login", login, "app", app.ID)
	}
	return login, others
}

// signedBySOAP signs a message to an app that goes by SOAP, and adds it to the messages. The caller sets what m says
// beyond the app.
func (s *Server) signedBySOAP(
	st *state, app *App, doc *etree.Document, faults []Fault, m Message) ([]byte, *Error) {
	s.spoilLogout(doc.Root(), faults)
	if err := s.encryptName(app, doc.Root(), faults); err != nil {
		return nil, err
	}
	if err := s.seal(st, app, doc.Root(), sealingBy(faults)); err != nil {
		return nil, err
	}
	raw, werr := doc.WriteToBytes()
	if werr != nil {
		return nil, internal("writing the message", werr)
	}
	m.Faults = kindsOf(faults)
	change := MessageMutation{Destination: app.LogoutSOAPURL}
	change.readLogout(doc)
	return s.bySOAP(st, app, raw, change, m)
}
