package oidc

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsapi"
)

const (
	accessPrefix  = "aoa" // AWS's access tokens begin so
	refreshPrefix = "aor"
	kindAccess    = "access token"
	kindRefresh   = "refresh token"
	// refreshGrace is how long a used refresh token gets successors. Several command lines of one user share a token and
	// renew it in the same moment, without knowing of each other.
	refreshGrace = time.Minute
)

// accessToken is the value of an access token. The secret is the authorization's: the store has only its hash, and a
// key that leaks gives no access without it.
type accessToken struct {
	Secret string   `json:"x"`
	Region string   `json:"r"`
	Scopes []string `json:"p"`
	Until  int64    `json:"u"` // seconds
}

// refreshToken is the value of a refresh token.
type refreshToken struct {
	Secret     string   `json:"x"`
	Client     string   `json:"c"` // fingerprint
	Scopes     []string `json:"p"`
	Generation int      `json:"g"`
	Issued     int64    `json:"t"` // milliseconds
}

// tokens issues an access token and, if the client may renew it, a refresh token. Neither outlives the authorization.
func (s *Server) tokens(ctx context.Context, r refreshToken, renew bool, end time.Time) (any, error) {
	now := s.now()
	until := now.Add(s.cfg.TokenLifetime)
	if until.After(end) {
		until = end
	}
	access, err := s.anywhere.Seal(ctx, kindAccess, until, accessToken{
		r.Secret, s.cfg.Portal.Region(), r.Scopes, until.Unix(),
	})
	if err != nil {
		return nil, unavailable("seal of a token", err)
	}
	out := tokenOutput{
		AccessToken: accessPrefix + access, ExpiresIn: int(until.Sub(now) / time.Second), TokenType: "Bearer",
	}
	if !renew {
		return out, nil
	}
	r.Issued = now.UnixMilli()
	token, err := s.here.Seal(ctx, kindRefresh, end, r)
	if err != nil {
		return nil, unavailable("seal of a token", err)
	}
	out.RefreshToken = refreshPrefix + token
	return out, nil
}

// refresh is the refresh token grant. Each token is used once. Within refreshGrace after that, it gets a successor too.
// A later use means that the token was stolen, so the authorization ends (RFC 9700 4.14.2).
func (s *Server) refresh(ctx context.Context, in tokenInput) (any, error) {
	sealed, isRefresh := strings.CutPrefix(in.RefreshToken, refreshPrefix)
	var r refreshToken
	why, err := opened(s.here.Open(ctx, kindRefresh, sealed, &r), ReasonGrant, "refreshToken")
	switch {
	case err != nil:
		return nil, err
	case why == nil && !isRefresh:
		why = newError(ReasonGrant, "refreshToken", "a refresh token", "")
	case why == nil && r.Client != fingerprint(in.ClientID):
		why = newError(ReasonGrant, "refreshToken", "the client that it was issued to", "")
	case why == nil && s.forgot(r):
		why = newError(ReasonGrant, "refreshToken", "one issued since the store remembers used ones", "")
	}
	if why != nil {
		return nil, invalidGrant.with(why)
	}
	if !isSubset(in.Scope, r.Scopes) {
		return nil, invalidScope.with(newError(ReasonInput, "scope", "scopes of the authorization", ""))
	}
	now := s.now()
	got, err := s.cfg.Portal.Authorized(ctx, r.Secret)
	if err != nil {
		return nil, ofPortal(err)
	}
	if !s.polls.refresh(got.Session.ID, now) {
		return nil, slowDown.with(newError(ReasonOften, "renewals of an authorization", "fewer", ""))
	}
	if err := s.useRefresh(ctx, r, now, got.Session.Expires); err != nil {
		return nil, err
	}
	r.Generation++
	return s.tokens(ctx, r, true, got.Session.Expires)
}

// forgot reports whether the store may have lost the record of the token's use.
func (s *Server) forgot(r refreshToken) bool {
	store, ok := s.cfg.Store.(acs.Rememberer)
	return ok && time.UnixMilli(r.Issued).Before(store.Since().Truncate(time.Millisecond))
}

// useRefresh notes that a token was used. The mark of the grace period comes first: then a concurrent use always finds
// it, and there is no moment in which the token is used and has no grace.
func (s *Server) useRefresh(ctx context.Context, r refreshToken, now, end time.Time) error {
	name := r.Secret + "|" + strconv.Itoa(r.Generation)
	fresh, err := s.add(ctx, storeKey("refresh grace", name), now.Add(refreshGrace))
	if err != nil {
		return err
	}
	first, err := s.add(ctx, storeKey("refresh used", name), end)
	if err != nil {
		return err
	}
	if first || !fresh {
		return nil
	}
	if err := s.cfg.Portal.EndAuthorization(ctx, r.Secret); err != nil {
		return unavailable("end of an authorization", err)
	}
	return invalidGrant.with(newError(ReasonReused, "refreshToken", "one that was not used", ""))
}

// Grant implements awsapi.Grants.
func (s *Server) Grant(ctx context.Context, token string) (awsapi.Grant, error) {
	t, err := s.openAccess(ctx, token)
	if err == nil && t.Region != s.cfg.Portal.Region() {
		err = &awsapi.Error{Reason: awsapi.ReasonNoGrant, Rule: "Region of the access token"}
	}
	if err != nil {
		return awsapi.Grant{}, err
	}
	got, err := s.cfg.Portal.Authorized(ctx, t.Secret)
	var e *portal.Error
	switch {
	case err == nil:
		return awsapi.Grant{
			UserID: got.User.ID, UserName: got.User.UserName, Scopes: t.Scopes, Expires: time.Unix(t.Until, 0),
		}, nil
	case !errors.As(err, &e), e.Reason == portal.ReasonUnavailable, e.Reason == portal.ReasonStale:
		return awsapi.Grant{}, &awsapi.Error{Reason: awsapi.ReasonUnavailable, Rule: "access token", Err: err}
	}
	return awsapi.Grant{}, &awsapi.Error{Reason: awsapi.ReasonNoGrant, Rule: "access token", Err: err}
}

// EndGrant implements awsapi.Grants.
func (s *Server) EndGrant(ctx context.Context, token string) error {
	t, err := s.openAccess(ctx, token)
	if err != nil && t.Secret == "" { // an expired one is enough to end its sign-in
		return err
	}
	err = s.cfg.Portal.SignOutAuthorization(ctx, t.Secret)
	var e *portal.Error
	switch {
	case err == nil, errors.As(err, &e) && e.Reason == portal.ReasonClientSession:
		return nil
	}
	return &awsapi.Error{Reason: awsapi.ReasonUnavailable, Rule: "access token", Err: err}
}

// openAccess returns an access token of any Region. With an error it may be set too: of an expired token.
func (s *Server) openAccess(ctx context.Context, token string) (accessToken, error) {
	var t accessToken
	none := &awsapi.Error{Reason: awsapi.ReasonNoGrant, Rule: "access token", Want: "one that was issued to a client"}
	sealed, ok := strings.CutPrefix(token, accessPrefix)
	if !ok {
		return t, none
	}
	err := s.anywhere.Open(ctx, kindAccess, sealed, &t)
	var e *awsapi.Error
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &e) && (e.Reason == awsapi.ReasonToken || e.Reason == awsapi.ReasonExpired):
		none.Err = err
		return t, none
	}
	return t, &awsapi.Error{Reason: awsapi.ReasonUnavailable, Rule: "access token", Err: err}
}
