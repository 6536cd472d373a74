package portal

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
)

// The events of Config.Audit. None has a cookie, a code, a message, or what a client sent instead of one. A failed
// write stops nothing: the Log keeps the event, logs the failure and raises an alert. With audit.Config.Required, it
// stops what gives access: see grant.

// withClient returns a request whose context has the client for the events.
func (p *Portal) withClient(r *http.Request) *http.Request {
	if p.cfg.Audit == nil {
		return r
	}
	addr := r.RemoteAddr
	if p.cfg.ClientAddr != nil {
		addr = p.cfg.ClientAddr(r)
	}
	return r.WithContext(audit.WithClient(r.Context(), addr, r.UserAgent()))
}

func (p *Portal) access(ctx context.Context, e audit.Event) { _ = p.cfg.Audit.Access(ctx, e) }

// grant writes the event of what gives access, and returns an error if that must not be given.
func (p *Portal) grant(ctx context.Context, e audit.Event) *Error {
	if err := p.cfg.Audit.Grant(ctx, e); err != nil {
		return &Error{Reason: ReasonAudit, Rule: "event of " + e.Name, Want: "a written one", Err: err}
	}
	return nil
}

// auditNotBegun writes what a consumer refused before there was a response: a sign-in that did not begin, or a message
// about a logout.
func (p *Portal) auditNotBegun(ctx context.Context, what string, v acs.Verdict) {
	if p.cfg.Audit == nil {
		return
	}
	e := audit.Event{
		Time: v.Time, Source: audit.SourceSignIn, Name: "RequestRefused", ErrorCode: v.Reason, ErrorMessage: v.Rule,
		Additional: map[string]string{"IdentityProvider": v.IdP, "Flow": v.Flow, "Reference": v.Reference},
	}
	if what == acs.RefusedLogout {
		e.Source, e.Name = audit.SourceSSO, "Logout"
		e.Identity = audit.Identity{Type: audit.TypeUnknown, UserName: v.NameID}
	}
	p.cfg.Audit.Refused(ctx, e)
}

// auditVerdict writes a response that was refused. One that was accepted is written with its session, or its refusal.
func (p *Portal) auditVerdict(ctx context.Context, v acs.Verdict) {
	if p.cfg.Audit == nil || v.Accepted {
		return
	}
	p.cfg.Audit.Refused(ctx, audit.Event{
		Time: v.Time, Source: audit.SourceSignIn, Name: "ExternalIdPDirectoryLogin", ErrorCode: v.Reason,
		ErrorMessage: v.Rule, Identity: audit.Identity{Type: audit.TypeUnknown, UserName: v.NameID},
		Request: map[string]string{"acs": v.ACS},
		Additional: map[string]string{
			"CredentialType": "EXTERNAL_IDP", "IdentityProvider": v.IdP, "Flow": v.Flow, "Reference": v.Reference,
			"AssertionID": v.AssertionID,
		},
		Details: map[string]string{"UserAuthentication": "Failure"},
	})
}

// sessionEvent is the event of a session that begins, by a sign-in or by a handoff.
func sessionEvent(in pending, from string) audit.Event {
	s := in.Session
	e := audit.Event{
		Source: audit.SourceSSO, Name: "Authenticate", Identity: audit.User(s.UserID, s.UserName, s.ID),
		Additional: map[string]string{"FromRegion": from},
	}
	if !in.handedOff() {
		flow := acs.FlowSP
		if in.Unsolicited {
			flow = acs.FlowIdP
		}
		e.Source, e.Name = audit.SourceSignIn, "UserAuthentication"
		e.Additional = map[string]string{
			"CredentialType": "EXTERNAL_IDP", "UserName": s.UserName, "IdentityProvider": s.Proof.Subject.Provider,
			"Flow": flow,
		}
		e.Details = map[string]string{"UserAuthentication": "Success"}
	}
	return e
}

// clientGone is the ErrorCode of a request whose client went away before a store answered. A client can cause any
// number of these, so they are not those of a store that is unavailable.
const clientGone = "ClientGone"

// auditRefused writes what logRefused logs.
func (p *Portal) auditRefused(ctx context.Context, why *Error, reference string) {
	if p.cfg.Audit == nil {
		return
	}
	e := audit.Event{
		Source: audit.SourceSSO, Name: "RequestRefused", ErrorCode: string(why.Reason), ErrorMessage: why.Rule,
		Additional: map[string]string{"Reference": reference},
	}
	if why.Reason == ReasonUnavailable && errors.Is(ctx.Err(), context.Canceled) {
		e.ErrorCode = clientGone
	}
	if in := why.signIn; in != nil {
		e.Source, e.Name = audit.SourceSignIn, "UserAuthentication"
		e.Identity = audit.Identity{Type: audit.TypeUnknown, UserName: in.UserName}
		e.Additional["IdentityProvider"] = in.Proof.Subject.Provider
		e.Details = map[string]string{"UserAuthentication": "Failure"}
	}
	p.cfg.Audit.Refused(ctx, e)
}

