package acs

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/meridian-saml/meridian/saml"
)

// mountLogout registers the paths of the logout URLs that lead to this Region: its own, and the one in our metadata.
func (g *Region) mountLogout(mux *http.ServeMux) error {
	var urls []string
	for _, e := range g.sp.Logout() {
		if g.isOwn(e) {
			urls = append(urls, e.URL)
		}
	}
	if len(urls) > 0 {
		urls = append(urls, g.sp.PublishedLogoutURL())
	}
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil {
			return err
		}
		at, err := pattern(u)
		if err != nil {
			return err
		}
		if shared := mountedLogout(mux, u, at); shared != nil && shared.sp == g.sp {
			shared.add(g)
		} else {
			mux.Handle(at, &logoutDispatcher{sp: g.sp, regions: []*Region{g}})
		}
	}
	return nil
}

// mountedLogout returns the dispatcher that mux has for a pattern, or nil.
func mountedLogout(mux *http.ServeMux, u *url.URL, at string) *logoutDispatcher {
	h, found := mux.Handler(&http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: cmp.Or(u.Path, "/"), RawPath: u.RawPath},
	})
	if d, ok := h.(*logoutDispatcher); ok && found == at {
		return d
	}
	return nil
}

// logoutDispatcher serves one path for the Regions of a process whose logout URLs have it. The Region that a request
// arrived at has the cookies of its own requests. At another URL, such as the one in our metadata, every Region accepts
// a LogoutRequest, and sends an answer on to the Region that asked.
type logoutDispatcher struct {
	sp *saml.ServiceProvider

	mu      sync.RWMutex
	regions []*Region // at least one, each once; guarded by mu
}

func (d *logoutDispatcher) add(g *Region) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.regions, g) {
		d.regions = append(d.regions, g)
	}
}

func (d *logoutDispatcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.RLock()
	all := d.regions // append doesn't change what this slice has
	d.mu.RUnlock()
	i := slices.IndexFunc(all, func(g *Region) bool { return g.isAt(r) })
	all[max(i, 0)].Logout(w, r)
}

// isAt reports whether a request was sent to a logout URL of this Region.
func (g *Region) isAt(r *http.Request) bool {
	return slices.ContainsFunc(g.sp.Logout(), func(e saml.LogoutEndpoint) bool {
		return g.isOwn(e) && arrivedAt(r, e.URL)
	})
}
