package portal

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/acs"
)

// destination is where a sign-in that ends here leads to. One that ends at a
// consumer's own host, where nobody has business, goes on to the portal.
func (p *Portal) destination(r *http.Request, returnTo string) string {
	returnTo = cmp.Or(returnTo, pathHome)
	l := p.place(r)
	if l.portal != "" || l.acs == "" || returnTo[0] != '/' || strings.HasPrefix(returnTo, pathHandoff+"?") {
		return returnTo
	}
	if to := counterpart(l.acs, p.acsOrigins, l.portals); to != "" {
		return to + returnTo
	}
	return returnTo
}

// maxReturnTo is the longest place that a handoff remembers. It is in a cookie
// meanwhile.
const maxReturnTo = 1024

func localPath(raw string) string {
	if len(raw) > maxReturnTo {
		return ""
	}
	return acs.LocalPath(raw)
}
