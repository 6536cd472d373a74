package failover

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Redirector is an http.Handler that sends browsers to the first usable
// Region. New makes one; it is safe for concurrent use.
type Redirector struct {
	cfg     Config
	client  *http.Client
	targets []*target // in the order of cfg.Regions; fixed, as is byName
	byName  map[string]*target
	running atomic.Bool
	// mu guards the changing fields of all targets. It is never held while
	// anything waits.
	mu sync.Mutex

	unavailable, wrongMethod page
	retryAfter               string
}

// New makes a Redirector. Nothing runs and nothing is probed until Run or
// Probe is called.
func New(cfg Config) (*Redirector, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	rd := &Redirector{
		cfg:         cfg,
		client:      probeClient(cfg.Client),
		byName:      make(map[string]*target, len(cfg.Regions)),
		unavailable: newPage(titleUnavailable, textUnavailable, actionUnavailable),
		wrongMethod: newPage(titleWrongMethod, textWrongMethod, actionWrongMethod),
		retryAfter:  strconv.FormatInt(int64((cfg.Interval+time.Second-1)/time.Second), 10),
	}
	now := cfg.Now()
	for _, r := range cfg.Regions {
		t := &target{Region: r, control: r.Control, healthy: cfg.AssumeHealthy, since: now}
		t.decide()
		rd.targets = append(rd.targets, t)
		rd.byName[r.Name] = t
	}
	return rd, nil
}

// ServeHTTP sends GET and HEAD to the nearest usable Region with 302, or
// answers 503 if there is none. Any other method gets 405.
func (rd *Redirector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		rd.wrongMethod.write(w, http.StatusMethodNotAllowed)
		return
	}
	t := rd.nearest(r)
	if t == nil {
		h.Set("Retry-After", rd.retryAfter)
		rd.unavailable.write(w, http.StatusServiceUnavailable)
		return
	}
	path := "/"
	if rd.cfg.KeepPath {
		path = kept(r.URL)
	}
	h.Set("Location", t.URL+path)
	w.WriteHeader(http.StatusFound)
}

// nearest finds the Region to send a browser to; nil: there is none.
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

// maxKept bounds the path and query that are kept, in bytes.
const maxKept = 2048

// kept is the part of a Location that comes from the request: its path and
// query if they are plain, else the portal's home. It begins with one slash,
// which ends the origin before it. Go's URL of an absolute-form request has a
// host, which is not looked at.
func kept(u *url.URL) string {
	path := u.EscapedPath()
	if u.Opaque != "" || len(path)+len(u.RawQuery) > maxKept || !plainPath(path) || !plainQuery(u.RawQuery) {
		return "/"
	}
	if u.RawQuery == "" {
		return path
	}
	return path + "?" + u.RawQuery
}

// plainPath accepts an absolute path that every program reads alike: of the
// characters in RFC 3986 section 3.3, with no empty segment but the last, no
// dot segment, and nothing encoded that could become either.
func plainPath(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	for rest, more := path[1:], true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if segment == "" && more || segment == "." || segment == ".." || !plain(segment, ":@", `/\.%`) {
			return false
		}
	}
	return true
}

// plainQuery accepts the characters in RFC 3986 section 3.4.
func plainQuery(query string) bool { return plain(query, ":@/?", "") }

// plain reports whether s holds only unreserved characters, sub-delims (RFC
// 3986 sections 2.2 and 2.3), the extra ones, and whole percent-encodings of
// anything but controls and the hidden ones.
func plain(s, extra, hidden string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '%' {
			if !isAlphanumeric(rune(c)) && strings.IndexByte("-._~!$&'()*+,;=", c) < 0 && strings.IndexByte(extra, c) < 0 {
				return false
			}
			continue
		}
		if i+2 >= len(s) {
			return false
		}
		b, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil || b < 0x20 || b == 0x7f || strings.IndexByte(hidden, byte(b)) >= 0 {
			return false
		}
		i += 2
	}
	return true
}
