package oktaapi

import (
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
	base := template.New("page").Option("missingkey=error").Funcs(pageFuncs)
	template.Must(base.ParseFS(embedded, "templates/layout.html", "templates/parts.html"))
	for _, file := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/page_"), ".html")
		out[name] = template.Must(template.Must(base.Clone()).ParseFS(embedded, file))
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
