package discovery

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/saml"
)

const (
	maxQuery = 100 // bytes of a search
	maxWords = 8   // of a search
)

// index is the list of identity providers, sorted by name. It never changes.
type index struct {
	version uint64
	entries []entry
	by      map[string]*entry // by entity ID

	feed          sync.Once // sets the rest
	json, gzipped []byte
	etag          string
}

// entry is one identity provider.
type entry struct {
	saml.Description
	sortBy string
	names  string // the words of its names, each after a space, folded as sortBy is
	words  string // those, and the other words that it is found by
}

// newIndex reads the list. If it changes meanwhile, the version is the older one, and the
// next request reads it again.
func newIndex(cfg *Config) *index {
	x := &index{version: cfg.Providers.Version(), by: map[string]*entry{}}
	for d := range cfg.Providers.Descriptions() {
		if d.Hidden || cfg.Filter != nil && !cfg.Filter(d) {
			continue
		}
		x.entries = append(x.entries, newEntry(d))
	}
	slices.SortFunc(x.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.sortBy, b.sortBy), cmp.Compare(a.EntityID, b.EntityID))
	})
	for i := range x.entries {
		x.by[x.entries[i].EntityID] = &x.entries[i]
	}
	return x
}

func newEntry(d saml.Description) entry {
	e := entry{Description: d}
	e.sortBy = fold(e.name(nil))
	for _, name := range d.Names {
		e.names += " " + fold(name.Text)
	}
	if len(d.Names) == 0 {
		e.names = " " + e.sortBy
	}
	e.words = e.names
	for _, k := range d.Keywords {
		e.words += " " + fold(strings.ReplaceAll(k.Text, "+", " "))
	}
	if host := host(d.EntityID); host != "" {
		e.words += " " + host + " " + strings.ReplaceAll(host, ".", " ")
	}
	return e
}

// name returns the name in the first of these languages that it has, or in English, or
// else the first. Without a name it is identity.
func (e *entry) name(languages []string) string {
	return cmp.Or(inLanguage(e.Names, languages), e.identity())
}

// identity is what tells identity providers with the same name apart: the host of the
// entity ID, or the entity ID. It is in ASCII. Otherwise its letters could look like
// those of another one, or change their order.
func (e *entry) identity() string {
	if host := host(e.EntityID); host != "" {
		return host
	}
	var b strings.Builder
	for _, r := range e.EntityID {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			b.WriteString(url.QueryEscape(string(r)))
		}
	}
	return b.String()
}

func inLanguage(texts []saml.LocalizedText, languages []string) string {
	for _, want := range append(slices.Clip(languages), "en") {
		for _, t := range texts {
			if primary(t.Lang) == want {
				return t.Text
			}
		}
	}
	if len(texts) > 0 {
		return texts[0].Text
	}
	return ""
}

// primary returns the language of a tag, such as "de" of "de-AT".
func primary(tag string) string {
	tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
	return tag
}

// host returns the host of a URL, or "" if it is not one of letters and digits in ASCII.
func host(entityID string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:" // colons of IPv6
	u, err := url.Parse(entityID)
	if err != nil || strings.Trim(u.Hostname(), letters) != "" { // before ToLower, which makes a "k" of U+212A
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// search returns the entries with every word of a text. Those with a name that has a word
// which begins with the first word come first. Without a word it returns all.
func (x *index) search(text string) []*entry {
	words := strings.Fields(fold(text))
	words = words[:min(len(words), maxWords)]
	var first, others []*entry
	for i := range x.entries {
		e := &x.entries[i]
		switch {
		case slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(e.words, w) }):
		case len(words) == 0 || strings.Contains(e.names, " "+words[0]):
			first = append(first, e)
		default:
			others = append(others, e)
		}
	}
	return append(first, others...)
}

// base has the letters with marks of the European languages, and the letters that people
// type for them.
var base = strings.NewReplacer(
	"à", "a", "á", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "ā", "a", "ă", "a", "ą", "a", "æ", "ae",
	"ç", "c", "ć", "c", "č", "c", "ď", "d", "đ", "d", "ð", "d", "è", "e", "é", "e", "ê", "e", "ë", "e", "ē", "e",
	"ė", "e", "ę", "e", "ě", "e", "ğ", "g", "ģ", "g", "ì", "i", "í", "i", "î", "i", "ï", "i", "ī", "i", "į", "i",
	"ı", "i", "ķ", "k", "ĺ", "l", "ļ", "l", "ľ", "l", "ł", "l", "ñ", "n", "ń", "n", "ņ", "n", "ň", "n", "ò", "o",
	"ó", "o", "ô", "o", "õ", "o", "ö", "o", "ø", "o", "ő", "o", "œ", "oe", "ŕ", "r", "ř", "r", "ś", "s", "ş", "s",
	"š", "s", "ș", "s", "ß", "ss", "ţ", "t", "ť", "t", "ț", "t", "þ", "th", "ù", "u", "ú", "u", "û", "u", "ü", "u",
	"ū", "u", "ů", "u", "ű", "u", "ų", "u", "ý", "y", "ÿ", "y", "ź", "z", "ż", "z", "ž", "z",
)

// fold returns a text in lower case without marks and punctuation, for comparison.
func fold(text string) string {
	text = base.Replace(strings.ToLower(text))
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsPunct(r) && r != '.' && r != '-' || unicode.Is(unicode.Mn, r)
	}), " ")
}
