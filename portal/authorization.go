package portal

import (
	"context"
	"errors"
	"fmt"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
)

// Authorization is a program's access as a user: a session of its own kind, with sessions.Session.Client. It lets in in
// its own Region only. It has the same sign-in as the browser's session in which the user allowed it, and ends with
// that sign-in in every Region. It ends no later than that session would have, and not by idleness.
type Authorization struct {
	Session sessions.Session
	User    center.User
}

// maxAuthorizations is how many authorizations of one sign-in may exist in all Regions. Each is copied to every Region.
const maxAuthorizations = 64

// authorizationKey returns the key of an authorization. No browser's session has the key of an authorization, because
// the kinds differ.
func authorizationKey(secret string) string { return hashed("cli grant", secret) }

// Authorize begins an authorization for the program with this name. secret is at least 256 random bits, and the store
// keeps only its hash. by is the Approval with which Clients.Allow was called. The error is an *Error:
// ReasonClientSession if the session of the approval has ended, or the reason why no session can begin.
func (p *Portal) Authorize(ctx context.Context, secret, client string, by Approval) (Authorization, error) {
	if why := p.mayBegin(); why != nil {
		return Authorization{}, why
	}
	s, err := p.cfg.Sessions.Get(ctx, by.Key)
	if err != nil && !errors.Is(err, sessions.ErrNoSession) {
		return Authorization{}, unavailable("read of the session", err)
	}
	now := p.now()
	if err != nil || client == "" || s.Client != "" || s.ID != by.ID || s.Region != p.cfg.Region ||
		s.Over(now, p.cfg.IdleTimeout) {
		return Authorization{}, newError(ReasonClientSession, "session of the approval", "a session of this Region", "")
	}
	u, why := p.userOfSession(s)
	if why == nil {
		why = p.checkLoggedOut(ctx, s)
	}
	if why == nil {
		why = p.checkAuthorizations(ctx, s)
	}
	if why == nil {
		s.ID, s.Client, s.Data = randomHex(nameBytes), client, nil
		s.Created, s.Seen = now, now
		why = p.create(ctx, authorizationKey(secret), s)
	}
	if why != nil {
		return Authorization{}, why
	}
	if why := p.auditProgram(ctx, s, client, true); why != nil {
		return Authorization{}, p.takeBack(ctx, authorizationKey(secret), why)
	}
	p.log.InfoContext(ctx, "portal: program let in", "user", s.UserName, "program", client, "session", s.ID)
	return Authorization{s, u}, nil
}

func (p *Portal) checkAuthorizations(ctx context.Context, s sessions.Session) *Error {
	n, why := p.countSessions(ctx, s, true)
	if why == nil && n >= maxAuthorizations {
		want := fmt.Sprintf("at most %d", maxAuthorizations)
		why = newError(ReasonSessions, "programs of one sign-in", want, s.UserName)
	}
	return why
}

// Authorized returns the authorization with this secret. The error is an *Error: ReasonClientSession if there is none
// in this Region or if it has ended, or the reason why the user or the Region has no sessions.
func (p *Portal) Authorized(ctx context.Context, secret string) (Authorization, error) {
	if _, ok := p.regionNamed(p.cfg.Region); !ok { // while it is being removed, sessions stay valid
		return Authorization{}, newError(ReasonNotInUse, "status of the Region", "a Region of the instance", p.cfg.Region)
	}
	key := authorizationKey(secret)
	s, err := p.authorization(ctx, key)
	now, none := p.now(), newError(ReasonClientSession, "authorization of a program", "one that lives here", "")
	switch {
	case err != nil:
		return Authorization{}, err
	case s.Region != p.cfg.Region, s.Client == "", s.Over(now, 0):
		return Authorization{}, none
	}
	u, refused := p.active(p.cfg.Directory.UserByID(s.UserID))
	if refused != nil {
		refused.Got = s.UserName
		return Authorization{}, p.endUnknown(ctx, key, s, refused)
	}
	if refused := vouchedFor(u, s); refused != nil {
		return Authorization{}, p.endNow(ctx, key, refused)
	}
	if e := p.stale(); e != nil {
		return Authorization{}, e
	}
	if now.Sub(s.Seen) >= p.touchEvery() {
		if err := p.cfg.Sessions.Touch(ctx, key, now); errors.Is(err, sessions.ErrNoSession) { // a concurrent sign-out
			return Authorization{}, none
		} else if err != nil {
			return Authorization{}, unavailable("write of the session", err)
		}
	}
	return Authorization{s, u}, nil
}

func (p *Portal) authorization(ctx context.Context, key string) (sessions.Session, error) {
	s, err := p.cfg.Sessions.Get(ctx, key)
	if errors.Is(err, sessions.ErrNoSession) {
		return s, newError(ReasonClientSession, "authorization of a program", "one that has not ended", "")
	} else if err != nil {
		return s, unavailable("read of the session", err)
	}
	return s, nil
}

// EndAuthorization ends one authorization, and not the others of its sign-in. It is no error if there is none.
func (p *Portal) EndAuthorization(ctx context.Context, secret string) error {
	key := authorizationKey(secret)
	s, missing := p.cfg.Sessions.Get(ctx, key) // for the event
	if err := p.cfg.Sessions.End(ctx, key); err != nil {
		return unavailable("end of the session", err)
	}
	if missing == nil {
		p.auditLogout(ctx, s, byProgram, endedProgram)
	}
	return nil
}

// SignOutAuthorization ends the whole sign-in of an authorization of any Region, in every Region: the browser's
// sessions and all programs. A command line's sign-out does this, and may ask any Region. The error is an *Error:
// ReasonClientSession if this Region knows no such authorization.
func (p *Portal) SignOutAuthorization(ctx context.Context, secret string) error {
	s, err := p.authorization(ctx, authorizationKey(secret))
	if err != nil {
		return err
	}
	if err := p.endSignIn(ctx, s); err != nil {
		return unavailable("end of the sign-in", err)
	}
	p.log.InfoContext(ctx, "portal: signed out", "user", s.UserName, "program", s.Client)
	p.auditLogout(ctx, s, byProgram, endedSignIn)
	return nil
}

// EndSignIn ends a sign-in in every Region, by its name in the sessions (sessions.Session.SignIn). Unlike
// SignOutAuthorization, it also ends one of which this Region hasn't heard yet.
func (p *Portal) EndSignIn(ctx context.Context, userID, signIn string) error {
	if err := p.endSignIn(ctx, sessions.Session{UserID: userID, SignIn: signIn}); err != nil {
		return unavailable("end of the sign-in", err)
	}
	p.auditLogout(ctx, sessions.Session{UserID: userID}, byProgram, endedSignIn)
	return nil
}
