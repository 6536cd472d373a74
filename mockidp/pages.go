package mockidp

import (
	"bytes"
	"embed"
	"hash/fnv"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed templates assets
var embedded embed.FS

// parsePages makes one template set a page, from files that are compiled in,
// so that a failure is a slip of ours.
func parsePages() map[string]*template.Template {
	out := map[string]*template.Template{}
	for _, name := range []string{"signin", "dashboard", "post", "error"} {
		out[name] = template.Must(template.ParseFS(embedded, "templates/layout.html", "templates/"+name+".html"))
	}
	return out
}

// page is what every template sees.
type page struct {
	Title  string
	Org    string
	Assets string
	User   *User // whose name the header shows, or nil
	Body   any
	Script bool // load the script that submits the form
}

// signIn is the sign-in page's body.
type signIn struct {
	Pending string // key of the sign-in that waits, or ""
	App     *App   // what it is for, or nil
	Login   string // what was typed
	User    *User  // who is signed in but must prove it again, or nil
	Failed  bool
	Hint    string
}

// tile is one app on the dashboard.
type tile struct {
	Words                []word
	Link, Initials, Note string
	Colour               int
}

// word is a part of a label. A short one isn't broken: "us-east-1" reads badly
// over two lines.
type word struct {
	Text  string
	Whole bool
}

func words(label string) []word {
	var out []word
	for _, w := range strings.Fields(label) {
		if last := len(out) - 1; last >= 0 && (w == "–" || w == "—" || w == "-") {
			out[last].Text += "\u00a0" + w // no line begins with a dash
			continue
		}
		out = append(out, word{w, utf8.RuneCountInString(w) <= 16})
	}
	return out
}

// render writes a page, or a plain 500 if the template fails: never half a page.
func (s *Server) render(w http.ResponseWriter, status int, name string, p page) {
	p.Org, p.Assets = s.config.Org, pathAssets
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		s.config.Logger.Error("mockidp: a page failed", "page", name, "error", err)
		http.Error(w, "mockidp: a page failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func (s *Server) signInPage(w http.ResponseWriter, _ *http.Request, status int, body signIn) {
	body.Hint = s.config.Hint
	if body.Login == "" && body.User != nil {
		body.Login = body.User.Login
	}
	if body.App != nil && body.App.Kind == Bookmark {
		// Browsers hold form-action against every redirect that follows the
		// form, and a bookmark leads wherever its application leads.
		w.Header().Set("Content-Security-Policy", policy(""))
	}
	s.render(w, status, "signin", page{Title: "Sign in", Body: body})
}

func (s *Server) dashboardPage(w http.ResponseWriter, _ *http.Request, st *state, u *User) {
	var tiles []tile
	for _, a := range st.apps {
		if a.assignedTo(u) {
			tiles = append(tiles, s.tile(a))
		}
	}
	s.render(w, http.StatusOK, "dashboard", page{Title: "My Apps", User: u, Body: struct {
		Tiles []tile
		Login string
	}{tiles, u.Login}})
}

func (s *Server) tile(a *App) tile {
	h := fnv.New32a()
	_, _ = h.Write([]byte(a.Label))
	t := tile{Words: words(a.Label), Initials: initials(a.Label), Colour: int(h.Sum32() % 6)}
	if a.Kind == Bookmark {
		t.Link, t.Note = "/home/bookmark/"+url.PathEscape(a.ID), "Bookmark"
		return t
	}
	t.Link, t.Note = "/app/"+a.Name+"/"+a.ExternalKey+"/sso/saml", "SAML 2.0"
	return t
}

// initials are the first letters of the first two words.
func initials(label string) string {
	var out []rune
	for _, part := range strings.FieldsFunc(label, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(out) < 2 {
			out = append(out, unicode.ToUpper([]rune(part)[0]))
		}
	}
	return string(out)
}

// post sends the browser to the service provider with an answer. The address
// is the form's, which comes from the app's list; the page needs no script,
// because its button is always there.
func (s *Server) post(w http.ResponseWriter, r *http.Request, app *App, form Form, err *Error) {
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	// No form-action: the service provider redirects on to where it likes,
	// and browsers would hold the policy against that as well.
	w.Header().Set("Content-Security-Policy", policy(""))
	s.render(w, http.StatusOK, "post", page{Title: "Signing in to " + app.Label, Script: true, Body: struct {
		Form
		Label string
	}{form, app.Label}})
}

// refuse is the page that says no, and why: this is a mock, and the reader is
// most often the one who has to mend the request.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err *Error) {
	s.config.Logger.Warn("mockidp: refused", "reason", err.Reason, "path", cut(r.URL.Path), "error", err.Error())
	title := "This request can't be answered"
	switch err.status() {
	case http.StatusForbidden:
		title = "You don't have access to this app"
	case http.StatusNotFound:
		title = "Not found"
	}
	_, user := s.sessionOf(r, s.state.Load())
	body := struct {
		Status                         int
		Reason                         Reason
		Detail, Want, Got, Underneath  string
		Compared, SignedIn, Assignment bool
	}{Status: err.status(), Reason: err.Reason, Detail: sentence(err.Detail), Want: cut(err.Want), Got: cut(err.Got),
		Compared: err.Want != "" || err.Got != "", SignedIn: user != nil, Assignment: err.Reason == ReasonNotAssigned}
	if err.Err != nil {
		body.Underneath = cut(strings.TrimPrefix(err.Err.Error(), "mockidp: "))
	}
	s.render(w, err.status(), "error", page{Title: title, User: user, Body: body})
}

func sentence(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return s
	}
	r[0] = unicode.ToUpper(r[0])
	return string(r) + "."
}
