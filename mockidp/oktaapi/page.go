package oktaapi

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

const (
	pathAssets = "/assets/"
	maxLogin   = 64 << 10 // bytes of a form by a client who isn't signed in
	maxForm    = 1 << 20  // bytes of a form
)

//go:embed templates assets
var embedded embed.FS

// parsePages parses a template set for each page, with the layout and the parts that pages share.
func parsePages() map[string]*template.Template {
	out := map[string]*template.Template{}
	names, err := fs.Glob(embedded, "templates/page_*.html")
	if err != nil {
		panic("oktaapi: " + err.Error()) // the pattern is constant
	}
	for _, file := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/page_"), ".html")
		set := template.New(name).Option("missingkey=error").Funcs(pageFuncs)
		out[name] = template.Must(set.ParseFS(embedded, "templates/layout.html", "templates/parts.html", file))
	}
	return out
}

// visit is one request for a page of the console, with a snapshot of the state.
type visit struct {
	*API
	view
	w    http.ResponseWriter
	r    *http.Request
	form url.Values // of a POST
	root string     // what precedes every path of the console: "", or the prefix that http.StripPrefix removed
	at   string     // the path and query that show this page again, after a POST elsewhere; "" for those of the request
}

func (s *API) visit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{API: s, view: s.view(), w: w, r: r, root: prefixOf(r)}
}

// prefixOf returns what was removed from the beginning of the request's path.
func prefixOf(r *http.Request) string {
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		if prefix, ok := strings.CutSuffix(u.EscapedPath(), r.URL.EscapedPath()); ok {
			return prefix
		}
	}
	return ""
}

// pages registers the console. A user enters the token once and gets a cookie for it that no other site's page can
// use.
func (s *API) pageRoutes(mux *http.ServeMux) {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.visit(w, r).fail(http.StatusForbidden, "Another site's page sent this form.")
	}))
	get := func(path string, h func(*visit)) { mux.HandleFunc("GET "+path, s.signedIn(h)) }
	postUpTo := func(most int64) pageRouter {
		return func(path string, h func(*visit)) {
			mux.Handle("POST "+path, protection.Handler(s.signedIn(func(v *visit) {
				if v.readForm(most) {
					h(v)
				}
			})))
		}
	}
	post := postUpTo(maxForm)
	mux.Handle("GET "+pathAssets, http.StripPrefix(pathAssets, http.FileServerFS(mockidp.Assets())))
	for _, own := range []string{"admin.css", "admin.js"} {
		mux.Handle("GET "+pathAssets+own, http.FileServerFS(embedded))
	}
	mux.Handle("POST /login", protection.Handler(http.HandlerFunc(s.login)))
	post("/logout", func(v *visit) {
		v.setCookie(v.w, v.r, "", -1)
		v.to("/", "")
	})
	overviewRoutes(get, post)
	appPageRoutes(get, post)
	peopleRoutes(get, post)
	groupPageRoutes(get, post)
	keyPageRoutes(get, post)
	messagePageRoutes(get, post)
	attackPageRoutes(get, post)
	configPageRoutes(get, postUpTo(maxConfig))
	if s.prefix == "" {
		tenantPageRoutes(get, post)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.visit(w, r).fail(http.StatusNotFound, "There is no such page.")
	})
}

// pageRouter registers a page's handler.
type pageRouter = func(path string, h func(*visit))

// cookie returns the session cookie, which is derived from the token: a new token ends the session, and the
// cookie doesn't reveal the token. The name differs between servers, because cookies ignore ports.
func (s *API) cookie() (name, value string) {
	sum := sha256.Sum256([]byte("mockidp control page\x00" + s.token))
	return "mockidp_control_" + hex.EncodeToString(sum[:4]), hex.EncodeToString(sum[4:])
}

// hasCookie reports whether a request has the session cookie.
func (s *API) hasCookie(r *http.Request) bool {
	name, value := s.cookie()
	c, err := r.Cookie(name)
	return err == nil && same(value, c.Value)
}

func (s *API) setCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	name, _ := s.cookie()
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true,
		Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
}

func (s *API) signedIn(h func(*visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.visit(w, r)
		if !s.hasCookie(r) {
			v.loginPage(false)
			return
		}
		h(v)
	}
}

func (s *API) login(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r)
	r.Body = http.MaxBytesReader(w, r.Body, maxLogin)
	if r.ParseForm() != nil || !same(s.token, r.PostForm.Get("token")) {
		v.loginPage(true)
		return
	}
	_, value := s.cookie()
	s.setCookie(w, r, value, 0)
	v.to("/", "")
}

func (v *visit) loginPage(wrongToken bool) {
	v.render(http.StatusUnauthorized, "login", page{Title: "Admin Console", Body: wrongToken})
}

