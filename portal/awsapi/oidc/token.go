package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/awsapi"
)

type tokenInput struct {
	ClientID     string   `json:"clientId"`
	ClientSecret string   `json:"clientSecret"`
	GrantType    string   `json:"grantType"`
	Code         string   `json:"code"`
	CodeVerifier string   `json:"codeVerifier"`
	RedirectURI  string   `json:"redirectUri"`
	DeviceCode   string   `json:"deviceCode"`
	RefreshToken string   `json:"refreshToken"`
	Scope        []string `json:"scope"`
}

type tokenOutput struct {
	AccessToken  string `json:"accessToken"`
	ExpiresIn    int    `json:"expiresIn"`
	RefreshToken string `json:"refreshToken,omitempty"`
	TokenType    string `json:"tokenType"`
}

func (s *Server) createToken(ctx context.Context, call *awsapi.Call, in tokenInput) (any, error) {
	if err := s.limit(call.HTTP, s.limits.token); err != nil {
		return nil, err
	}
	client, err := s.authenticate(ctx, in.ClientID, in.ClientSecret)
	if err != nil {
		return nil, err
	}
	grants := map[string]func(context.Context, tokenInput) (any, error){
		grantCode: s.redeemCode, grantDevice: s.poll, grantRefresh: s.refresh,
	}
	redeem := grants[in.GrantType]
	if redeem == nil {
		return nil, unsupported.with(newError(ReasonInput, "grantType", "a grant of this service", ""))
	}
	if !client.may(in.GrantType) {
		return nil, unauthorized.with(newError(ReasonClient, "grantType", "a grant of the registration", ""))
	}
	return redeem(ctx, in)
}

// redeemCode is the authorization code grant with PKCE. A code is used once. A second use means that it was stolen, so
// it ends what the first one got (RFC 6749 4.1.2).
func (s *Server) redeemCode(ctx context.Context, in tokenInput) (any, error) {
	if !isVerifier(in.CodeVerifier) {
		want := "43 to 128 characters of A-Z, a-z, 0-9, '-', '.', '_' and '~'"
		return nil, invalidRequest.with(newError(ReasonInput, "codeVerifier", want, ""))
	}
	var c code
	why, err := opened(s.here.Open(ctx, kindCode, in.Code, &c), ReasonGrant, "code")
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(in.CodeVerifier))
	bound := boundTo(in.RedirectURI, base64.RawURLEncoding.EncodeToString(hash[:]))
	switch {
	case why != nil:
	case c.Client != fingerprint(in.ClientID):
		why = newError(ReasonGrant, "code", "the client that asked for it", "")
	case subtle.ConstantTimeCompare([]byte(c.Bound), []byte(bound)) != 1:
		why = newError(ReasonVerifier, "codeVerifier and redirectUri", "those of the request", "")
	}
	if why != nil {
		return nil, invalidGrant.with(why)
	}
	a, ok, err := s.takeAnswer(ctx, storeKey("code", c.Secret))
	if err != nil {
		return nil, err
	}
	secret := derived("code grant", c.Secret)
	if !ok {
		return nil, s.reused(ctx, "code", c.Secret, secret, s.now().Add(codeLifetime))
	}
	return s.begin(ctx, a, in, "code", c.Secret, secret)
}

// isVerifier reports whether s has the form of RFC 7636 4.1.
func isVerifier(s string) bool {
	return len(s) >= 43 && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
	})
}

// poll is the device code grant. The program polls until the user has answered.
func (s *Server) poll(ctx context.Context, in tokenInput) (any, error) {
	var d deviceCode
	err := s.here.Open(ctx, kindDevice, in.DeviceCode, &d)
	why, down := opened(err, ReasonGrant, "deviceCode")
	switch {
	case down != nil:
		return nil, down
	case d.Client != "" && d.Client != fingerprint(in.ClientID):
		return nil, invalidGrant.with(newError(ReasonGrant, "deviceCode", "the client that asked for it", ""))
	case why != nil && d.Client != "": // it was genuine
		return nil, expired.with(why)
	case why != nil:
		return nil, invalidGrant.with(why)
	case !s.polls.device(d.id(), s.now()):
		return nil, slowDown.with(newError(ReasonOften, "polls of a device code", "one in each interval", ""))
	}
	a, ok, err := s.takeAnswer(ctx, storeKey("device", d.id()))
	if err != nil {
		return nil, err
	}
	secret, until := derived("device grant", d.Secret), s.now().Add(deviceLifetime)
	if ok && a.Denied {
		// The answer stays, for a program that asks again.
		return nil, s.again(ctx, storeKey("device", d.id()), a, until, denied.with(newError(ReasonGrant, "answer", "", "")))
	}
	used := storeKey("device used", d.Secret)
	if ok {
		if err := s.mark(ctx, used, until); err != nil {
			return nil, err
		}
		return s.begin(ctx, a, in, "device", d.Secret, secret)
	}
	if was, err := s.marked(ctx, used); err != nil {
		return nil, err
	} else if was {
		if err := s.mark(ctx, used, until); err != nil {
			return nil, err
		}
		return nil, s.reused(ctx, "device", d.Secret, secret, until)
	}
	return nil, pending.with(nil)
}

// begin starts the authorization that a user has allowed. It has the session's checks, so that a sign-out between the
// answer and the program's request ends it.
func (s *Server) begin(ctx context.Context, a answer, in tokenInput, kind, code, secret string) (any, error) {
	got, err := s.cfg.Portal.Authorize(ctx, secret, a.Name, a.By)
	if err != nil {
		return nil, ofPortal(err)
	}
	// A concurrent second use leaves a mark before it ends the authorization, which may not have existed then.
	stolen, err := s.marked(ctx, storeKey(kind+" reused", code))
	if err == nil && stolen {
		err = s.cfg.Portal.EndAuthorization(ctx, secret)
		if err == nil {
			return nil, invalidGrant.with(newError(ReasonReused, kind, "a first use", ""))
		}
	}
	if err != nil {
		return nil, unavailable("end of an authorization", err)
	}
	return s.tokens(ctx, refreshToken{Secret: secret, Client: fingerprint(in.ClientID), Scopes: a.Scopes}, a.Refresh, got)
}

// reused ends the authorization that the first use of a code began or is about to begin.
func (s *Server) reused(ctx context.Context, kind, code, secret string, until time.Time) error {
	if err := s.mark(ctx, storeKey(kind+" reused", code), until); err != nil {
		return err
	}
	if err := s.cfg.Portal.EndAuthorization(ctx, secret); err != nil {
		return unavailable("end of an authorization", err)
	}
	return invalidGrant.with(newError(ReasonReused, kind, "a first use", ""))
}
