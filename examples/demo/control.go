package main

import (
	"bytes"
	"embed"
	"html/template"
	"net"
	"net/http"
	"sync"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/mockidp"
)

//go:embed templates assets
var files embed.FS

// control is the page from which the demo is driven. A client that can reach it can
// stop Regions, so it answers on loopback, under loopback's names, and takes
// POSTs from its own pages only.
type control struct {
	w         *world
	url       string // without a slash at the end
	templates *template.Template
	*loopback.Server

	mu     sync.Mutex
	notice notice           // the result of the last button
	ended  sessions.Session // by the button; the zero one before that
}

// notice is what the page says after a button was pressed.
type notice struct {
	Text string
	Bad  bool // something went wrong, which is not the same as refused
}

func newControl(w *world, l net.Listener) *control {
	c := &control{w: w, url: loopback.Origin(controlHost, loopback.Port(l)), templates: template.Must(template.ParseFS(files, "templates/*.html"))}
	c.Server = loopback.Serve(l, c.routes())
	return c
}

func (c *control) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.page)
	mux.Handle("GET /assets/", http.FileServerFS(files))
	for path, press := range map[string]func(*http.Request) notice{
		"/extend":                 c.pressExtend,
		"/extend/region":          c.pressAddRegion,
		"/extend/acs":             c.pressListACS,
		"/extend/bookmark":        c.pressAddBookmark,
		"/regions/{name}/stop":    c.pressStop,
		"/regions/{name}/start":   c.pressStart,
		"/regions/{name}/control": c.pressControl,
		"/revoke":                 c.pressRevoke,
		"/swap":                   c.pressSwap,
		"/replay":                 c.pressReplay,
	} {
		mux.HandleFunc("POST "+path, c.button(press))
	}
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		secure(rw.Header())
		// A name that an attacker's DNS points at this machine would make
		// the attacker's page one of the same origin.
		if host, _, err := net.SplitHostPort(r.Host); err != nil || !mockidp.IsLoopback(host) {
			http.Error(rw, "demo: this page is at "+c.url, http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(rw, r.Body, maxForm)
		guarded.ServeHTTP(rw, r)
	})
}

// maxForm is far above what the page's own forms send.
const maxForm = 4 << 10

func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

// button does what a button says, and shows the page again with what came of it.
func (c *control) button(press func(*http.Request) notice) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		n := press(r)
		c.mu.Lock()
		c.notice = n
		c.mu.Unlock()
		http.Redirect(rw, r, "/", http.StatusSeeOther)
	}
}

// render writes a page, or a plain 500 if the template fails: never half a page.
func (c *control) render(rw http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := c.templates.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(rw, "demo: a page failed", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = rw.Write(b.Bytes())
}
