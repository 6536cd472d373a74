package acs

import (
	"cmp"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CookiePrefix begins the name of every request cookie; the request's ID
// follows. "__Host-" makes browsers keep it to one host, over https (or to
// this machine), so no neighbouring host can plant one (RFC 6265bis 4.1.3.2).
const CookiePrefix = "__Host-meridian-request-"

const (
	maxWaiting    = 8  // requests that one browser may have waiting
	maxCookies    = 64 // request cookies looked at
	secretBytes   = 32
	relayBytes    = 16
	maxRestarts   = 3
	restartWindow = time.Minute
)

// waitingRequest is one request cookie: the browser's half of a request that
// waits for its answer. The other half is in the store.
type waitingRequest struct {
	id     string
	at     int64 // Unix seconds, by which they are sorted; nothing is decided by it alone
	secret string
}

// waitingRequests reads a browser's request cookies, newest first. Ones that
// we can't have made are passed over.
func waitingRequests(r *http.Request) []waitingRequest {
	var out []waitingRequest
	for _, cookie := range r.Cookies() {
		id, ok := strings.CutPrefix(cookie.Name, CookiePrefix)
		stamp, secret, dot := strings.Cut(cookie.Value, ".")
		at, err := strconv.ParseInt(stamp, 10, 64)
		if !ok || !dot || err != nil || id == "" || len(secret) != base64.RawURLEncoding.EncodedLen(secretBytes) {
			continue
		}
		if slices.ContainsFunc(out, func(q waitingRequest) bool { return q.id == id }) {
			continue
		}
		if out = append(out, waitingRequest{id: id, at: at, secret: secret}); len(out) == maxCookies {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b waitingRequest) int { return cmp.Compare(b.at, a.at) })
	return out
}

// await gives the browser its half of a request, and takes back the halves of
// the oldest ones where there would be too many.
func (c *Consumer) await(w http.ResponseWriter, r *http.Request, q waitingRequest) {
	if before := waitingRequests(r); len(before) >= maxWaiting {
		for _, old := range before[maxWaiting-1:] {
			forget(w, old.id)
		}
	}
	setCookie(w, q.id, strconv.FormatInt(q.at, 10)+"."+q.secret, int(c.cfg.RequestLifetime/time.Second))
}

// forget takes back the browser's half of a request.
func forget(w http.ResponseWriter, id string) { setCookie(w, id, "", -1) }

// setCookie says SameSite=None because the answer is a POST that comes from
// the identity provider's site, and Lax cookies are not sent with those.
func setCookie(w http.ResponseWriter, id, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: CookiePrefix + id, Value: value, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
	})
}

// random gives n random bytes as text.
func (c *Consumer) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(c.cfg.Rand, b); err != nil {
		return "", badConfig("Config.Rand", "gave no random bytes", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
