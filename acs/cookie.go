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

// cookiePrefix begins the name of every request cookie; the request's ID
// follows. "__Host-" makes browsers keep it to one host, over https (or to
// this machine), so no neighbouring host can plant one (RFC 6265bis 4.1.3.2).
const cookiePrefix = "__Host-meridian-request-"

const (
	maxWaiting    = 8  // requests that one browser may have waiting; see await
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
	by     Initiator
	// restarted: begun by Restart, because an unsolicited response came.
	restarted bool
}

// marks stand for Initiators in a cookie, in their order. The last is for what
// Restart began.
const marks = "pcur"

func (q waitingRequest) encode() string {
	mark := marks[q.by : q.by+1]
	if q.restarted {
		mark = "r"
	}
	return strconv.FormatInt(q.at, 10) + "." + q.secret + "." + mark
}

// decodeWaiting reads a cookie; ok is false for one that we can't have made.
func decodeWaiting(id, value string) (q waitingRequest, ok bool) {
	parts := strings.Split(value, ".")
	if id == "" || len(parts) != 3 || len(parts[1]) != base64.RawURLEncoding.EncodedLen(secretBytes) || len(parts[2]) != 1 {
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

// waitingRequests reads a browser's request cookies, those first that are to be
// kept before others: what the user began, newest first, then the rest, oldest
// first. So what a foreign page begins can't push out what was there before.
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
		switch {
		case a.by != b.by:
			return cmp.Compare(b.by, a.by)
		case a.by == InitiatorUser:
			return cmp.Compare(b.at, a.at)
		}
		return cmp.Compare(a.at, b.at)
	})
	return out
}

// makeRoom says which requests of a browser have to go for one more: the last
// ones in the order of waitingRequests. It refuses if they are better founded
// than the new one. The user can always begin: with a link on our own page, or
// in the address bar.
//
// The browser learns of a cookie with the answer, so requests that are sent at
// the same time don't see each other's: together they can leave more cookies
// than maxWaiting. Those are taken back when the next request begins. Until then
// each can be answered: of twelve tabs that a browser restores at once, the user
// may go on in any.
func makeRoom(waiting []waitingRequest, by Initiator) (gone []waitingRequest, err error) {
	if len(waiting) < maxWaiting {
		return nil, nil
	}
	gone = waiting[maxWaiting-1:]
	if gone[0].by > by {
		return nil, &Error{Reason: ReasonTooMany, Rule: "requests of one browser", Detail: "another page asks for one more than the user has begun", Want: "at most " + strconv.Itoa(maxWaiting), Got: strconv.Itoa(len(waiting))}
	}
	return gone, nil
}

// await gives the browser its half of a request, and takes back what makeRoom
// said.
func (c *Consumer) await(w http.ResponseWriter, q waitingRequest, gone []waitingRequest) {
	for _, old := range gone {
		forget(w, old.id)
	}
	setCookie(w, q.id, q.encode(), int(c.cfg.RequestLifetime/time.Second))
}

// forget takes back the browser's half of a request.
func forget(w http.ResponseWriter, id string) { setCookie(w, id, "", -1) }

// setCookie says SameSite=None because the answer is a POST that comes from
// the identity provider's site, and Lax cookies are not sent with those.
func setCookie(w http.ResponseWriter, id, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookiePrefix + id, Value: value, Path: "/", MaxAge: maxAge,
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
