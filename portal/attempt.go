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

// An attempt is a handoff that this browser began here, at the destination. It
// is held in a cookie and nowhere else, so clients that begin many cost
// nothing. Only the hash of its secret leaves for the source.
type attempt struct {
	tag      string
	secret   string // 256 bits
	at       time.Time
	region   string // of the source
	returnTo string // a local path, or ""
	by       acs.Initiator
}

// An attempt may take as long as a sign-in at the identity provider does.
const attemptLifetime = 15 * time.Minute

// maxAttempts bounds what the cookies of one browser take, as far as it doesn't
// begin several at the same time.
const maxAttempts = 4

const attemptPrefix = "__Host-meridian-enter-"

// A source is where a handoff comes from.
type source struct{ region, origin string }

// newAttempt begins a handoff and gives this browser its cookie.
func (p *Portal) newAttempt(w http.ResponseWriter, r *http.Request, region, returnTo string) (attempt, *Error) {
	secret, err := p.secret()
	if err != nil {
		return attempt{}, unavailable("making of a secret", err)
	}
	tag, err := p.random(tagBytes)
	if err != nil {
		return attempt{}, unavailable("making of a tag", err)
	}
	a := attempt{tag: tag, secret: secret, at: p.cfg.Now(), region: region, returnTo: localPath(returnTo), by: acs.InitiatorOf(r)}
	if others := attempts(r); len(others) >= maxAttempts {
		gone := others[maxAttempts-1:]
		if gone[0].by > a.by {
			return attempt{}, &Error{Reason: ReasonTooMany, Rule: "handoffs of one browser", Want: fmt.Sprintf("at most %d, or the user to begin it", maxAttempts), Got: strconv.Itoa(len(others))}
		}
		for _, old := range gone {
			p.clearCookie(w, attemptPrefix+old.tag)
		}
	}
	p.setCookie(w, attemptPrefix+a.tag, a.encode(), attemptLifetime)
	return a, nil
}

// takeAttempt returns this browser's attempt with that tag, and that once: the
// cookie is gone afterwards.
func (p *Portal) takeAttempt(w http.ResponseWriter, r *http.Request, tag string) (attempt, bool) {
	all := attempts(r)
	i := slices.IndexFunc(all, func(a attempt) bool { return a.tag == tag })
	if i < 0 {
		return attempt{}, false
	}
	p.clearCookie(w, attemptPrefix+tag)
	age := p.cfg.Now().Sub(all[i].at)
	return all[i], -time.Minute < age && age < attemptLifetime
}

// attempts returns those whose cookies a request carries, those first that are
// to be kept before others: what the user began, newest first, then the rest,
// oldest first. What a foreign page begins doesn't push out what was there.
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
	return strings.Join([]string{strconv.FormatInt(a.at.Unix(), 10), a.secret, text([]byte(a.region)), text([]byte(a.returnTo)), strconv.Itoa(int(a.by))}, ".")
}

// decodeAttempt gives the zero attempt, which is too old for anything, for
// what is none of ours.
func decodeAttempt(value string) attempt {
	parts := strings.Split(value, ".")
	if len(parts) != 5 {
		return attempt{}
	}
	unix, err := strconv.ParseInt(parts[0], 10, 64)
	region, err2 := base64.RawURLEncoding.DecodeString(parts[2])
	returnTo, err3 := base64.RawURLEncoding.DecodeString(parts[3])
	by, err4 := strconv.Atoi(parts[4])
	if err != nil || err2 != nil || err3 != nil || err4 != nil || !isSecret(parts[1]) {
		return attempt{}
	}
	return attempt{at: time.Unix(unix, 0), secret: parts[1], region: string(region), returnTo: localPath(string(returnTo)), by: acs.Initiator(by)}
}

// state is what the source learns of the secret.
func (a attempt) state() string { return hashed("portal handoff", a.secret) }

func isTag(s string) bool   { return len(s) == 2*tagBytes && isHex(s) }
func isState(s string) bool { return len(s) == 64 && isHex(s) }

func isHex(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}

// isSecret says whether s could be one of Portal.secret.
func isSecret(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == secretBytes
}
