package mockidp

import (
	"bytes"
	"embed"
	"hash/fnv"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed templates assets
var embedded embed.FS

// Assets returns the style sheet, the icon and the script of the Server's pages,
// for pages beside them that are to look alike.
func Assets() fs.FS {
	assets, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic("mockidp: " + err.Error()) // the folder is compiled in
	}
	return assets
}

// parsePages makes one template set a page, from files that are compiled in,
// so that a failure is a slip of ours.
func parsePages() map[string]*template.Template {
	out := map[string]*template.Template{}
	for _, name := range []string{"signin", "factor", "dashboard", "app", "post", "error"} {
		out[name] = template.Must(template.ParseFS(embedded, "templates/layout.html", "templates/"+name+".html"))
	}
	return out
}

// page is what every template sees.
type page struct {
	Title  string
	Org    string
	Root   string // what every path of ours begins with
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
	Hint    string

	Failed, Locked, SignedOut bool
	Cancel                    bool // a service provider waits, and can be told

	Attacks []string // that may be chosen for the answer
	Ordered bool     // something else was ordered for it, or is switched on
}

// tile is one app on the dashboard.
type tile struct {
	Words                       []word
	Link, About, Initials, Note string
	Label                       string
	Colour                      int
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
	s.write(w, status, name, p, func(b []byte) []byte { return b })
}

// write is render for a page that a fault may spoil.
func (s *Server) write(w http.ResponseWriter, status int, name string, p page, spoil func([]byte) []byte) {
	p.Org, p.Root, p.Assets = s.config.Org, s.prefix, s.prefix+pathAssets
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		s.config.Logger.Error("mockidp: a page failed", "page", name, "error", err)
		http.Error(w, "mockidp: a page failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	out := spoil(b.Bytes())
	w.WriteHeader(status)
	_, _ = w.Write(out)
}

func (s *Server) signInPage(w http.ResponseWriter, _ *http.Request, status int, body signIn) {
	body.Hint = s.config.Hint
	if body.Login == "" && body.User != nil {
		body.Login = body.User.Login
	}
	if body.App != nil && body.App.Kind == SAML {
		body.Attacks, body.Ordered = s.config.Mutations, s.mutations.ordered(body.App.ID)
	}
	if body.App != nil && body.App.Kind == Bookmark {
		// Browsers hold form-action against every redirect that follows the
		// form, and a bookmark leads wherever its application leads.
		w.Header().Set("Content-Security-Policy", policy(""))
	}
	s.render(w, status, "signin", page{Title: "Sign in", Body: body})
}

// dashboardPage shows the tiles whose label has what is searched for. The
// search is a form that is sent by GET, so it needs no script.
func (s *Server) dashboardPage(w http.ResponseWriter, r *http.Request, st *state, u *User) {
	search := strings.TrimSpace(cut(r.URL.Query().Get("q")))
	var tiles []tile
	assigned := 0
	for _, a := range st.apps {
		if !a.openTo(u) {
			continue
		}
		assigned++
		if strings.Contains(strings.ToLower(a.Label), strings.ToLower(search)) {
			tiles = append(tiles, s.tile(a))
		}
	}
	s.render(w, http.StatusOK, "dashboard", page{Title: "My Apps", User: u, Body: struct {
		Tiles    []tile
		Login    string
		Search   string
		Assigned int
	}{tiles, u.Login, search, assigned}})
}

func (s *Server) tile(a *App) tile {
	h := fnv.New32a()
	_, _ = h.Write([]byte(a.Label))
	t := tile{Words: words(a.Label), Label: a.Label, Initials: initials(a.Label), Colour: int(h.Sum32() % 6), About: s.prefix + appPath(a)}
	t.Link, t.Note = s.prefix+s.tilePath(a), "SAML 2.0"
	if a.Kind == Bookmark {
		t.Note = "Bookmark"
	}
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
