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

// cookiePrefix begins the name of every request cookie; the request's ID follows. "__Host-" makes browsers keep it to
// one host, over https or to loopback, so no neighbouring host can plant one (RFC 6265bis 4.1.3.2).
const cookiePrefix = "__Host-meridian-request-"

const (
	maxWaiting    = 8  // requests that one browser may have waiting
	maxCookies    = 64 // request cookies read from one browser
	secretBytes   = 32
	relayBytes    = 16
	maxRestarts   = 3
	restartWindow = time.Minute
)

// waitingRequest is one request cookie: the browser's half of a request that waits for its answer. The
// other half is in the store.
type waitingRequest struct {
	id     string
	at     int64 // Unix seconds, by which they are sorted; nothing is decided by it alone
	secret string
	by     Initiator
	// restarted: begun by Restart, because an unsolicited response came.
	restarted bool
}

// marks are the Initiators' letters in a cookie, in their order, and that of Restart.
const marks = "pcur"

func (q waitingRequest) encode() string {
	mark := marks[q.by : q.by+1]
	if q.restarted {
		mark = "r"
	}
	return strconv.FormatInt(q.at, 10) + "." + q.secret + "." + mark
}

// decodeWaiting decodes a cookie. ok is false for one that this package can't have made.
func decodeWaiting(id, value string) (q waitingRequest, ok bool) {
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
	q = waitingRequest{id: id, at: at, secret: parts[1], by: Initiator(by)}
	if parts[2] == "r" {
		q.by, q.restarted = InitiatorClick, true
	}
	return q, true
}

// waitingRequests returns a browser's request cookies, those to be kept first: what the user began, newest
// first, then the others, oldest first. So a foreign page can't push out what was there before.
func waitingRequests(r *http.Request) []waitingRequest {
	var out []waitingRequest
	for _, cookie := range r.Cookies() {
		id, ok := strings.CutPrefix(cookie.Name, cookiePrefix)
		if !ok {
			continue
		}
		q, ok := decodeWaiting(id, cookie.Value)
		if !ok || slices.ContainsFunc(out, func(other waitingRequest) bool { return other.id == q.id }) {
			continue
		}
		if out = append(out, q); len(out) == maxCookies {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b waitingRequest) int {
		if a.by == b.by && a.by == InitiatorUser {
			return cmp.Compare(b.at, a.at)
		}
		return cmp.Or(cmp.Compare(b.by, a.by), cmp.Compare(a.at, b.at))
	})
	return out
}

// makeRoom returns the requests of a browser that have to go for one more: the last ones in the order of
// waitingRequests. It refuses if they are better founded than the new one. The user can always begin.
//
// The browser learns of a cookie with the answer, so requests that are sent at the same time can leave
// more than maxWaiting. Each can be answered until the next request removes the surplus: of twelve tabs
// that a browser restores at once, the user may go on in any.
func makeRoom(waiting []waitingRequest, by Initiator) (gone []waitingRequest, err error) {
	if len(waiting) < maxWaiting {
		return nil, nil
	}
	gone = waiting[maxWaiting-1:]
	if gone[0].by > by {
		return nil, newError(ReasonTooMany, "requests of one browser", "the user began those that are waiting").
			compared("at most "+strconv.Itoa(maxWaiting), strconv.Itoa(len(waiting)))
	}
	return gone, nil
}

// deleteCookie deletes the browser's half of a request.
func deleteCookie(w http.ResponseWriter, id string) { setCookie(w, id, "", -1) }

// setCookie sets SameSite=None because the answer is a POST from the identity provider's site, with which
// Lax cookies are not sent.
func setCookie(w http.ResponseWriter, id, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookiePrefix + id, Value: value, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
	})
}

// random returns n random bytes in base64.
func (c *Consumer) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(c.cfg.Rand, b); err != nil {
		return "", &Error{Reason: ReasonConfig, Rule: "Config.Rand", Detail: "returned no random bytes", Err: err}
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
