package oktaapi

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
)

// notes are the texts that a page shows after an action, by the value of the query's done.
var notes = map[string]string{
	"saved": "Saved.", "created": "Created.", "deleted": "Deleted.", "activated": "Activated.",
	"deactivated": "Deactivated.", "suspended": "Suspended.", "unlocked": "Unlocked. The user can sign in again.",
	"queued": "Queued for the next sign-in.", "cleared": "Cleared.", "reset": "Everything is as it was at the start.",
	"added": "Added.", "removed": "Removed.", "registered": "Registered.",
	"key": "A key was added. It doesn't sign yet.", "signs": "This key signs now.", "on": "Switched on.",
	"off": "Switched off.", "ended": "The user is signed out here. Service providers weren't told.",
	"advanced": "The clock was set.", "posted": "Posted again. The answer is below.",
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
	Here                     string   // the section of the navigation
	Note                     string   // what was done
	Problem                  string   // of an action on this page
	Notices                  []string // what every page of the identity provider warns of
	Live                     bool     // parts of the page refresh themselves
	URL                      string   // of this page
	Admin                    bool     // signed in
	Tenant                   string   // whose console it is; "" for the Server's own
	AllTenants               string   // the root of the Server's own console
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
	p.Org, p.Root, p.Assets, p.Notices = v.idp.Org(), v.root, v.root+pathAssets, v.idp.Notices()
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

// confirmView asks before something is lost. GET shows it, and its form carries it out by POST at the same path.
type confirmView struct {
	Text   string   // what is lost
	Items  []string // in detail
	Action string   // the path that the form posts to, without the root
	Button string
	Back   string            // the path that Cancel leads to
	Fields map[string]string // what the form sends
	File   bool              // they are large
}

func (v *visit) confirm(here, title string, c confirmView) {
	v.render(http.StatusOK, "confirm", page{Title: title, Here: here, Body: c})
}
