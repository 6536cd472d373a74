package theme

import (
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// Texts are the texts in one language. They are safe for concurrent use.
type Texts struct {
	tag     language.Tag
	catalog catalog.Catalog
	entries map[string]entry // those of the catalog, by key
}

// maxAcceptLanguage is the longest Accept-Language that is read, and maxLanguages how many languages of it count: the
// first ones, which browsers put in the order of preference. Those of browsers are much shorter.
const (
	maxAcceptLanguage = 512
	maxLanguages      = 10
)

// Texts returns the texts in the language that suits a browser best: English if it accepts none of the others.
func (t *Theme) Texts(r *http.Request) *Texts {
	accept := r.Header.Get("Accept-Language")
	if accept == "" || len(accept) > maxAcceptLanguage {
		return t.texts[0]
	}
	list := strings.SplitN(accept, ",", maxLanguages+1)
	tags, _, err := language.ParseAcceptLanguage(strings.Join(list[:min(len(list), maxLanguages)], ","))
	if err != nil {
		return t.texts[0]
	}
	_, i, _ := t.matcher.Match(tags...)
	return t.texts[i]
}

// Language returns the language as in the attribute lang: "en", "pt-BR".
func (t *Texts) Language() string { return t.tag.String() }

// Dir returns the direction of writing as in the attribute dir: "ltr" or "rtl".
func (t *Texts) Dir() string {
	switch script, _ := t.tag.Script(); script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg":
		return "rtl"
	}
	return "ltr"
}

// T returns the text of a key, the English form, with its values as in package fmt. It is plain text. Without values
// the key can be any text.
func (t *Texts) T(key string, values ...any) string {
	// A printer costs more than most texts, which have no number and so no plural.
	e, known := t.entries[key]
	if !known {
		e.text = key
	}
	if e.forms == nil && (known || t.tag == language.English) {
		switch {
		case len(values) == 0 && !strings.Contains(e.text, "%"):
			return e.text
		case len(values) > 0 && !slices.ContainsFunc(values, func(v any) bool { _, ok := v.(string); return !ok }):
			return fmt.Sprintf(e.text, values...)
		}
	}
	if len(values) == 0 && strings.Contains(key, "%") {
		format := message.Key(key, strings.ReplaceAll(key, "%", "%%"))
		return message.NewPrinter(t.tag, message.Catalog(t.catalog)).Sprintf(format)
	}
	return message.NewPrinter(t.tag, message.Catalog(t.catalog)).Sprintf(key, values...)
}

// HTML returns the text of a key for a template. The text and its values are escaped, except values of type
// template.HTML. In templates it is the function t.
func (t *Texts) HTML(key string, values ...any) template.HTML {
	// A private character stands for each text until the rest is escaped.
	marked, replace := slices.Clone(values), []string(nil)
	for i, v := range values {
		mark := string(rune(0xE000 + i))
		switch v := v.(type) {
		case template.HTML:
			replace = append(replace, mark, string(v))
		case string:
			replace = append(replace, mark, html.EscapeString(v))
		case fmt.Stringer:
			replace = append(replace, mark, html.EscapeString(v.String()))
		default:
			continue
		}
		marked[i] = mark
	}
	out := escapeText.Replace(t.T(key, marked...))
	if replace != nil {
		out = strings.NewReplacer(replace...).Replace(out)
	}
	return template.HTML(out)
}

// escapeText leaves quotes, as package html/template does in its own text. In an attribute the template escapes them.
var escapeText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// entry is a translation: one text, or those of a plural.
type entry struct {
	text  string
	forms map[string]string
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *entry) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &e.text)
	}
	return json.Unmarshal(raw, &e.forms)
}

// message returns the entry for the catalog.
func (e entry) message() catalog.Message {
	if e.forms == nil {
		return catalog.String(e.text)
	}
	var cases []any
	for _, form := range [...]string{"zero", "one", "two", "few", "many", "other"} {
		if text, ok := e.forms[form]; ok {
			cases = append(cases, form, text)
		}
	}
	return plural.Selectf(1, "%d", cases...)
}

