package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"sync"

	"github.com/meridian-saml/meridian/mockidp"
)

//go:embed templates assets
var files embed.FS

// control is the page from which the demo is driven. Whoever can reach it can
// stop Regions, so it answers on loopback, under loopback's names, and takes
// POSTs from its own pages only.
type control struct {
	w         *world
	url       string // without a slash at the end
	handler   http.Handler
	templates *template.Template
	*server

	mu     sync.Mutex
	notice notice // what came of the last button
}

// notice is what the page says after a button was pressed.
type notice struct {
	Text string
	Bad  bool // something went wrong, which is not the same as refused
}

func newControl(w *world, l net.Listener) *control {
	c := &control{w: w, url: origin(controlHost, l), templates: template.Must(template.ParseFS(files, "templates/*.html"))}
	c.handler = c.routes()
	c.server = newServer(l, c.handler)
	return c
}

func (c *control) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.page)
	mux.Handle("GET /assets/", http.FileServerFS(files))
	mux.HandleFunc("POST /regions/{name}/stop", c.button(c.pressStop))
	mux.HandleFunc("POST /regions/{name}/start", c.button(c.pressStart))
	mux.HandleFunc("POST /swap", c.button(c.pressSwap))
	mux.HandleFunc("POST /replay", c.button(c.pressReplay))
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		secure(rw.Header())
		// A name that somebody else's DNS points at this machine would make
		// their page one of the same origin.
		if host, _, err := net.SplitHostPort(r.Host); err != nil || !mockidp.Loopback(host) {
			http.Error(rw, "demo: this page is at "+c.url, http.StatusMisdirectedRequest)
			return
		}
		guarded.ServeHTTP(rw, r)
	})
}

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

func (c *control) pressStop(r *http.Request) notice {
	at, err := c.w.region(r.PathValue("name"))
	if err != nil {
		return notice{err.Error(), true}
	}
	at.stop()
	return notice{Text: at.Name + " is stopped: its listener is closed and nothing answers there. People sign in through the other Region."}
}

func (c *control) pressStart(r *http.Request) notice {
	at, err := c.w.region(r.PathValue("name"))
	if err == nil {
		err = at.start()
	}
	if err != nil {
		return notice{err.Error(), true}
	}
	return notice{Text: at.Name + " is up again, with the sessions and records that it had."}
}

func (c *control) pressSwap(*http.Request) notice {
	if err := c.w.swapACS(); err != nil {
		return notice{err.Error(), true}
	}
	first := c.w.acsOrder()[0]
	if r, err := c.w.region(first); err == nil {
		first = r.Name
	}
	return notice{Text: "The app at the identity provider now lists the URL of " + first + " first: that is where its SAML tile leads."}
}

func (c *control) pressReplay(r *http.Request) notice {
	got, err := c.w.replay(r.Context())
	switch {
	case err != nil:
		return notice{err.Error(), true}
	case got.Accepted():
		return notice{fmt.Sprintf("%s ACCEPTED the same response a second time.", got.Region), true}
	}
	return notice{Text: fmt.Sprintf("%s refused the same response, sent once more. Reason: %s.", got.Region, got.Reason())}
}

// shown is how many sign-ins the page lists.
const shown = 25

// view is what the template sees.
type view struct {
	Notice    notice
	Regions   []card
	Order     []listed
	SignIns   []signIn
	Dashboard string
	SAMLLabel string
	Bookmark  string
	Hint      string
}

// card is a Region on the page.
type card struct {
	Name, Label, Portal, ACS string
	Up, Default              bool // Default: of the service provider's list
	Accent                   int
}

// listed is one URL of the app's list at the identity provider.
type listed struct{ Region, URL string }

func (c *control) page(rw http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	v := view{Notice: c.notice}
	c.mu.Unlock()
	v.Dashboard, v.SAMLLabel, v.Hint, v.SignIns = c.w.idp.DashboardURL(), samlLabel, signInHint, c.w.signIns.newest()
	v.SignIns = v.SignIns[:min(shown, len(v.SignIns))]
	v.Bookmark = bookmarkLabel(c.w.regions[len(c.w.regions)-1].place)
	first := c.w.sp.ACS()[0].URL
	for i, r := range c.w.regions {
		v.Regions = append(v.Regions, card{r.Name, r.Label, r.url + "/", r.acs, r.running(), r.acs == first, i})
	}
	for _, u := range c.w.acsOrder() {
		l := listed{URL: u}
		if r, err := c.w.region(u); err == nil {
			l.Region = r.Name
		}
		v.Order = append(v.Order, l)
	}
	c.render(rw, "control.html", v)
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
