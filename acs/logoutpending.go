package acs

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

const (
	// logoutCookie begins the name of the cookie of a pending logout; the request's ID follows.
	logoutCookie      = "__Host-meridian-logout-"
	maxPendingLogouts = 4
)

// logoutRecord is the store's part of a pending logout.
type logoutRecord struct {
	Request    saml.LogoutRecord `json:"asked"`
	ReturnTo   string            `json:"return_to,omitempty"`
	RelayState string            `json:"relay_state"`
}

func logoutKey(id, secret string) string { return KeyPrefixRequest + hashed("logout", id, secret) }

// setLogoutCookie sets SameSite=None, because an answer by HTTP-POST comes from the identity provider's site.
func setLogoutCookie(w http.ResponseWriter, id, secret string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: logoutCookie + id, Value: secret, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
	})
}

// dropOldLogouts removes the cookies of earlier logouts if there are too many. Their sessions have ended.
func dropOldLogouts(w http.ResponseWriter, r *http.Request) {
	var ids []string
	for _, cookie := range r.Cookies() {
		if id, ok := strings.CutPrefix(cookie.Name, logoutCookie); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) < maxPendingLogouts {
		return
	}
	for _, id := range ids[:min(len(ids), maxCookies)] {
		setLogoutCookie(w, id, "", -1)
	}
}

// takeLogout takes the record of this browser's logout from the store.
func (c *Consumer) takeLogout(w http.ResponseWriter, r *http.Request, id string) (*logoutRecord, error) {
	unknown := func(detail string) error { return newError(ReasonRequest, "InResponseTo (Profiles 4.4.4.2)", detail) }
	cookie, err := r.Cookie(logoutCookie + id)
	if err != nil {
		return nil, unknown("this browser has no such logout pending")
	}
	raw, err := c.cfg.Store.Take(r.Context(), logoutKey(id, cookie.Value))
	switch {
	case errors.Is(err, ErrNotFound):
		setLogoutCookie(w, id, "", -1)
		return nil, unknown("the logout was answered before, has expired, or is another browser's")
	case err != nil:
		return nil, storeError("take the logout", err)
	}
	setLogoutCookie(w, id, "", -1)
	record := new(logoutRecord)
	if err := json.Unmarshal(raw, record); err != nil {
		return nil, storeError("decode the record of a logout", errors.New("invalid JSON"))
	}
	c.clients.end(c.cfg.ClientAddr(r), record.Request.At)
	// A store that rounds lifetimes up can still have it.
	if c.cfg.SP.Now().Sub(record.Request.At) > c.cfg.RequestLifetime {
		return nil, unknown("the logout has expired")
	}
	return record, nil
}
