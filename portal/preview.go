package portal

import (
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// Preview returns a handler that shows each page with samples of all that it can show, in the browser's language, for
// those who design a theme or templates. It needs no sign-in and shows nothing of the instance. Its buttons do nothing.
// GET / lists the pages. Serve it at an origin of its own, and not to users.
func (p *Portal) Preview() http.Handler {
	samples := p.samples()
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathAssets+"{file}", p.static)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		var names []string
		for _, name := range slices.Sorted(maps.Keys(samples)) {
			for i := range samples[name] {
				names = append(names, name+"/"+strconv.Itoa(i+1))
			}
		}
		p.secure(w)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = previews.Execute(w, names) // fails only if the browser is gone
	})
	mux.HandleFunc("GET /{page}/{number}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("page")
		n, err := strconv.Atoi(r.PathValue("number"))
		list := samples[name]
		if err != nil || n < 1 || n > len(list) {
			http.NotFound(w, r)
			return
		}
		pg := list[n-1]
		pg.texts = p.theme.Texts(r)
		if pg.Tab = ""; pg.User != nil && (name == "accounts" || name == "applications") { // these have the search field
			pg.Tab = name
		}
		p.secure(w)
		p.write(w, r, http.StatusOK, name, pg)
	})
	return mux
}

var previews = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Preview</title>
<ul>{{range .}}<li><a href="/{{.}}">{{.}}</a></li>
{{end}}</ul></html>
`))
