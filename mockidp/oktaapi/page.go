package oktaapi

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/mockidp"
)

const (
	pathAssets = "/assets/"
	maxForm    = 64 << 10 // bytes
)

//go:embed templates assets
var embedded embed.FS

// parsePages parses a template set for each page, with the layout.
func parsePages() map[string]*template.Template {
	out := map[string]*template.Template{}
	for _, name := range []string{"login", "overview", "message", "error"} {
		set := template.New(name).Option("missingkey=error").Funcs(pageFuncs)
		out[name] = template.Must(set.ParseFS(embedded, "templates/layout.html", "templates/"+name+".html"))
	}
	return out
}

// pageRoutes has the control page. A user enters the token once and gets a cookie for it that no other site's
// page can use.
func (s *API) pageRoutes(mux *http.ServeMux) {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.errorPage(w, http.StatusForbidden, "Another site's page sent this form.")
	}))
	post := func(path string, h http.HandlerFunc) { mux.Handle("POST "+path, protection.Handler(h)) }
	mux.Handle("GET "+pathAssets, http.StripPrefix(pathAssets, http.FileServerFS(mockidp.Assets())))
	mux.Handle("GET "+pathAssets+"admin.css", http.FileServerFS(embedded))
	post("/login", s.login)
	post("/logout", func(w http.ResponseWriter, r *http.Request) {
		s.setCookie(w, r, "", -1)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	post("/actions/{action}", s.signedIn(s.action))
	mux.HandleFunc("GET /{$}", s.signedIn(s.overview))
	mux.HandleFunc("GET /messages/{id}", s.signedIn(s.messagePage))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.errorPage(w, http.StatusNotFound, "There is no such page.")
	})
}

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

func (s *API) signedIn(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.hasCookie(r) {
			s.loginPage(w, false)
			return
		}
		h(w, r)
	}
}

func (s *API) login(w http.ResponseWriter, r *http.Request) {
	v, err := readForm(w, r)
	if err != nil || !same(s.token, v.Get("token")) {
		s.loginPage(w, true)
		return
	}
	_, value := s.cookie()
	s.setCookie(w, r, value, 0)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *API) loginPage(w http.ResponseWriter, wrongToken bool) {
	s.render(w, http.StatusUnauthorized, "login", page{Title: "Control page", Body: wrongToken})
}

func (s *API) errorPage(w http.ResponseWriter, status int, text string) {
	s.render(w, status, "error", page{Title: "The request failed", Body: text})
}

// page is the data of every template.
type page struct {
	Title, Org, Assets string
	Admin              bool // signed in
	Body               any
}

func (s *API) render(w http.ResponseWriter, status int, name string, p page) {
	p.Org, p.Assets = s.idp.Org(), pathAssets
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		s.logger.Error("oktaapi: rendering a page failed", "page", name, "error", err)
		http.Error(w, "oktaapi: rendering a page failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	return r.PostForm, err
}
