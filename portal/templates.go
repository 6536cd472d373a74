package portal

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed templates static texts
var files embed.FS

// templates are the pages: the portal's own, and those of Config.Templates.
type templates struct{ builtIn, own map[string]*template.Template }

const layoutName = "layout.html"

// parseTemplates reads the portal's templates, and those of Config.Templates, if any. Each page has the layout. It
// panics if an embedded file is wrong.
func parseTemplates(own fs.FS) (templates, error) {
	sub, err := fs.Sub(files, "templates")
	names, _ := fs.Glob(sub, "*.html")
	if err != nil || len(names) == 0 {
		panic("portal: no templates")
	}
	out := templates{map[string]*template.Template{}, map[string]*template.Template{}}
	var replaced []string
	if own != nil {
		if replaced, err = fs.Glob(own, "*.html"); err != nil {
			return out, &Error{Reason: ReasonConfig, Rule: "Config.Templates", Err: err}
		}
	}
	for _, name := range replaced {
		if !slices.Contains(names, name) {
			return out, badConfig("Config.Templates", "one of "+strings.Join(names, ", "), name)
		}
	}
	from := func(name string) fs.FS {
		if slices.Contains(replaced, name) {
			return own
		}
		return sub
	}
	for _, name := range names {
		if name == layoutName {
			continue
		}
		page := strings.TrimSuffix(path.Base(name), ".html")
		out.builtIn[page] = template.Must(parsePage(sub, sub, name))
		if !slices.Contains(replaced, name) && !slices.Contains(replaced, layoutName) {
			continue
		}
		t, err := parsePage(from(layoutName), from(name), name)
		if err != nil {
			return out, &Error{Reason: ReasonConfig, Rule: "Config.Templates: " + name, Err: err}
		}
		out.own[page] = t
	}
	return out, nil
}

func parsePage(layouts, pages fs.FS, name string) (*template.Template, error) {
	lines := func(list []string) string { return strings.Join(list, "\n") }
	join := func(list []string) string { return strings.Join(list, ", ") }
	t, err := template.New(layoutName).Funcs(template.FuncMap{"lines": lines, "join": join}).ParseFS(layouts, layoutName)
	if err != nil {
		return nil, err
	}
	return t.ParseFS(pages, name)
}

// execute returns a page. If a template of Config.Templates fails, it returns the portal's own page and the error. The
// page is nil if that one fails too.
func (t templates) execute(name string, pg page) ([]byte, error) {
	var failed error
	for _, from := range []map[string]*template.Template{t.own, t.builtIn} {
		if from[name] == nil {
			continue
		}
		var b bytes.Buffer // buffered, so that a failure can become an error response
		err := from[name].Execute(&b, &pg)
		if err == nil {
			return b.Bytes(), failed
		}
		failed = err
	}
	return nil, failed
}

// check executes the templates of Config.Templates with samples.
func (t templates) check(samples map[string][]page) error {
	for name, own := range t.own {
		for _, pg := range samples[name] {
			var b bytes.Buffer
			if err := own.Execute(&b, &pg); err != nil {
				return &Error{Reason: ReasonConfig, Rule: "Config.Templates: " + name + ".html", Err: err}
			}
		}
	}
	return nil
}
