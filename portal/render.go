package portal

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

//go:embed templates static
var files embed.FS

// parseTemplates returns one template per page, each with the layout. They are
// part of the program, so a mistake in them is a panic.
func parseTemplates() map[string]*template.Template {
	funcs := template.FuncMap{"length": length, "instant": instant}
	out := map[string]*template.Template{}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil || len(names) == 0 {
		panic("portal: no templates")
	}
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if page != "layout" {
			out[page] = template.Must(template.New("layout.html").Funcs(funcs).ParseFS(files, "templates/layout.html", name))
		}
	}
	return out
}

// length writes a duration for people: "8 hours", "1 hour 30 minutes".
func length(d time.Duration) string {
	part := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return strconv.Itoa(n) + " " + unit + "s"
	}
	h, m := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case m == 0:
		return part(h, "hour")
	case h == 0:
		return part(m, "minute")
	}
	return part(h, "hour") + " " + part(m, "minute")
}

func instant(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// A page is what the layout shows around a page's own Body.
type page struct {
	Title string
	Tab   string // "accounts" or "applications"; empty: no tabs
	User  *center.User
	Until time.Time // when the session ends at the latest
	Here  regionLink
	// Regions are all Regions of the instance; empty: the page has no list.
	Regions  []regionLink
	Operator bool // whether the person is one
	Body     any
}

// A regionLink is a Region as pages show it.
type regionLink struct {
	center.Region
	Current, Primary bool
	// Accent is the number of the Region's colour: its place in the list, so
	// that it is the same in every portal.
	Accent int
	// Open is the address of the Region's portal for somebody who comes from
	// here; empty: there is none to open.
	Open string
	// Heard says how old the data from there is; empty: nobody knows.
	Heard       string
	Unreachable bool
}

const accents = 6

// regionLinks asks the directory each time: Regions come and go.
func (p *Portal) regionLinks(r *http.Request) []regionLink {
	var out []regionLink
	heard, l := p.peers(), p.place(r)
	for i, region := range p.cfg.Directory.Regions() {
		link := regionLink{Region: region, Current: region.Name == p.cfg.Region, Primary: i == 0, Accent: i % accents}
		if !link.Current && region.Active() {
			link.Open = p.openURL(l, region)
		}
		// A Region on its way in or out has nothing yet, or nothing more, to hear.
		if peer, ok := heard[region.Name]; ok && !link.Current && region.Active() {
			link.Heard, link.Unreachable = p.since(peer), peer.cutOff()
		}
		out = append(out, link)
	}
	return out
}

// openURL leads to another Region's portal, and says where the person comes
// from if a session can be had from here.
func (p *Portal) openURL(l place, to center.Region) string {
	origin := counterpart(l.portal, l.portals, origins(to.PortalURLs))
	if !p.shared || l.portal == "" || origin == "" {
		return to.PortalURL()
	}
	return origin + pathHome + "?" + url.Values{fromParameter: {p.cfg.Region}}.Encode()
}

// Primary returns the link of the primary Region.
func (pg page) Primary() regionLink {
	if len(pg.Regions) == 0 {
		return regionLink{}
	}
	return pg.Regions[0]
}

// render writes a page. It is made in memory first: a page is whole or is an
// error, and a HEAD request gets the same length.
func (p *Portal) render(w http.ResponseWriter, r *http.Request, status int, name string, pg page) {
	all := p.regionLinks(r)
	pg.Here = regionLink{Region: center.Region{Name: p.cfg.Region}, Current: true}
	if i := slices.IndexFunc(all, func(l regionLink) bool { return l.Current }); i >= 0 {
		pg.Here = all[i]
	}
	if pg.User != nil {
		pg.Regions, pg.Operator = all, p.isOperator(*pg.User)
	}
	var b bytes.Buffer
	if err := p.templates[name].Execute(&b, pg); err != nil {
		p.cfg.Logger.ErrorContext(r.Context(), "portal: page failed", "page", name, "error", err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the browser has gone; nobody is left to tell
}

// static serves the style sheet and the icon.
func (p *Portal) static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	b, err := files.ReadFile("static/" + name)
	kind := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}[path.Ext(name)]
	if err != nil || kind == "" {
		p.notFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(b)
}
