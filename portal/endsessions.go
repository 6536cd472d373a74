package portal

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
)

// endSessionsBody is the question before an operator ends sessions of a user.
type endSessionsBody struct {
	Person  personRow
	Session string       // the ID of the one to end; "": all of the user's
	Ends    []sessionRow // those that end
	Behind  []center.Region
}

const (
	textEndOne       = "End this session?"
	textAlreadyEnded = "This session has ended already. Nothing was done."
	textOneEnded     = "The session was ended here. Other Regions end it when the change arrives there."
	textAllEnded     = "All sessions of %s were ended here. Other Regions end them when the change arrives there."
)

// askEndSessions asks before sessions end: one, with the others of its sign-in, or all of the user's.
func (p *Portal) askEndSessions(w http.ResponseWriter, r *http.Request, v *visit, s *center.Snapshot) {
	u, ok := s.UserByID(r.URL.Query().Get("id"))
	if !ok {
		p.noPerson(w, r, v)
		return
	}
	body := endSessionsBody{Person: p.personRow(u), Session: r.URL.Query().Get("session"), Behind: p.named(p.behind())}
	list, err := p.cfg.Sessions.List(r.Context(), u.ID)
	if err != nil {
		p.refuseVisit(w, r, unavailable("list of the sessions", err))
		return
	}
	title := p.theme.Texts(r).T("End all sessions of %s?", u.Label())
	if body.Session != "" {
		title, list = textEndOne, endsWith(list, body.Session)
	}
	rows := p.sessionRows(r, list, v.session.ID)
	if body.Session != "" && len(rows) == 0 {
		p.renderPerson(w, r, v, s, u, http.StatusNotFound, personBody{Problem: textAlreadyEnded})
		return
	}
	body.Ends, _ = first(rows, maxSessionRows)
	p.render(w, r, http.StatusOK, "endsessions", v.page(title, "operator", body))
}

// endsWith returns the sessions that end with a user's session with this ID. A browser's session ends with all of its
// sign-in, because each of them could hand a new session to the browser. A program's session ends alone.
func endsWith(list []sessions.Session, id string) []sessions.Session {
	i := slices.IndexFunc(list, func(s sessions.Session) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	of := list[i]
	return slices.DeleteFunc(list, func(s sessions.Session) bool {
		return s.ID != id && (of.Client != "" || s.SignIn != of.SignIn)
	})
}

func (p *Portal) endSessions(w http.ResponseWriter, r *http.Request, v *visit, s *center.Snapshot) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("id") == "" {
		p.badRequest(w, r)
		return
	}
	u, ok := s.UserByID(r.PostForm.Get("id"))
	if !ok {
		p.noPerson(w, r, v)
		return
	}
	id := r.PostForm.Get("session")
	if id == "" {
		if p.revokeUser(w, r, v, u) {
			done := p.theme.Texts(r).T(textAllEnded, u.UserName)
			p.renderPerson(w, r, v, s, u, http.StatusOK, personBody{Done: done})
		}
		return
	}
	if !p.mayRevoke(w, r) {
		return
	}
	switch err := p.endOneOf(r.Context(), v, u, id); {
	case errors.Is(err, sessions.ErrNoSession):
		p.renderPerson(w, r, v, s, u, http.StatusNotFound, personBody{Problem: textAlreadyEnded})
	case err != nil:
		p.refuseVisit(w, r, unavailable("end of the session", err))
	default:
		p.renderPerson(w, r, v, s, u, http.StatusOK, personBody{Done: p.theme.Texts(r).T(textOneEnded)})
	}
}

// endOneOf ends a session of another user, with those that end with it.
func (p *Portal) endOneOf(ctx context.Context, v *visit, u center.User, id string) error {
	list, err := p.cfg.Sessions.List(ctx, u.ID)
	if err != nil {
		return err
	}
	list = endsWith(list, id)
	i := slices.IndexFunc(list, func(s sessions.Session) bool { return s.ID == id })
	if i < 0 {
		return sessions.ErrNoSession
	}
	ended := endedSession
	if list[i].Client == "" {
		ended, err = endedSignIn, p.endSignIn(ctx, list[i])
	} else {
		err = p.cfg.Sessions.Revoke(ctx, u.ID, id)
	}
	if err != nil {
		return err
	}
	p.log.InfoContext(ctx, "portal: session ended", "user", u.UserName, "by", v.user.UserName, "session", id)
	p.auditRevocation(ctx, v.session, u, id, ended)
	return nil
}
