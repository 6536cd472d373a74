package failover

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// Redirector is an http.Handler that sends browsers to the first usable Region. New makes one. It is safe for
// concurrent use.
type Redirector struct {
	cfg     Config
	client  *http.Client
	targets []*target // in the order of cfg.Regions; fixed, as is byName
	byName  map[string]*target
	running atomic.Bool
	// mu guards the changing fields of all targets. It is never held during I/O or a callback.
	mu sync.Mutex

	retryAfter string
}

// New returns the Redirector that cfg describes. It probes nothing before Run or Probe is called.
func New(cfg Config) (*Redirector, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	rd := &Redirector{
		cfg:        cfg,
		client:     probeClient(cfg.Client),
		byName:     make(map[string]*target, len(cfg.Regions)),
		retryAfter: strconv.FormatInt(int64((cfg.Interval+time.Second-1)/time.Second), 10),
	}
	now := cfg.Now()
	for _, r := range cfg.Regions {
		state := Status{Region: r.Name, URL: r.URL, Control: r.Control, Healthy: cfg.AssumeHealthy, Since: now}
		t := &target{Region: r, state: state}
		t.decide()
		rd.targets = append(rd.targets, t)
		rd.byName[r.Name] = t
	}
	return rd, nil
}

// ServeHTTP sends GET and HEAD to the nearest usable Region with 302, or answers 503 if there is none. Any other
// method gets 405.
func (rd *Redirector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		rd.show(w, r, pageMethod)
		return
	}
	t := rd.nearest(r)
	if t == nil {
		h.Set("Retry-After", rd.retryAfter)
		rd.show(w, r, pageUnavailable)
		return
	}
	path := "/"
	if rd.cfg.KeepPath {
		path = kept(r.URL)
	}
	h.Set("Location", t.URL+path)
	w.WriteHeader(http.StatusFound)
}

// nearest returns the Region to send a browser to, or nil.
func (rd *Redirector) nearest(r *http.Request) *target {
	if rd.cfg.Order != nil {
		for _, name := range rd.cfg.Order(r) {
			if t := rd.byName[name]; t != nil && t.usable.Load() {
				return t
			}
		}
	}
	for _, t := range rd.targets {
		if t.usable.Load() {
			return t
		}
	}
	return nil
}

// kept returns the path and query of a Location: those of the request if they are safe and plain, otherwise the
// portal's home. It begins with one slash, which ends the origin before it. The host of an absolute-form request is
// ignored.
func kept(u *url.URL) string {
	path := u.EscapedPath()
	to := path
	if u.RawQuery != "" {
		to += "?" + u.RawQuery
	}
	if u.Opaque != "" || unusual.MatchString(to) || unusualPath.MatchString(path) {
		return "/"
	}
	return cmp.Or(acs.LocalPath(to), "/")
}

// These are safe to redirect to, but no portal page has them in its address, and a proxy that decodes or cleans paths
// may change them. unusual matches characters that RFC 3986 sections 3.3 and 3.4 don't allow, encoded control
// characters, and broken encodings. unusualPath matches empty segments and encoded dots, slashes and percent signs.
var (
	unusual = regexp.MustCompile(
		`[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]|%([01].|7[fF]|.?$|[^0-9a-fA-F]|.[^0-9a-fA-F])`)
	unusualPath = regexp.MustCompile(`//|%(2[eEfF5])`)
)
