package acs

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Paths are the paths of a Region's two pages. A page with an empty path is not mounted.
type Paths struct {
	Login    string // starts a sign-in; the parameter return_to is LoginOptions.ReturnTo
	Metadata string // the service provider's metadata
}

// Mount registers the Region with mux: a consumer at the path of every ACS URL, the two pages,
// Config.DiscoveredPath, and Logout at the paths of the Region's logout URL and of the one in our metadata. Like
// mux.Handle, it panics if a pattern is already registered. It also panics if a path of p is invalid. Regions of one
// process may share the path of a logout URL, such as that in our metadata.
func (g *Region) Mount(mux *http.ServeMux, p Paths) {
	mounted := &Region{sp: g.sp}
	groups := make(map[string]dispatcher)
	for _, c := range g.consumers {
		c := *c // a copy with another LoginPath; g doesn't change
		if c.cfg.LoginPath == "" {
			must(c.setLoginPath("Paths.Login", p.Login))
		}
		mounted.consumers = append(mounted.consumers, &c)
		at, err := pattern(c.url)
		must(err)
		groups[at] = append(groups[at], &c)
	}
	for at, d := range groups {
		mux.Handle(at, d)
	}
	must(mounted.mountLogout(mux))
	for _, page := range []struct {
		path string
		get  http.HandlerFunc
	}{
		{p.Login, mounted.Login}, {p.Metadata, mounted.Metadata},
		{g.consumers[0].cfg.DiscoveredPath, mounted.Discovered},
	} {
		if page.path != "" {
			at, err := pattern(&url.URL{Path: page.path})
			must(err)
			mux.Handle(at, page.get)
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// pattern returns the mux pattern that matches exactly the path of u. Braces and a trailing slash have a meaning
// in patterns. EscapedPath escapes the braces.
func pattern(u *url.URL) (string, error) {
	p := cmp.Or(u.EscapedPath(), "/")
	clean := path.Clean(p)
	if p != clean && p != strings.TrimSuffix(clean, "/")+"/" || p[0] != '/' {
		return "", badConfig("path", "no request can have the path "+storeerr.Quote(p)+"; want "+storeerr.Quote(clean))
	}
	if strings.HasSuffix(p, "/") {
		p += "{$}"
	}
	return p, nil
}

// dispatcher serves the ACS URLs of one path. The request's Host selects the consumer, and nothing else depends on
// it: the consumer compares the signed Recipient with its own URL.
type dispatcher []*Consumer

func (d dispatcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(d) == 1 {
		d[0].ServeHTTP(w, r)
		return
	}
	for _, c := range d {
		if c.hasHost(r.Host) && c.hasQuery(r) {
			c.ServeHTTP(w, r)
			return
		}
	}
	c := d[0]
	c.setHeaders(w.Header())
	r, end := c.observe(r)
	v := c.newVerdict()
	v.ACS = ""
	v.setError(newError(ReasonHost, "Host (RFC 9110 7.4)", "no ACS URL of this path has this host and query").
		compared("", r.Host))
	c.refuse(w, r, v, end)
}

// hasQuery reports whether a request has the query of the ACS URL. A GET with an artifact has more.
func (c *Consumer) hasQuery(r *http.Request) bool {
	got := r.URL.RawQuery
	if r.Method == http.MethodGet && c.here.ArtifactIndex != nil {
		got = withoutArtifact(got)
	}
	return got == c.url.RawQuery
}

func (c *Consumer) hasHost(host string) bool {
	return canonicalHost(c.url.Scheme, host) == canonicalHost(c.url.Scheme, c.url.Host)
}
