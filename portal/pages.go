package portal

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

func (v *visit) page(title, tab string, body any) page {
	return page{Title: title, Tab: tab, User: &v.user, Until: v.session.Expires, began: v.session.Created, Body: body}
}

type sessionRow struct {
	sessions.Session
	Region  center.Region // only the name if the Region was removed
	Current bool
	Seen    string
	From    sessionFrom
	// Lost reports whether the Region where it began can't be reached from here.
	Lost bool
}

func (p *Portal) sessions(w http.ResponseWriter, r *http.Request, v *visit) {
	all, err := p.cfg.Sessions.List(r.Context(), v.user.ID)
	if err != nil {
		p.refuseVisit(w, r, unavailable("list of the sessions", err))
		return
	}
	rows := p.sessionRows(r, all, v.session.ID)
	p.render(w, r, http.StatusOK, "sessions", v.page("Your sessions", "sessions", rows))
}

// sessionRows returns those of a user's sessions that haven't ended by age or idleness.
func (p *Portal) sessionRows(r *http.Request, all []sessions.Session, current string) (rows []sessionRow) {
	now, texts, heard := p.now(), p.theme.Texts(r), p.peers()
	for _, s := range all {
		if s.Over(now, p.cfg.IdleTimeout) {
			continue
		}
		row := sessionRow{Session: s, Current: s.ID == current, Seen: texts.T("just now"),
			From: beganFrom(s), Lost: heard[s.Region].cutOff()}
		row.Region, _ = p.regionNamed(s.Region)
		row.Region.Name = s.Region
		if d := now.Sub(s.Seen); d >= 2*time.Minute { // Seen is up to a minute old
			row.Seen = texts.T("about %s", ago(texts, d))
		}
		rows = append(rows, row)
	}
	return rows
}

// endSession ends one of the user's own sessions, in any Region. It is no error if the session has ended already.
func (p *Portal) endSession(w http.ResponseWriter, r *http.Request, v *visit) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("id") == "" {
		p.badRequest(w, r)
		return
	}
	id := r.PostForm.Get("id")
	o := p.newSignOut(r.Context(), v.session, false)
	if err := p.endOne(r.Context(), v, id); err != nil && !errors.Is(err, sessions.ErrNoSession) {
		p.refuseVisit(w, r, unavailable("end of the session", err))
		return
	}
	p.log.InfoContext(r.Context(), "portal: session ended", "user", v.user.UserName, "session", refusal.Printable(id))
	p.auditLogout(r.Context(), sessions.Session{
		UserID: v.user.ID, UserName: v.user.UserName, ID: id,
	}, byUser, endedSession)
	if id == v.session.ID {
		o.Regions = []string{v.session.Region} // the others of the sign-in live on
		p.keepSignOut(w, r, v.session, o)
		p.showSignedOut(w, r)
		return
	}
	http.Redirect(w, r, PathSessions, http.StatusSeeOther)
}

// endOne ends a session of the user. If it belongs to another sign-in than v, all sessions of that sign-in end: any of
// them could hand a new session to the browser.
func (p *Portal) endOne(ctx context.Context, v *visit, id string) error {
	all, err := p.cfg.Sessions.List(ctx, v.user.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(s sessions.Session) bool { return s.ID == id && s.SignIn != v.session.SignIn })
	if i < 0 {
		return p.cfg.Sessions.Revoke(ctx, v.user.ID, id)
	}
	return p.endSignIn(ctx, all[i])
}

// askEndAll asks before all sessions end.
func (p *Portal) askEndAll(w http.ResponseWriter, r *http.Request, v *visit) {
	o := p.newSignOut(r.Context(), v.session, true)
	body := signedOutBody{Regions: p.named(o.Regions), Behind: p.named(o.Behind)}
	p.render(w, r, http.StatusOK, "everywhere", v.page("Sign out everywhere?", "sessions", body))
}

func (p *Portal) endAllSessions(w http.ResponseWriter, r *http.Request, v *visit) {
	o := p.newSignOut(r.Context(), v.session, true)
	if p.revokeUser(w, r, v, v.user) {
		p.keepSignOut(w, r, v.session, o)
		p.showSignedOut(w, r)
	}
}

// revokeUser ends all sessions of a user at the request of v's user. If it fails, it writes the response and returns
// false.
func (p *Portal) revokeUser(w http.ResponseWriter, r *http.Request, v *visit, u center.User) bool {
	if !p.mayRevoke(w, r) {
		return false
	}
	if err := p.cfg.Sessions.RevokeUser(r.Context(), u.ID); err != nil {
		p.refuseVisit(w, r, unavailable("end of all sessions", err))
		return false
	}
	p.log.InfoContext(r.Context(), "portal: all sessions ended", "user", u.UserName, "by", v.user.UserName)
	if u.ID == v.user.ID {
		p.auditLogout(r.Context(), v.session, byUser, endedAll)
	} else {
		p.auditRevocation(r.Context(), v.session, u, "", endedAll)
	}
	return true
}

// mayRevoke reports whether sessions may be ended in this Region: by the table of tasks, in all. If not, it writes the
// response.
func (p *Portal) mayRevoke(w http.ResponseWriter, r *http.Request) bool {
	revocation := center.Attempt{Task: center.TaskSessions, Write: true}
	if err := revocation.Check(p.cfg.Directory.Regions(), p.cfg.Region); err != nil {
		p.refuseVisit(w, r, &Error{Reason: ReasonNotInUse, Rule: "end of sessions", Err: err})
		return false
	}
	return true
}
