package discovery

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

const (
	perPage      = 20
	maxLanguages = 8
	logoWidth    = 80 // pixels
	logoHeight   = 40
	logoData     = 16 << 10 // bytes of a logo in the page itself

	cookieName = "__Host-meridian-idp"
	cookieAge  = 180 * 24 * 60 * 60
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var style string

var pages = template.Must(template.New("").Parse(pageHTML))

// contentPolicy allows the one style, images by reference, and no script.
func contentPolicy(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; img-src https: data:; " +
		"style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// ServeHTTP handles a service provider's request, and the links of the page.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	query := r.URL.Query()
	q, err := p.readRequest(query)
	if err != nil {
		p.cfg.Logger.WarnContext(r.Context(), "discovery: request refused", "error", err)
		p.write(w, http.StatusBadRequest, view{PageLook: p.theme.PageLook(r), Service: p.cfg.Service})
		return
	}
	x := p.current()
	remembered := x.by[rememberedBy(r)]
	switch {
	case q.passive && remembered != nil:
		q.answer(w, remembered.EntityID)
	case q.passive:
		q.answer(w, "")
	case ownLink(r) && query.Get("forget") != "":
		remember(w, "", -1)
		w.Header().Set("Location", q.link("q", query.Get("q")))
		w.WriteHeader(http.StatusSeeOther)
	case ownLink(r) && x.by[query.Get("idp")] != nil:
		remember(w, query.Get("idp"), cookieAge)
		q.answer(w, query.Get("idp"))
	default:
		p.write(w, http.StatusOK, p.view(x, q, r, remembered))
	}
}

// ownLink reports whether the request can be a click on a link of the page (Fetch
// Metadata). A link of another site doesn't choose, and a prefetch changes nothing. Nor
// does an image: the page itself loads logos, whose addresses the identity providers
// choose.
func ownLink(r *http.Request) bool {
	is := func(header, want string) bool {
		got := r.Header.Get(header)
		return got == "" || got == want
	}
	return r.Method == http.MethodGet && is("Sec-Fetch-Site", "same-origin") && is("Sec-Fetch-Mode", "navigate") &&
		is("Sec-Fetch-Dest", "document") && r.Header.Get("Sec-Purpose") == ""
}

// rememberedBy returns the entity ID in the browser's cookie. It is used only if it is in
// the list.
func rememberedBy(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	id, _ := base64.RawURLEncoding.DecodeString(c.Value)
	return string(id)
}

func remember(w http.ResponseWriter, entityID string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: base64.RawURLEncoding.EncodeToString([]byte(entityID)), Path: "/", MaxAge: age,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// view is the data of the page. Without Request, it says that the request is invalid.
type view struct {
	acs.PageLook
	Service    string
	Request    *request
	Query      string
	Remembered *choice
	Forget     string // link
	Choices    []choice
	Found      string // how many
	Page, Last int
	Previous   string // links
	Next       string
	All        string
}

// CSS returns the style sheet, with the theme's colors.
func (v view) CSS() template.CSS { return template.CSS(style + v.Style) }

// Fields are the parameters that the search form keeps.
func (v view) Fields() [][2]string {
	return [][2]string{
		{"entityID", v.Request.entityID}, {"return", v.Request.back}, {"returnIDParam", v.Request.param},
	}
}

// choice is one identity provider on the page.
type choice struct {
	Link, Name, Detail string
	Logo               *saml.Logo // nil: none
}

// Source returns the logo's address, which is https or an image's data: see saml.Logo.
func (c choice) Source() template.URL { return template.URL(c.Logo.URL) }

func (p *Page) view(x *index, q *request, r *http.Request, remembered *entry) view {
	text := r.URL.Query().Get("q")
	text = strings.ToValidUTF8(text[:min(len(text), maxQuery)], "")
	languages := acceptLanguages(r)
	found := x.search(text)
	v := view{
		PageLook: p.theme.PageLook(r), Service: p.cfg.Service, Request: q, Query: text, All: q.link(),
		Last: max(1, (len(found)+perPage-1)/perPage), Found: thousands(len(found)), Page: 1,
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil {
		v.Page = max(1, min(n, v.Last))
	}
	for _, e := range found[(v.Page-1)*perPage : min(v.Page*perPage, len(found))] {
		v.Choices = append(v.Choices, p.choice(e, q, languages))
	}
	if v.Page > 1 {
		v.Previous = q.link("q", text, "page", strconv.Itoa(v.Page-1))
	}
	if v.Page < v.Last {
		v.Next = q.link("q", text, "page", strconv.Itoa(v.Page+1))
	}
	if remembered != nil {
		c := p.choice(remembered, q, languages)
		v.Remembered, v.Forget = &c, q.link("q", text, "forget", "1")
	}
	return v
}

// choice shows an identity provider with the host of its entity ID, because names are
// chosen by the identity providers and need not be unique.
func (p *Page) choice(e *entry, q *request, languages []string) choice {
	c := choice{Link: q.link("idp", e.EntityID), Name: e.name(languages), Detail: e.identity()}
	if c.Detail == c.Name {
		c.Detail = ""
	}
	if !p.cfg.NoLogos {
		c.Logo = e.logo()
	}
	return c
}

// logo returns the logo that fits best, in the size in which it is shown.
func (e *entry) logo() *saml.Logo {
	var best *saml.Logo
	off := func(l *saml.Logo) int { return max(l.Height-logoHeight, logoHeight-l.Height) }
	for i := range e.Logos {
		l := &e.Logos[i]
		if strings.HasPrefix(l.URL, "data:") && len(l.URL) > logoData {
			continue
		}
		if best == nil || off(l) < off(best) {
			best = l
		}
	}
	if best == nil {
		return nil
	}
	fit := *best
	if fit.Width > logoWidth {
		fit.Width, fit.Height = logoWidth, max(1, fit.Height*logoWidth/fit.Width)
	}
	if fit.Height > logoHeight {
		fit.Width, fit.Height = max(1, fit.Width*logoHeight/fit.Height), logoHeight
	}
	return &fit
}

// acceptLanguages returns the user's languages in order, whatever their weights: browsers
// send them in order of preference.
func acceptLanguages(r *http.Request) (out []string) {
	for item := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(item, ";")
		if out = append(out, primary(strings.TrimSpace(tag))); len(out) == maxLanguages {
			break
		}
	}
	return out
}

// thousands writes a number as "10,000".
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (p *Page) write(w http.ResponseWriter, status int, v view) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "page", &v); err != nil { // can't happen with this template
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // net/http drops it for HEAD
}
