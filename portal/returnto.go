package portal

import (
	"net/http"
	"net/url"
	"strings"
)

// destination is where a sign-in that ends here leads to. One that ends at a
// consumer's own host, where nobody has business, goes on to the portal.
func (p *Portal) destination(r *http.Request, returnTo string) string {
	if returnTo == "" {
		returnTo = PathHome
	}
	l := p.place(r)
	if l.portal != "" || l.acs == "" || returnTo[0] != '/' || strings.HasPrefix(returnTo, PathHandoff+"?") {
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

// localPath gives back a path of this origin, and "" for anything else that a
// link may hold: what browsers read otherwise than servers do is refused.
func localPath(raw string) string {
	if raw == "" || len(raw) > maxReturnTo || raw[0] != '/' || strings.HasPrefix(raw, "//") {
		return ""
	}
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] > '~' || raw[i] == '\\' {
			return ""
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || strings.HasPrefix(u.Path, "//") {
		return ""
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." || strings.ContainsAny(segment, "\\\x7f") {
			return ""
		}
	}
	if strings.ContainsFunc(u.Path, func(c rune) bool { return c < ' ' }) {
		return ""
	}
	return raw
}

func (p *Portal) orHome(to string) string {
	if to == "" {
		return PathHome
	}
	return to
}
