package acs

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Paths are the paths of a Region's two pages. An empty one is not mounted.
type Paths struct {
	Login    string // starts a sign-in; ?return_to= says where to go then
	Metadata string // the service provider's metadata
}

// Mount puts the Region into mux: a consumer for every ACS URL, at that URL's
// path, and the two pages. Like mux.Handle it panics when something is there
// already, and when a path of p can't be one.
func (g *Region) Mount(mux *http.ServeMux, p Paths) {
	mounted := &Region{sp: g.sp}
	groups := make(map[string]dispatcher)
	for _, c := range g.consumers {
		c := *c // mounted, it may know its LoginPath; g stays as it is
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
	for _, page := range []struct {
		path string
		get  http.HandlerFunc
	}{{p.Login, mounted.Login}, {p.Metadata, mounted.Metadata}} {
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

// pattern makes the mux match exactly the path of u, whatever characters are
// in it: braces and a slash at the end would mean more otherwise.
func pattern(u *url.URL) (string, error) {
	p := u.EscapedPath()
	if p == "" {
		p = "/"
	}
	clean := path.Clean(p)
	if p != clean && p != strings.TrimSuffix(clean, "/")+"/" || p[0] != '/' {
		return "", badConfig("path", storeerr.Quote(p)+" is not one that a request could have: "+storeerr.Quote(clean)+"?", nil)
	}
	if strings.HasSuffix(p, "/") {
		p += "{$}"
	}
	return p, nil
}

// dispatcher serves the ACS URLs of one path. The request's Host chooses
// among them and decides nothing else: the consumer it leads to compares what
// was signed with its own URL.
type dispatcher []*Consumer

func (d dispatcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := d[0]
	if len(d) > 1 {
		if c = d.find(r); c == nil {
			c = d[0]
			c.secure(w.Header())
			v := c.newVerdict()
			v.ACS = ""
			v.because(&Error{Reason: ReasonHost, Rule: "Host (RFC 9110 7.4)", Detail: "several ACS URLs have this path, none this host and query", Got: r.Host})
			c.refuse(w, r, v, http.StatusMisdirectedRequest)
			return
		}
	}
	c.ServeHTTP(w, r)
}

func (d dispatcher) find(r *http.Request) *Consumer {
	for _, c := range d {
		if c.hasHost(r.Host) && c.url.RawQuery == r.URL.RawQuery {
			return c
		}
	}
	return nil
}

func (c *Consumer) hasHost(host string) bool {
	return canonicalHost(c.url.Scheme, host) == canonicalHost(c.url.Scheme, c.url.Host)
}
