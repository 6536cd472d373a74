package oidc

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsapi"
)

// A program on a computer without a browser shows a code, and the user enters it at the portal (RFC 8628). The device
// code is sealed, and the Region keeps nothing for it. Only the short user code has a record, until it is entered or
// has expired; how many there can be is bounded by client and in all.

const (
	kindDevice     = "device code"
	deviceLifetime = 10 * time.Minute
	pollInterval   = time.Second

	// userCodeLetters has no vowels, so that codes are no words, and no letters that look like digits.
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8
)

// deviceCode is the value of a device code.
type deviceCode struct {
	Secret string `json:"x"` // 256 bits
	Client string `json:"c"`
}

func (d deviceCode) id() string { return derived("device", d.Secret) }

type deviceInput struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	StartURL     string `json:"startUrl"`
}

type deviceOutput struct {
	DeviceCode              string `json:"deviceCode"`
	ExpiresIn               int    `json:"expiresIn"`
	Interval                int    `json:"interval"`
	UserCode                string `json:"userCode"`
	VerificationURI         string `json:"verificationUri"`
	VerificationURIComplete string `json:"verificationUriComplete"`
}

func (s *Server) startDeviceAuthorization(ctx context.Context, call *awsapi.Call, in deviceInput) (any, error) {
	if err := s.limit(call.HTTP, s.limits.register); err != nil {
		return nil, err
	}
	client, err := s.authenticate(ctx, in.ClientID, in.ClientSecret)
	if err != nil {
		return nil, err
	}
	if s.cfg.RefuseDevices || !client.may(grantDevice) {
		return nil, unauthorized.with(newError(ReasonClient, "grant", "one of the client and the instance", grantDevice))
	}
	if in.StartURL == "" {
		return nil, invalidRequest.with(newError(ReasonInput, "startUrl", "a start URL", ""))
	}
	origin, why := s.portalFor(in.StartURL)
	if why != nil {
		return nil, noInstance(why)
	}
	if err := s.limit(call.HTTP, s.limits.devices); err != nil {
		return nil, err
	}
	now := s.now()
	until, device := now.Add(deviceLifetime), deviceCode{newSecret(), fingerprint(in.ClientID)}
	sealed, err := s.here.Seal(ctx, kindDevice, until, device)
	if err != nil {
		return nil, unavailable("seal of a device code", err)
	}
	userCode, err := s.keepUserCode(ctx, request{
		Client: device.Client, Name: client.Name, Scopes: client.granted(), Refresh: client.may(grantRefresh),
		Until: until.Unix(), Device: device.id(), Addr: shownAddr(s.cfg.ClientAddr(call.HTTP)), Asked: now.Unix(),
	}, until)
	if err != nil {
		return nil, err
	}
	page := origin + portal.PathDevice
	return deviceOutput{
		DeviceCode: sealed, ExpiresIn: int(deviceLifetime / time.Second), Interval: int(pollInterval / time.Second),
		UserCode: userCode, VerificationURI: page,
		VerificationURIComplete: page + "?" + url.Values{"user_code": {userCode}}.Encode(),
	}, nil
}

// userCodeKey has the prefix of records that unauthenticated clients create, which have a quota of their own.
func userCodeKey(letters string) string { return acs.KeyPrefixRequest + storeKey("user code", letters) }

// keepUserCode stores what a program asks for under a new code, and returns the code as it is shown.
func (s *Server) keepUserCode(ctx context.Context, q request, until time.Time) (string, error) {
	for range 5 { // a live code is hit by chance once in a million times
		letters := newUserCode()
		q.UserCode = letters[:4] + "-" + letters[4:]
		b, err := json.Marshal(q)
		if err == nil {
			err = s.cfg.Store.Add(ctx, userCodeKey(letters), b, until)
		}
		switch {
		case err == nil:
			return q.UserCode, nil
		case errors.Is(err, acs.ErrFull):
			return "", slowDown.with(newError(ReasonOften, "user codes", "a store with room", ""))
		case !errors.Is(err, acs.ErrExists):
			return "", unavailable("write of a user code", err)
		}
	}
	return "", unavailable("write of a user code", acs.ErrExists)
}

// newUserCode returns eight random letters: 20^8, about 34.6 bits.
func newUserCode() string {
	const whole = 256 - 256%len(userCodeLetters) // so that every letter is equally likely
	out := make([]byte, 0, userCodeLength)
	for len(out) < userCodeLength {
		var b [16]byte
		rand.Read(b[:])
		for _, c := range b {
			if int(c) < whole && len(out) < userCodeLength {
				out = append(out, userCodeLetters[int(c)%len(userCodeLetters)])
			}
		}
	}
	return string(out)
}

// userCodeOf returns the letters of a code as a user enters it, or "". Case, hyphens and spaces don't matter.
func userCodeOf(entered string) string {
	if len(entered) > 4*userCodeLength {
		return ""
	}
	letters := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case r == '-' || r == ' ':
			return -1
		}
		return r
	}, entered)
	strange := strings.ContainsFunc(letters, func(r rune) bool { return !strings.ContainsRune(userCodeLetters, r) })
	if len(letters) != userCodeLength || strange {
		return ""
	}
	return letters
}

// shownAddr is a client's address without its port.
func shownAddr(addr string) string {
	if withPort, err := netip.ParseAddrPort(addr); err == nil {
		return withPort.Addr().Unmap().WithZone("").String()
	}
	if ip, err := netip.ParseAddr(addr); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return "an unknown address"
}

// Enter implements portal.Clients. A code can be entered once. The request is sealed for the session that entered it.
func (s *Server) Enter(ctx context.Context, entered string, by portal.Approval) (string, error) {
	now := s.now()
	if !s.codes.begin(by.UserID, now) {
		return "", &portal.Error{Reason: portal.ReasonUserCodes, Rule: "wrong user codes", Want: "fewer", Got: by.UserID}
	}
	wrong := &portal.Error{Reason: portal.ReasonUserCode, Rule: "user code", Want: "one that a program shows"}
	letters := userCodeOf(entered)
	var b []byte
	err := acs.ErrNotFound
	if letters != "" {
		b, err = s.cfg.Store.Take(ctx, userCodeKey(letters))
	}
	var q request
	if err == nil {
		err = json.Unmarshal(b, &q)
	}
	switch {
	case errors.Is(err, acs.ErrNotFound), err == nil && !now.Before(time.Unix(q.Until, 0)):
		return "", wrong
	case err != nil:
		s.codes.right(by.UserID, now)
		return "", &portal.Error{Reason: portal.ReasonUnavailable, Rule: "read of a user code", Err: err}
	}
	s.codes.right(by.UserID, now)
	q.Session = by.ID
	sealed, err := s.here.Seal(ctx, kindRequest, time.Unix(q.Until, 0), q)
	if err != nil {
		return "", &portal.Error{Reason: portal.ReasonUnavailable, Rule: "seal of a request", Err: err}
	}
	return sealed, nil
}
