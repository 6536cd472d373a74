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

// cookiePrefix begins the name of every request cookie; the request's ID follows. With "__Host-", browsers accept
// the cookie only from the host itself, over https or loopback, so no sibling host can set one (RFC 6265bis
// 4.1.3.2).
const cookiePrefix = "__Host-meridian-request-"

const (
	maxPending    = 8  // pending requests of one browser
	maxCookies    = 64 // request cookies read from one browser
	secretBytes   = 32
	relayBytes    = 16
	relayLength   = 32 // of hexadecimal digits
	maxRestarts   = 3
	restartWindow = time.Minute
)

// pendingRequest is one request cookie: the browser's part of a pending request. The store has the other part.
type pendingRequest struct {
	id     string
	at     int64 // Unix seconds, for sorting only
	secret string
	by     Initiator
	// after is the ID of the discovery that chose the identity provider, whose cookie is deleted. It is not encoded.
	after string
	// restarted reports that Restart began the request, after an unsolicited response.
	restarted bool
}

// marks are the letters for the Initiators in a cookie, in their order, and the letter for Restart.
const marks = "pcur"

// relayState returns the RelayState of the request: an opaque key of at most 80 bytes (Bindings 3.4.3). It depends on
// the secret, so that only this browser and the identity provider know it, and shows which request an artifact answers.
func (q pendingRequest) relayState() string { return hashed("relay", q.id, q.secret)[:relayLength] }

func (q pendingRequest) encode() string {
	mark := marks[q.by : q.by+1]
	if q.restarted {
		mark = "r"
	}
	return strconv.FormatInt(q.at, 10) + "." + q.secret + "." + mark
}

// decodePending decodes a cookie. ok is false if its form is invalid.
func decodePending(id, value string) (q pendingRequest, ok bool) {
	parts := strings.Split(value, ".")
	secretLen := base64.RawURLEncoding.EncodedLen(secretBytes)
	if id == "" || len(parts) != 3 || len(parts[1]) != secretLen || len(parts[2]) != 1 {
		return q, false
	}
	at, err := strconv.ParseInt(parts[0], 10, 64)
	by := strings.Index(marks, parts[2])
	if err != nil || by < 0 {
		return q, false
	}
	q = pendingRequest{id: id, at: at, secret: parts[1], by: Initiator(by)}
	if parts[2] == "r" {
		q.by, q.restarted = InitiatorClick, true
	}
	return q, true
}

// pendingRequests returns a browser's request cookies in the order in which they are kept: requests that the user
// began, newest first, then the others, oldest first. So another site's page can't displace older requests.
func pendingRequests(r *http.Request) []pendingRequest {
	var out []pendingRequest
	for _, cookie := range r.Cookies() {
		id, ok := strings.CutPrefix(cookie.Name, cookiePrefix)
		if !ok {
			continue
		}
		q, ok := decodePending(id, cookie.Value)
		if !ok || slices.ContainsFunc(out, func(other pendingRequest) bool { return other.id == q.id }) {
			continue
		}
		if out = append(out, q); len(out) == maxCookies {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b pendingRequest) int {
		if a.by == b.by && a.by == InitiatorUser {
			return cmp.Compare(b.at, a.at)
		}
		return cmp.Or(cmp.Compare(b.by, a.by), cmp.Compare(a.at, b.at))
	})
	return out
}

// makeRoom returns the requests that a browser must drop before it begins another: the last ones in the order of
// pendingRequests. It returns an error if their initiator ranks above that of the new one. A user can always
// begin.
//
// A browser gets each cookie with the HTTP response, so simultaneous requests can leave more than maxPending. Each
// can be answered until the next request removes the surplus. So if a browser restores twelve tabs at once, the
// user can sign in in any of them.
func makeRoom(pending []pendingRequest, by Initiator) (gone []pendingRequest, err error) {
	if len(pending) < maxPending {
		return nil, nil
	}
	gone = pending[maxPending-1:]
	if gone[0].by > by {
		return nil, newError(ReasonTooMany, "requests of one browser", "the user began the pending requests").
			compared("at most "+strconv.Itoa(maxPending), strconv.Itoa(len(pending)))
	}
	return gone, nil
}

// deleteCookie deletes the browser's part of a request.
func deleteCookie(w http.ResponseWriter, id string) { setCookie(w, id, "", -1) }

// setCookie sets SameSite=None, because browsers don't send Lax cookies with a POST from the identity provider's
// site.
func setCookie(w http.ResponseWriter, id, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookiePrefix + id, Value: value, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
	})
}

// random returns n random bytes, encoded in base64.
func (c *Consumer) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(c.cfg.Rand, b); err != nil {
		return "", &Error{Reason: ReasonConfig, Rule: "Config.Rand", Detail: "returned no random bytes", Err: err}
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
