package portal

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// attempt is a handoff that this browser began here, at the destination. It is kept only in a cookie,
// so clients that begin many cost nothing. The source sees only the hash of its secret.
type attempt struct {
	tag      string
	secret   string // 256 bits
	at       time.Time
	region   string // of the source
	returnTo string // a local path, or ""
	by       acs.Initiator
}

const (
	// attemptLifetime is as long as a sign-in at the identity provider may take.
	attemptLifetime = 15 * time.Minute
	// maxAttempts bounds the cookies of one browser, except those begun at the same moment.
	maxAttempts = 4

	attemptPrefix = "__Host-meridian-enter-"
)

// source is the origin and Region that a handoff comes from.
type source struct{ region, origin string }

// newAttempt begins a handoff and sets its cookie.
func (p *Portal) newAttempt(w http.ResponseWriter, r *http.Request, region, returnTo string) (attempt, *Error) {
	a := attempt{
		tag: randomHex(tagBytes), secret: newSecret(), at: p.now(),
		region: region, returnTo: localPath(returnTo), by: acs.InitiatorOf(r),
	}
	if others := attempts(r); len(others) >= maxAttempts {
		surplus := others[maxAttempts-1:]
		if surplus[0].by > a.by {
			want := fmt.Sprintf("at most %d, or one begun by the user", maxAttempts)
			return attempt{}, newError(ReasonTooMany, "handoffs of one browser", want, strconv.Itoa(len(others)))
		}
		for _, old := range surplus {
			p.clearCookie(w, attemptPrefix+old.tag)
		}
	}
	p.setCookie(w, attemptPrefix+a.tag, a.encode(), attemptLifetime)
	return a, nil
}

// takeAttempt returns this browser's attempt with the tag once: it clears the cookie.
func (p *Portal) takeAttempt(w http.ResponseWriter, r *http.Request, tag string) (attempt, bool) {
	all := attempts(r)
	i := slices.IndexFunc(all, func(a attempt) bool { return a.tag == tag })
	if i < 0 {
		return attempt{}, false
	}
	p.clearCookie(w, attemptPrefix+tag)
	age := p.now().Sub(all[i].at)
	return all[i], -time.Minute < age && age < attemptLifetime
}

// attempts returns the attempts in a request's cookies, in the order of preference if some must go: the
// user's, newest first, then foreign pages', oldest first. So a foreign page can't displace any.
func attempts(r *http.Request) []attempt {
	var out []attempt
	for _, c := range r.Cookies() {
		if tag, ok := strings.CutPrefix(c.Name, attemptPrefix); ok && isTag(tag) {
			a := decodeAttempt(c.Value)
			a.tag = tag
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b attempt) int {
		switch {
		case a.by != b.by:
			return cmp.Compare(b.by, a.by)
		case a.by == acs.InitiatorUser:
			return cmp.Compare(b.at.Unix(), a.at.Unix())
		}
		return cmp.Compare(a.at.Unix(), b.at.Unix())
	})
	return out
}

func (a attempt) encode() string {
	text := base64.RawURLEncoding.EncodeToString
	at, by := strconv.FormatInt(a.at.Unix(), 10), strconv.Itoa(int(a.by))
	return strings.Join([]string{at, a.secret, text([]byte(a.region)), text([]byte(a.returnTo)), by}, ".")
}

// decodeAttempt returns the zero attempt, which has expired, for a malformed value.
func decodeAttempt(value string) attempt {
	parts := strings.Split(value, ".")
	if len(parts) != 5 {
		return attempt{}
	}
	unix, err := strconv.ParseInt(parts[0], 10, 64)
	region, err2 := base64.RawURLEncoding.DecodeString(parts[2])
	returnTo, err3 := base64.RawURLEncoding.DecodeString(parts[3])
	by, err4 := strconv.Atoi(parts[4])
	if cmp.Or(err, err2, err3, err4) != nil || !isSecret(parts[1]) {
		return attempt{}
	}
	return attempt{
		at: time.Unix(unix, 0), secret: parts[1], region: string(region),
		returnTo: localPath(string(returnTo)), by: acs.Initiator(by),
	}
}

// state is the hash of the secret, for the source.
func (a attempt) state() string { return hashed("portal handoff", a.secret) }

func isTag(s string) bool   { return len(s) == 2*tagBytes && isHex(s) }
func isState(s string) bool { return len(s) == 64 && isHex(s) }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
