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

// sessionRow is a session as its person sees it.
type sessionRow struct {
	sessions.Session
	Region  center.Region // the name alone if the Region is gone
	Current bool
	Seen    string // in words
}

// sessions shows the person's own sessions in all Regions.
func (p *Portal) sessions(w http.ResponseWriter, r *http.Request, v *visit) {
	all, err := p.cfg.Sessions.List(r.Context(), v.user.ID)
	if err != nil {
		p.refuseVisit(w, r, unavailable("list of the sessions", err))
		return
	}
	var rows []sessionRow
	now := p.cfg.Now()
	for _, s := range all {
		if s.Over(now, p.cfg.IdleTimeout) {
			continue
		}
		region, ok := p.regionNamed(s.Region)
		if !ok {
			region.Name = s.Region
		}
		rows = append(rows, sessionRow{Session: s, Region: region, Current: s.ID == v.session.ID, Seen: seen(now.Sub(s.Seen))})
	}
	p.render(w, r, http.StatusOK, "sessions", v.page("Your sessions", "sessions", rows))
}

// seen is rough on purpose: Seen moves once a minute.
func seen(d time.Duration) string {
	if d < 2*time.Minute {
		return "just now"
	}
	return "about " + ago(d)
}

// endSession ends one of the person's own sessions, in whatever Region. One
// that is over by now is what was wanted.
func (p *Portal) endSession(w http.ResponseWriter, r *http.Request, v *visit) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("id") == "" {
		p.badRequest(w, r)
		return
	}
	id := r.PostForm.Get("id")
	if err := p.endOne(r.Context(), v, id); err != nil && !errors.Is(err, sessions.ErrNoSession) {
		p.refuseVisit(w, r, unavailable("end of the session", err))
		return
	}
	p.cfg.Logger.InfoContext(r.Context(), "portal: session ended", "region", p.cfg.Region, "user", v.user.UserName, "session", refusal.Printable(id))
	if id == v.session.ID {
		p.forgetBrowser(w)
		http.Redirect(w, r, pathSignedOut, http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, PathSessions, http.StatusSeeOther)
}

// endOne ends a session of the person's. One of another sign-in goes with all
// that came from the same: any of those would hand it back at the next visit.
func (p *Portal) endOne(ctx context.Context, v *visit, id string) error {
	all, err := p.cfg.Sessions.List(ctx, v.user.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(s sessions.Session) bool { return s.ID == id && s.SignIn != v.session.SignIn })
	if i < 0 {
		return p.cfg.Sessions.Revoke(ctx, v.user.ID, id)
	}
	return p.cfg.Sessions.EndSignIn(ctx, v.user.ID, all[i].SignIn, p.forgettable())
}

// endAllSessions signs the person out everywhere, here too.
func (p *Portal) endAllSessions(w http.ResponseWriter, r *http.Request, v *visit) {
	if err := p.cfg.Sessions.RevokeUser(r.Context(), v.user.ID); err != nil {
		p.refuseVisit(w, r, unavailable("end of all sessions", err))
		return
	}
	p.cfg.Logger.InfoContext(r.Context(), "portal: all sessions ended", "region", p.cfg.Region, "user", v.user.UserName, "by", v.user.UserName)
	p.forgetBrowser(w)
	http.Redirect(w, r, pathSignedOut, http.StatusSeeOther)
}
