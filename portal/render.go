package portal

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal/center"
)

// length formats a duration in hours and minutes: "8 hours", "1 hour 30 minutes".
func length(t *theme.Texts, d time.Duration) string {
	hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case minutes == 0:
		return t.T("%d hours", hours)
	case hours == 0:
		return t.T("%d minutes", minutes)
	}
	return t.T("%d hours", hours) + " " + t.T("%d minutes", minutes)
}

// textInstant is the form of an instant, as in package time.
const textInstant = "2 January 2006, 15:04 UTC"

func instant(t *theme.Texts, at time.Time) string { return at.UTC().Format(t.T(textInstant)) }

// page is what the templates show. T and the other methods are for them.
type page struct {
	Title string // a key of the texts, or a text in the user's language
	Tab   string // the current link of the navigation, or ""
	User  *center.User
	Of    string    // the user's identity provider, if there are several
	Until time.Time // when the session ends at the latest
	Here  regionLink
	// Regions are all Regions of the instance, if a user is signed in.
	Regions  []regionLink
	Operator bool // whether the user is an operator
	// Find is the search field of a page with a list; nil: none.
	Find *finder
	// Ends is how long the session still lasts, if that is not long, as text. Renew is the address at which the user can
	// sign in again before, or "".
	Ends, Renew string
	Body        any

	Brand  brand
	texts  *theme.Texts
	began  time.Time // when the session began
	counts counts    // of the last card
}

// T returns the text of a key, its English form, in the user's language. It escapes values, except template.HTML.
func (pg *page) T(key string, values ...any) template.HTML { return pg.texts.HTML(key, values...) }

// Language and Dir are the attributes lang and dir of the page.
func (pg *page) Language() string { return pg.texts.Language() }
func (pg *page) Dir() string      { return pg.texts.Dir() }

// Time returns an instant as an element, which the portal's script shows in the user's time zone.
func (pg *page) Time(at time.Time) template.HTML { return timeElement(pg.texts, at) }

func timeElement(t *theme.Texts, at time.Time) template.HTML {
	const form = `<time datetime="%s">%s</time>`
	return template.HTML(fmt.Sprintf(form, at.UTC().Format(time.RFC3339), template.HTMLEscapeString(instant(t, at))))
}

// Copy returns a button that copies the element with this ID. The portal's script shows it.
func (pg *page) Copy(id string) template.HTML {
	const form = `<p><button type="button" class="button second small" data-copy="%s" data-done="%s" hidden>%s</button></p>`
	done := template.HTMLEscapeString(pg.texts.T("Copied"))
	return template.HTML(fmt.Sprintf(form, template.HTMLEscapeString(id), done, pg.T("Copy")))
}

// Instant and Length return an instant and a duration as text.
func (pg *page) Instant(at time.Time) string   { return instant(pg.texts, at) }
func (pg *page) Length(d time.Duration) string { return length(pg.texts, d) }

// Mono returns a name as an element of a text.
func (*page) Mono(name string) template.HTML {
	return template.HTML(`<span class="mono">` + template.HTMLEscapeString(name) + `</span>`)
}

// Person returns a user's label, the user name if it is another text, and the identity provider unless that is empty.
func (pg *page) Person(u center.User, of string) template.HTML {
	out := "<strong>" + template.HTMLEscapeString(u.Label()) + "</strong>"
	if u.UserName != u.Label() {
		out += ` <span class="quiet">(` + template.HTMLEscapeString(u.UserName) + ")</span>"
	}
	if of != "" {
		return pg.T("%s of %s", template.HTML(out), of)
	}
	return template.HTML(out)
}

// Names returns the names of Regions.
func (*page) Names(list []center.Region) string {
	var out []string
	for _, r := range list {
		out = append(out, cmp.Or(r.Label, r.Name))
	}
	return strings.Join(out, ", ")
}

// FindQuery is the query of the search field, for the address of another page with one.
func (pg *page) FindQuery() template.URL {
	if pg.Find == nil || pg.Find.Query == "" {
		return ""
	}
	return template.URL("?" + url.Values{"q": {pg.Find.Query}}.Encode())
}

type regionLink struct {
	center.Region
	Current, Primary bool
	// Accent is the number of the Region's color, by its index, so that it is the same in every portal.
	Accent int
	// Open is the address of the Region's portal for a user who comes from here, or "".
	Open string
	// Heard is the age of that Region's data, as text, or "". Never says that no data has arrived yet.
	Heard       string
	Never       bool
	Unreachable bool
	// State is the Region's state as it is known here, and Notable whether it is another one than active.
	State   template.HTML
	Notable bool
	// Out reports whether an operator took the Region out of rotation.
	Out bool
}

const accents = 6

// regionLinks asks the directory each time, because Regions can change.
func (p *Portal) regionLinks(r *http.Request) []regionLink {
	var out []regionLink
	heard, l, texts, directory := p.peers(), p.place(r), p.theme.Texts(r), p.directory()
	for i, region := range p.cfg.Directory.Regions() {
		link := regionLink{Region: region, Current: region.Name == p.cfg.Region, Primary: i == 0, Accent: i % accents}
		if !link.Current && region.Active() {
			link.Open = p.openURL(l, region)
			if peer, ok := heard[region.Name]; ok {
				link.Heard, link.Never, link.Unreachable = p.since(texts, peer), peer.Heard.IsZero(), peer.cutOff()
			}
		}
		link.State, link.Notable = p.regionState(texts, link, heard)
		if directory != nil {
			_, link.Out = directory.OutOfRotation(region.Name)
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
func (pg *page) Primary() regionLink {
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
	pg.texts, pg.Brand = p.theme.Texts(r), p.brand
	pg.Title = pg.texts.T(pg.Title)
	pg.Here = regionLink{Region: center.Region{Name: p.cfg.Region}, Current: true}
	if i := slices.IndexFunc(all, func(l regionLink) bool { return l.Current }); i >= 0 {
		pg.Here = all[i]
	}
	if pg.User != nil {
		pg.Regions, pg.Operator, pg.Of = all, p.isOperator(*pg.User), p.providerOf(*pg.User)
		pg.Ends, pg.Renew = p.endsSoon(r, pg)
	}
	p.write(w, r, status, name, pg)
}

// write writes a page that is complete.
func (p *Portal) write(w http.ResponseWriter, r *http.Request, status int, name string, pg page) {
	b, err := p.templates.execute(name, pg)
	if err != nil {
		p.log.ErrorContext(r.Context(), "portal: page failed", "page", name, "error", err)
	}
	if b == nil {
		http.Error(w, "The portal could not make this page. Try again in a minute.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b) // fails only if the browser is gone
}
