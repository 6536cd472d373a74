package portal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// vouchParameter is the query parameter of a handoff with which the portal's host tells the consumer's host what caused
// the sign-in. The page before a sign-in leads on by itself, and a browser names another host as the initiator of that:
// a typed address would count as another site's page (see acs.InitiatorOf).
const vouchParameter = "by"

// vouchLifetime is how long it holds.
const vouchLifetime = time.Minute

// vouch returns the value for a handoff with this state, or "" if another site's page may have caused the request. It
// holds for this client's address. Another process of the Region doesn't know the key: there the sign-in counts as
// another site's.
func (p *Portal) vouch(r *http.Request, state string) string {
	by := acs.InitiatorOf(r)
	if by == acs.InitiatorPage {
		return ""
	}
	return p.voucher(r, state, by, p.now().Unix())
}

func (p *Portal) voucher(r *http.Request, state string, by acs.Initiator, at int64) string {
	h := hmac.New(sha256.New, p.vouching)
	_, _ = fmt.Fprintf(h, "%d|%d|%s|%s", by, at, state, p.clientAddr(r)) // a hash doesn't fail
	return fmt.Sprintf("%d.%d.%s", by, at, base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16]))
}

// vouched returns a request with the initiator that the portal's host has vouched for, if it did.
func (p *Portal) vouched(r *http.Request, state string) *http.Request {
	got := r.URL.Query().Get(vouchParameter)
	parts := strings.Split(got, ".")
	if len(parts) != 3 {
		return r
	}
	by, err := strconv.Atoi(parts[0])
	at, err2 := strconv.ParseInt(parts[1], 10, 64)
	age := p.now().Sub(time.Unix(at, 0))
	if err != nil || err2 != nil || age < -time.Second || age > vouchLifetime ||
		!hmac.Equal([]byte(got), []byte(p.voucher(r, state, acs.Initiator(by), at))) {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Set("Sec-Fetch-Site", "none")
	if acs.Initiator(by) == acs.InitiatorClick {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-User", "?1")
	}
	return r
}