// readForm reads a form of at most this many bytes, also one with a file. If it fails, it shows an error.
func (v *visit) readForm(most int64) bool {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, most)
	var err error
	if strings.HasPrefix(v.r.Header.Get("Content-Type"), "multipart/form-data") {
		err = v.r.ParseMultipartForm(most)
	} else {
		err = v.r.ParseForm()
	}
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		v.fail(http.StatusRequestEntityTooLarge, "The form is too large.")
		return false
	case err != nil:
		v.fail(http.StatusBadRequest, "The form can't be read: "+cut(err.Error())+".")
		return false
	}
	v.form = v.r.PostForm
	return true
}

// notes are the texts that a page shows after an action, by the value of the query's done.
var notes = map[string]string{
	"saved": "Saved.", "created": "Created.", "deleted": "Deleted.", "activated": "Activated.",
	"deactivated": "Deactivated.", "suspended": "Suspended.", "unlocked": "Unlocked. The user can sign in again.",
	"queued": "Queued for the next sign-in.", "cleared": "Cleared.", "reset": "Everything is as it was at the start.",
	"added": "Added.", "removed": "Removed.", "registered": "Registered.",
	"key": "A key was added. It doesn't sign yet.", "signs": "This key signs now.", "on": "Switched on.",
	"off": "Switched off.", "advanced": "The clock was set.", "posted": "Posted again. The answer is below.",
	"imported": "The configuration was replaced.",
}

// to redirects to a path of the console, where note names what was done.
func (v *visit) to(path, note string) {
	if note != "" {
		path += "?done=" + note
	}
	http.Redirect(v.w, v.r, cmp.Or(v.root, "")+path, http.StatusSeeOther)
}

func (v *visit) fail(status int, text string) {
	v.render(status, "error", page{Title: cmp.Or(map[int]string{http.StatusNotFound: "Not found"}[status],
		"The request failed"), Body: text})
}

// notFound shows that an object is missing.
func (v *visit) notFound(what string) {
	v.fail(http.StatusNotFound, "There is no such "+what+". It may have been removed.")
}

// page is the data of every template.
type page struct {
	Title, Org, Root, Assets string
	Here                     string // the section of the navigation
	Note                     string // what was done
	Problem                  string // of an action on this page
	Live                     bool   // parts of the page refresh themselves
	URL                      string // of this page
	Admin                    bool   // signed in
	Tenant                   string // whose console it is; "" for the Server's own
	AllTenants               string // the root of the Server's own console
	Sections                 []navLink
	Body                     any

	form url.Values
}

// Typed returns what was typed into an input of a form that was refused.
func (p page) Typed(name string) string { return p.form.Get(name) }

type navLink struct {
	Path, Text string
	Current    bool
}

var sections = []navLink{
	{Path: "/", Text: "Overview"}, {Path: "/apps", Text: "Apps"}, {Path: "/people", Text: "People"},
	{Path: "/groups", Text: "Groups"}, {Path: "/keys", Text: "Keys"}, {Path: "/messages", Text: "Messages"},
	{Path: "/attacks", Text: "Attacks and faults"}, {Path: "/configuration", Text: "Configuration"},
	{Path: "/tenants", Text: "Tenants"},
}

// shows says which page answers a form that was refused.
func (v *visit) shows(path string) {
	if v.r.Method == http.MethodPost {
		v.at = path
	}
}

// address returns the URL that shows this page again, with a changed query.
func (v *visit) address(change func(url.Values)) string {
	u, err := url.Parse(cmp.Or(v.at, v.r.URL.RequestURI()))
	if err != nil {
		return v.root + "/"
	}
	q := u.Query()
	q.Del("done")
	if change != nil {
		change(q)
	}
	u.RawQuery = q.Encode()
	return v.root + u.RequestURI()
}

func (v *visit) render(status int, name string, p page) {
	p.Org, p.Root, p.Assets = v.idp.Org(), v.root, v.root+pathAssets
	p.URL, p.form = v.address(nil), v.form
	p.Note = cmp.Or(p.Note, notes[v.r.URL.Query().Get("done")])
	p.Admin, p.Tenant, p.AllTenants = name != "login" && v.hasCookie(v.r), v.idp.TenantName(),
		strings.TrimSuffix(v.root, v.prefix)
	for _, l := range sections {
		if l.Path == "/tenants" && v.prefix != "" {
			continue
		}
		l.Current = l.Path == p.Here
		p.Sections = append(p.Sections, l)
	}
	var b bytes.Buffer
	if err := v.pages[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		v.logger.Error("oktaapi: rendering a page failed", "page", name, "error", err)
		http.Error(v.w, "oktaapi: rendering a page failed", http.StatusInternalServerError)
		return
	}
	// The script that refreshes a page asks whether it changed.
	sum := sha256.Sum256(b.Bytes())
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	v.w.Header().Set("ETag", tag)
	if status == http.StatusOK && v.r.Header.Get("If-None-Match") == tag {
		v.w.WriteHeader(http.StatusNotModified)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b.Bytes())
}
