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
	// refreshTimeout bounds the use of a token at the store, and graceWait to maxGraceWait, each twice the one before, how
	// long a use waits for concurrent ones.
	refreshTimeout = 10 * time.Second
	graceWait      = 20 * time.Millisecond
	maxGraceWait   = 320 * time.Millisecond
)

// accessToken is the value of an access token. The secret is the authorization's: the store has only its hash, and a
// key that leaks gives no access without it.
type accessToken struct {
	Secret string   `json:"x"`
	Region string   `json:"r"`
	Scopes []string `json:"p"`
	Until  int64    `json:"u"` // seconds
	// The sign-in, for a sign-out at a Region that doesn't know the authorization yet.
	User   string `json:"n"`
	SignIn string `json:"s"`
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
func (s *Server) tokens(ctx context.Context, r refreshToken, renew bool, got portal.Authorization) (
	any, error) {
	now, end := s.now(), got.Session.Expires
	until := now.Add(s.cfg.TokenLifetime)
	if until.After(end) {
		until = end
	}
	access, err := s.anywhere.Seal(ctx, kindAccess, until, accessToken{
		Secret: r.Secret, Region: s.cfg.Portal.Region(), Scopes: r.Scopes, Until: until.Unix(),
		User: got.Session.UserID, SignIn: got.Session.SignIn,
	})
	if err != nil {
		return nil, unavailable("seal of a token", err)
	}
	out := tokenOutput{
		AccessToken: accessPrefix + access, ExpiresIn: int(until.Sub(now) / time.Second), TokenType: "Bearer",
	}
	if err := s.auditToken(ctx, got, r.Scopes, until); err != nil {
		return nil, unavailable("event of a token", err)
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
	if !s.polls.refresh(got.Session.ID, got.User.ID, now) {
		return nil, slowDown.with(newError(ReasonOften, "renewals of an authorization", "fewer", ""))
	}
	if err := s.useRefresh(ctx, r, now, got.Session.Expires); err != nil {
		return nil, err
	}
	next := r
	next.Generation++
	out, err := s.tokens(ctx, next, true, got)
	if err != nil {
		return nil, errors.Join(err, s.unuseRefresh(ctx, r))
	}
	return out, nil
}

// unuseRefresh takes back that a token was used, because the client got no successor. Otherwise a failure that lasts
// longer than the grace period would count as a theft.
func (s *Server) unuseRefresh(ctx context.Context, r refreshToken) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
	defer cancel()
	name := r.Secret + "|" + strconv.Itoa(r.Generation)
	_, used := s.marked(ctx, storeKey("refresh used", name))
	_, grace := s.marked(ctx, storeKey("refresh grace", name))
	return errors.Join(used, grace)
}

// forgot reports whether the store may have lost the record of the token's use.
func (s *Server) forgot(r refreshToken) bool {
	store, ok := s.cfg.Store.(acs.Rememberer)
	return ok && time.UnixMilli(r.Issued).Before(store.Since().Truncate(time.Millisecond))
}

// useRefresh notes that a token was used. Only the first use begins the grace period, and a later one can't renew it,
// even if the authorization could not be ended after it. Clients can't interrupt it, because half of it would count.
func (s *Server) useRefresh(ctx context.Context, r refreshToken, now, end time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
	defer cancel()
	name := r.Secret + "|" + strconv.Itoa(r.Generation)
	used, grace := storeKey("refresh used", name), storeKey("refresh grace", name)
	alone, err := s.add(ctx, storeKey("refresh begun", name), now.Add(refreshTimeout))
	if err != nil {
		return err
	}
	for wait := graceWait; wait <= maxGraceWait; wait *= 2 {
		first, err := s.add(ctx, used, end)
		if err != nil {
			return err
		}
		if first {
			return s.beginGrace(ctx, used, grace, now)
		}
		if found, err := s.inGrace(ctx, grace); err != nil || found {
			return err
		}
		// Another node may be between two steps.
		select {
		case <-ctx.Done():
			return unavailable("use of a refresh token", ctx.Err())
		case <-time.After(wait):
		}
	}
	if !alone {
		return unavailable("use of a refresh token", errors.New("another use of it began and has not ended"))
	}
	if err := s.cfg.Portal.EndAuthorization(ctx, r.Secret); err != nil {
		return unavailable("end of an authorization", err)
	}
	return invalidGrant.with(newError(ReasonReused, "refreshToken", "one that was not used", ""))
}

// beginGrace begins the grace period of a token. If that fails, the token was not used, and the client may try again.
func (s *Server) beginGrace(ctx context.Context, used, grace string, now time.Time) error {
	until := now.Add(refreshGrace)
	err := s.cfg.Store.Add(ctx, grace, strconv.AppendInt(nil, until.UnixMilli(), 10), until)
	if err == nil || errors.Is(err, acs.ErrExists) {
		return nil
	}
	if _, undo := s.marked(ctx, used); undo != nil {
		err = errors.Join(err, undo)
	}
	return unavailable("write of a mark", err)
}

// inGrace reports whether the grace period of a used token has begun and not ended. A store has no other way to read
// than to take, so the record is put back with the same end.
func (s *Server) inGrace(ctx context.Context, grace string) (bool, error) {
	b, err := s.cfg.Store.Take(ctx, grace)
	if errors.Is(err, acs.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, unavailable("read of a mark", err)
	}
	milli, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return false, nil
	}
	until := time.UnixMilli(milli)
	if !s.now().Before(until) {
		return false, nil
	}
	err = s.cfg.Store.Add(ctx, grace, b, until)
	if err != nil && !errors.Is(err, acs.ErrExpired) && !errors.Is(err, acs.ErrExists) {
		return false, unavailable("write of a mark", err)
	}
	return true, nil
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
			UserID: got.User.ID, UserName: got.User.UserName, Scopes: t.Scopes, Tags: got.Session.Tags,
			Expires: time.Unix(t.Until, 0),
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
	if errors.As(err, &e) && e.Reason == portal.ReasonClientSession {
		// It has ended, or this Region hasn't heard of it yet.
		err = s.cfg.Portal.EndSignIn(ctx, t.User, t.SignIn)
	}
	if err == nil {
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