var (
	verb        = regexp.MustCompile(`%(\[\d+\])?[a-zA-Z]`)
	pluralForms = regexp.MustCompile(`^(zero|one|two|few|many|other)$`)
)

// check returns an error unless the translation has the values of its key.
func (e entry) check(rule, key string) error {
	texts := []string{e.text}
	if e.forms != nil {
		texts = nil
		for form, text := range e.forms {
			if !pluralForms.MatchString(form) {
				return &Error{Reason: ReasonTexts, Rule: rule, Want: "a plural form of CLDR", Got: form}
			}
			texts = append(texts, text)
		}
		if e.forms["other"] == "" || !strings.Contains(key, "%d") {
			return &Error{Reason: ReasonTexts, Rule: rule, Want: `a key with %d and a form "other"`, Got: key}
		}
	}
	want := values(key)
	for _, text := range texts {
		got := values(text)
		ok := slices.Equal(got, want)
		if e.forms != nil { // a form such as "one" needs no number
			ok = !slices.ContainsFunc(got, func(v string) bool { return !slices.Contains(want, v) })
		}
		if !ok || text == "" {
			return &Error{
				Reason: ReasonTexts, Rule: rule, Want: "the values " + strings.Join(want, ", ") + " of the key", Got: text,
			}
		}
	}
	return nil
}

// values returns the values in a text, sorted: "[1]s", "[2]d".
func values(text string) []string {
	var out []string
	for i, v := range verb.FindAllString(strings.ReplaceAll(text, "%%", ""), -1) {
		if v[1] != '[' {
			v = fmt.Sprintf("%%[%d]%s", i+1, v[1:])
		}
		out = append(out, v)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// parseTexts reads catalogs. A later file system's entries replace an earlier one's.
func (t *Theme) parseTexts(from []fs.FS) error {
	all := map[language.Tag]map[string]entry{language.English: {}}
	for _, files := range from {
		names, err := fs.Glob(files, "*.json")
		if err != nil {
			return &Error{Reason: ReasonTexts, Rule: "catalogs", Err: err}
		}
		for _, name := range names {
			if err := readTexts(files, name, all); err != nil {
				return err
			}
		}
	}
	builder, tags := catalog.NewBuilder(catalog.Fallback(language.English)), []language.Tag{language.English}
	for tag, entries := range all {
		if tag != language.English {
			tags = append(tags, tag)
			for key, e := range all[language.English] { // a plural of English is better than the key
				if _, ok := entries[key]; !ok {
					entries[key] = e
				}
			}
		}
		for key, e := range entries {
			if err := builder.Set(tag, key, e.message()); err != nil {
				return &Error{Reason: ReasonTexts, Rule: tag.String() + ".json: " + key, Err: err}
			}
		}
	}
	slices.SortFunc(tags[1:], func(a, b language.Tag) int { return strings.Compare(a.String(), b.String()) })
	t.matcher = language.NewMatcher(tags)
	for _, tag := range tags {
		t.texts = append(t.texts, &Texts{tag, builder, all[tag]})
	}
	return nil
}

func readTexts(files fs.FS, name string, all map[language.Tag]map[string]entry) error {
	tag, err := language.Parse(strings.TrimSuffix(path.Base(name), ".json"))
	if err != nil {
		return &Error{Reason: ReasonTexts, Rule: name, Want: "the name of a language, such as de.json", Got: name, Err: err}
	}
	raw, err := fs.ReadFile(files, name)
	var entries map[string]entry
	if err == nil {
		err = json.Unmarshal(raw, &entries)
	}
	if err != nil {
		return &Error{Reason: ReasonTexts, Rule: name, Err: err}
	}
	if all[tag] == nil {
		all[tag] = map[string]entry{}
	}
	for key, e := range entries {
		if err := e.check(name+": "+key, key); err != nil {
			return err
		}
		all[tag][key] = e
	}
	return nil
}
