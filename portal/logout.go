package portal

import (
	"context"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// endSubject is the consumer's EndSessions: an identity provider ends the sessions that its LogoutRequest names, in
// every Region, including those that begin later with an assertion that it names (SAML Core 3.7.3.1).
func (p *Portal) endSubject(ctx context.Context, l *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
	subject := sessions.Subject{
		Provider: l.IdP(), ServiceProvider: p.cfg.SP.EntityID(), NameID: sessions.NameID(l.NameID()),
	}
	named := sessions.Logout{
		Subject: subject, SessionIndexes: l.SessionIndexes(), Issued: l.IssueInstant(), NotOnOrAfter: l.NotOnOrAfter(),
		Until: p.rememberLogout(l.NotOnOrAfter()),
	}
	ended, err := p.cfg.Sessions.EndSubject(ctx, named)
	if err == nil && len(named.SessionIndexes) > 0 && slices.Contains(p.cfg.LogoutEndsAll, l.IdP()) {
		// In addition, because a late assertion with one of the named sessions is refused whenever it was issued.
		all := named
		all.SessionIndexes, all.NotOnOrAfter = nil, time.Time{}
		var others []sessions.Session
		others, err = p.cfg.Sessions.EndSubject(ctx, all)
		ended = append(ended, others...)
	}
	if err != nil {
		return saml.LogoutFailed, err
	}
	p.auditProviderLogout(ctx, subject, ended)
	behind := p.behind()
	p.log.InfoContext(ctx, "portal: signed out by the identity provider", "idp", l.IdP(), "sessions", len(ended),
		"behind", behind)
	if len(behind) > 0 || (sessions.Proof{Subject: subject}).Bounded().Subject != subject {
		return saml.LogoutPartial, nil // a session doesn't have a name that is too long, so none has ended
	}
	return saml.LogoutSuccess, nil
}

// rememberLogout returns until when a logout must be known: until no session that it ends can be alive. An assertion
// issued at end, by a clock that is ahead, arrives MaxAge later, waits for the user, and begins a session.
func (p *Portal) rememberLogout(end time.Time) time.Time {
	sp := p.cfg.SP
	return end.Add(sp.MaxAge() + 2*sp.Skew() + pendingLifetime + p.cfg.SessionLifetime + time.Hour) // as in endSignIn
}

// behind returns the other Regions that may not know of a change soon: those that are not reached, or of which changes
// have not arrived here. A Region that was lost a moment ago is not known to be.
func (p *Portal) behind() (names []string) {
	if p.cfg.Replication == nil {
		return nil // all Regions are in this process
	}
	heard := p.peers()
	for _, r := range p.cfg.Directory.Regions() {
		if r.Name != p.cfg.Region && r.Status != center.RegionAdding && heard[r.Name].State != PeerReplicated {
			names = append(names, r.Name)
		}
	}
	return names
}

// checkLoggedOut refuses a late assertion: one whose session the identity provider has ended before it begins.
func (p *Portal) checkLoggedOut(ctx context.Context, s sessions.Session) *Error {
	out, err := p.cfg.Sessions.LoggedOut(ctx, s)
	switch {
	case err != nil:
		return unavailable("read of the logouts", err)
	case out:
		const rule, want = "LogoutRequest (Core 3.7.3.1)", "an assertion that no LogoutRequest names"
		return newError(ReasonLoggedOut, rule, want, s.UserName)
	}
	return nil
}
