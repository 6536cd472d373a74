package main

import (
	"bytes"
	"embed"
	"html/template"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/mockidp"
)

//go:embed templates assets
var files embed.FS

// control serves the control page of the demo. A client that can reach it can
// stop Regions, so it serves only loopback names on loopback, and accepts POSTs
// from its own pages only.
type control struct {
	w         *world
	url       string // without a slash at the end
	templates *template.Template
	*loopback.Server

	mu     sync.Mutex
	notice notice           // the result of the last button
	ended  sessions.Session // by the button; zero before
}

// notice is the text that the page shows after a button was pressed.
type notice struct {
	Text string
	Bad  bool // an error; a refusal that the button demonstrates is not one
}

func newControl(w *world, l net.Listener) *control {
	c := &control{w: w, url: loopback.Origin(controlHost, loopback.Port(l))}
	c.templates = template.Must(template.New("").Funcs(template.FuncMap{
		"age": age, "lag": lag, "lower": strings.ToLower,
	}).ParseFS(files, "templates/*.html"))
	c.Server = loopback.Serve(l, c.routes())
	return c
}

func (c *control) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.page)
	mux.Handle("GET /assets/", http.FileServerFS(files))
	mux.HandleFunc("GET /aws-config", c.awsProfiles)
	for path, press := range map[string]button{
		"/extend":                 c.pressExtend,
		"/regions/{name}/stop":    c.onRegion(c.pressStop),
		"/regions/{name}/start":   c.onRegion(c.pressStart),
		"/regions/{name}/control": c.onRegion(c.pressControl),
		"/revoke":                 c.pressRevoke,
		"/swap":                   c.pressSwap,
		"/replay":                 c.pressReplay,
	} {
		mux.HandleFunc("POST "+path, c.pressed(press))
	}
	for _, step := range c.steps() {
		mux.HandleFunc("POST "+step.Action, c.pressed(func(*http.Request) (string, error) {
			return step.result, step.do(c.w.newRegion())
		}))
	}
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "+
			"img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		// An attacker's DNS can resolve a name to this machine. A page of the
		// attacker then has the same origin.
		if host, _, err := net.SplitHostPort(r.Host); err != nil || !mockidp.IsLoopback(host) {
			http.Error(rw, "demo: this page is at "+c.url, http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(rw, r.Body, 4<<10) // far more than the page's forms send
		guarded.ServeHTTP(rw, r)
	})
}

// pressed runs a button, and shows the page again with the result.
func (c *control) pressed(press button) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		text, err := press(r)
		n := notice{Text: text}
		if err != nil {
			n = notice{err.Error(), true}
		}
		c.mu.Lock()
		c.notice = n
		c.mu.Unlock()
		http.Redirect(rw, r, "/", http.StatusSeeOther)
	}
}

// render writes a page, or a plain 500 if the template fails. It never writes a
// part of a page.
func (c *control) render(rw http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := c.templates.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(rw, "demo: a page failed", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = rw.Write(b.Bytes())
}
