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

// parseTemplates returns one template per page, each with the layout. It panics if an embedded file is wrong.
func parseTemplates() map[string]*template.Template {
	lines := func(list []string) string { return strings.Join(list, "\n") }
	funcs := template.FuncMap{"length": length, "instant": instant, "lag": lag, "lines": lines}
	out := map[string]*template.Template{}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil || len(names) == 0 {
		panic("portal: no templates")
	}
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if page != "layout" {
			layout := template.New("layout.html").Funcs(funcs)
			out[page] = template.Must(layout.ParseFS(files, "templates/layout.html", name))
		}
	}
	return out
}

// length formats a duration in hours and minutes: "8 hours", "1 hour 30 minutes".
func length(d time.Duration) string {
	var parts []string
	for unit, n := range [...]int{int(d / time.Hour), int(d % time.Hour / time.Minute)} {
		name := [...]string{"hour", "minute"}[unit]
		switch n {
		case 0:
		case 1:
			parts = append(parts, "1 "+name)
		default:
			parts = append(parts, strconv.Itoa(n)+" "+name+"s")
		}
	}
	return strings.Join(parts, " ")
}

func instant(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

type page struct {
	Title string
	Tab   string // the current link of the navigation, or ""
	User  *center.User
	Of    string    // the user's identity provider, if there are several
	Until time.Time // when the session ends at the latest
	Here  regionLink
	// Regions are all Regions of the instance, if a user is signed in.
	Regions  []regionLink
	Operator bool // whether the user is an operator
	Body     any
}

type regionLink struct {
	center.Region
	Current, Primary bool
	// Accent is the number of the Region's color, by its index, so that it is the same in every portal.
	Accent int
	// Open is the address of the Region's portal for a user who comes from here, or "".
	Open string
	// Heard is the age of that Region's data, as text, or "".
	Heard       string
	Unreachable bool
}

const accents = 6

// regionLinks asks the directory each time, because Regions can change.
func (p *Portal) regionLinks(r *http.Request) []regionLink {
	var out []regionLink
	heard, l := p.peers(), p.place(r)
	for i, region := range p.cfg.Directory.Regions() {
		link := regionLink{Region: region, Current: region.Name == p.cfg.Region, Primary: i == 0, Accent: i % accents}
		if !link.Current && region.Active() {
			link.Open = p.openURL(l, region)
			if peer, ok := heard[region.Name]; ok {
				link.Heard, link.Unreachable = p.since(peer), peer.cutOff()
			}
		}
		out = append(out, link)
	}
	return out
}

// openURL returns the address of another Region's portal. If this Region can hand a session off to it, the address
// names this Region.
func (p *Portal) openURL(l place, to center.Region) string {
	if len(to.PortalURLs) == 0 {
		return ""
	}
	origin := counterpart(l.portal, l.portals, origins(to.PortalURLs))
	if !p.shared || l.portal == "" || origin == "" {
		return to.PortalURLs[0]
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

func (p *Portal) render(w http.ResponseWriter, r *http.Request, status int, name string, pg page) {
	if p.renderOwn(w, r, status, pg) {
		return
	}
	all := p.regionLinks(r)
	pg.Here = regionLink{Region: center.Region{Name: p.cfg.Region}, Current: true}
	if i := slices.IndexFunc(all, func(l regionLink) bool { return l.Current }); i >= 0 {
		pg.Here = all[i]
	}
	if pg.User != nil {
		pg.Regions, pg.Operator, pg.Of = all, p.isOperator(*pg.User), p.providerOf(*pg.User)
	}
	var b bytes.Buffer // buffered, so that a failure can become an error response
	if err := p.templates[name].Execute(&b, pg); err != nil {
		p.log.ErrorContext(r.Context(), "portal: page failed", "page", name, "error", err)
		http.Error(w, "The portal could not make this page. Try again in a minute.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // fails only if the browser is gone
}

func (p *Portal) static(w http.ResponseWriter, r *http.Request) {
	name := "static/" + r.PathValue("file")
	if _, err := fs.Stat(files, name); err != nil {
		p.notFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	http.ServeFileFS(w, r, files, name)
}