// The values of the Initiator of a Logout.
const (
	byUser     = "user"
	byProgram  = "program"
	byProvider = "identity provider"
	byRegion   = "directory" // the user is no longer active
)

// The values of Ended of a Logout.
const (
	endedSession = "session"
	endedSignIn  = "sign-in"      // with all its sessions
	endedAll     = "all sessions" // of the user
	endedProgram = "authorization"
)

// auditLogout writes the end of a session (then credentialId is its ID), of a sign-in, or of all sessions of a user.
func (p *Portal) auditLogout(ctx context.Context, s sessions.Session, initiator, ended string) {
	if p.cfg.Audit == nil {
		return
	}
	p.access(ctx, audit.Event{
		Source: audit.SourceSSO, Name: "Logout", Identity: audit.User(s.UserID, s.UserName, s.ID),
		Additional: map[string]string{"Initiator": initiator, "Ended": ended, "Program": s.Client},
	})
}

// auditProviderLogout writes a LogoutRequest that was accepted. No session may have ended.
func (p *Portal) auditProviderLogout(ctx context.Context, of sessions.Subject, ended []sessions.Session) {
	s := sessions.Session{UserName: of.NameID.Value}
	for _, one := range ended {
		s.UserID, s.UserName = one.UserID, one.UserName
	}
	p.auditLogout(ctx, s, byProvider, strconv.Itoa(len(ended))+" sessions")
}

// auditRevocation writes that an operator ended sessions of a user: all, or the one with this ID, with what ended.
func (p *Portal) auditRevocation(ctx context.Context, by sessions.Session, u center.User, id, ended string) {
	if p.cfg.Audit == nil {
		return
	}
	e := audit.Event{
		Source: audit.SourceSSO, Name: "RevokeUserSessions", Identity: audit.User(by.UserID, by.UserName, by.ID),
		Request: map[string]string{
			"userId": u.ID, "userName": u.UserName, "identityProvider": cmp.Or(u.IdentityProvider, by.Proof.Subject.Provider),
		},
		Additional: map[string]string{"Ended": ended},
	}
	if id != "" {
		e.Name, e.Request["sessionId"] = "RevokeUserSession", id
	}
	_ = p.cfg.Audit.Change(ctx, e)
}

// auditKeys writes that a page showed credentials, as the API of the command line does.
func (p *Portal) auditKeys(ctx context.Context, s sessions.Session, role center.Role, expires time.Time) *Error {
	if p.cfg.Audit == nil {
		return nil
	}
	return p.grant(ctx, audit.Event{
		Source: audit.SourceSSO, Name: "GetRoleCredentials", Identity: audit.User(s.UserID, s.UserName, s.ID),
		Request:  map[string]string{"accountId": role.Account.ID, "roleName": role.PermissionSet.Name},
		Response: map[string]string{"expiration": expires.UTC().Format(time.RFC3339)},
	})
}

// auditProgram writes a user's answer to a program: the session of an authorization, or of the browser.
func (p *Portal) auditProgram(ctx context.Context, s sessions.Session, program string, allowed bool) *Error {
	if p.cfg.Audit == nil {
		return nil
	}
	e := audit.Event{
		Source: audit.SourceSignIn, Name: "AuthorizeOAuth2Access", Identity: audit.User(s.UserID, s.UserName, s.ID),
		Request: map[string]string{"clientName": program},
	}
	if !allowed {
		e.ErrorCode = "Denied"
		p.access(ctx, e)
		return nil
	}
	return p.grant(ctx, e)
}

// auditRegion writes that an operator added or removed a Region, or why that was refused.
func (p *Portal) auditRegion(ctx context.Context, by sessions.Session, name string, r center.Region, refused error) {
	if p.cfg.Audit == nil {
		return
	}
	e := audit.Event{
		Source: audit.SourceSSO, Name: name, Type: audit.APICall, Identity: audit.User(by.UserID, by.UserName, by.ID),
		Request: map[string]string{"regionName": r.Name},
	}
	var why *center.Error
	switch {
	case refused == nil:
		e.Response = map[string]string{"status": string(r.Status)}
	case errors.As(refused, &why):
		e.ErrorCode, e.ErrorMessage = string(why.Reason), why.Rule
	default:
		e.ErrorCode = string(ReasonUnavailable)
	}
	_ = p.cfg.Audit.Change(ctx, e)
}
