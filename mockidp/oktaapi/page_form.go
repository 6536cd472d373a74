package oktaapi

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// form describes how a page edits a T.
type form[T any] []section[T]

type section[T any] struct {
	title, intro string
	folded       bool // closed, unless one of its inputs has a problem
	inputs       []input[T]
}

// input is one control of a form, or a list of rows.
type input[T any] struct {
	name, label, hint string
	required          bool
	kind              string // text, password, number, area, select or check
	options           []option
	get               func(*T) string
	set               func(*T, string) error
	rows              *rows[T] // instead of get and set
	// words occur in the Server's errors about this input.
	words []string
}

type option struct{ Value, Text string }

// problems holds what is wrong with a form, by the name of the input; "" is the form as a whole.
type problems map[string]string

// Error implements error, so that a function in mockidp.Server.Update can return problems.
func (p problems) Error() string { return fmt.Sprintf("oktaapi: a form has %d problems", len(p)) }

// errChanged reports that the object isn't what the form was made from.
var errChanged = problems{"": "This changed after the form was opened. Your values are below; send them again to " +
	"replace the others."}

func (f form[T]) each(do func(input[T])) {
	for _, s := range f {
		for _, in := range s.inputs {
			do(in)
		}
	}
}

// values returns what the form shows for t.
func (f form[T]) values(t *T) url.Values {
	v := url.Values{}
	f.each(func(in input[T]) {
		if in.rows != nil {
			in.rows.write(v, in.name, in.rows.get(t))
			return
		}
		v.Set(in.name, oneNewline(in.get(t)))
	})
	return v
}

// version identifies the values of t, so that a form doesn't overwrite a change that its user hasn't seen.
func (f form[T]) version(t *T) string {
	sum := sha256.Sum256([]byte(f.values(t).Encode()))
	return hex.EncodeToString(sum[:8])
}

// apply writes the values that differ from those of t into t. An input that is left alone loses nothing, even if its
// text can't express the whole value.
func (f form[T]) apply(t *T, v url.Values) error {
	was, wrong := f.values(t), problems{}
	f.each(func(in input[T]) {
		var err error
		switch {
		case in.rows != nil:
			if sent := in.rows.read(v, in.name); !slices.EqualFunc(sent, in.rows.read(was, in.name), slices.Equal) {
				err = in.rows.set(t, sent)
			}
		case in.kind != "check" && !v.Has(in.name):
		case in.required && strings.TrimSpace(v.Get(in.name)) == "":
			err = errors.New("this is required")
		default:
			if text := oneNewline(v.Get(in.name)); text != was.Get(in.name) {
				err = in.set(t, text)
			}
		}
		if err != nil {
			wrong[in.name] = sentence(err.Error())
		}
	})
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

// change is apply for a form whose field "was" must have the version of t.
func (f form[T]) change(t *T, v url.Values) error {
	if v.Get("was") != f.version(t) {
		return errChanged
	}
	return f.apply(t, v)
}

// place finds the inputs that an error is about.
func (f form[T]) place(err error) problems {
	var p problems
	if err == nil || errors.As(err, &p) {
		return p
	}
	text, at := plain(err), ""
	f.each(func(in input[T]) {
		if at == "" && slices.ContainsFunc(in.words, func(w string) bool { return strings.Contains(text, w) }) {
			at = in.name
		}
	})
	return problems{at: sentence(text)}
}

// plain returns the text of an error without the package's name.
func plain(err error) string {
	var e *mockidp.Error
	if errors.As(err, &e) {
		return strings.TrimPrefix(e.Error(), "mockidp: ")
	}
	return cut(strings.TrimPrefix(err.Error(), "mockidp: "))
}

// sentence begins a text with a capital letter and ends it with a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

// oneNewline undoes the line ends that browsers send.
func oneNewline(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// formView is a form as the templates show it.
type formView struct {
	Was      string // the version, in a hidden field
	Problems []problemView
	Sections []sectionView
}

type problemView struct{ ID, Label, Text string }

type sectionView struct {
	Title, Intro string
	Folded, Open bool
	Inputs       []inputView
}

type inputView struct {
	ID, Name, Label, Hint, Kind, Value, Problem string
	Required                                    bool
	Options                                     []option
	Rows                                        []rowView
	More                                        bool // another row may be added
}

// On reports whether a checkbox is checked.
func (in inputView) On() bool { return in.Value != "" }

// DescribedBy names the elements that explain an input.
func (in inputView) DescribedBy() string {
	var ids []string
	if in.Hint != "" {
		ids = append(ids, in.ID+"-hint")
	}
	if in.Problem != "" {
		ids = append(ids, in.ID+"-problem")
	}
	return strings.Join(ids, " ")
}

// view returns the form with these values.
func (f form[T]) view(was string, v url.Values, wrong problems) formView {
	out := formView{Was: was}
	if text := wrong[""]; text != "" {
		out.Problems = append(out.Problems, problemView{Text: text})
	}
	for _, s := range f {
		shown := sectionView{Title: s.title, Intro: s.intro, Folded: s.folded}
		for _, in := range s.inputs {
			one := inputView{ID: "f-" + in.name, Name: in.name, Label: in.label, Hint: in.hint, Kind: in.kind,
				Value: v.Get(in.name), Problem: wrong[in.name], Required: in.required}
			if in.rows != nil {
				one.Kind, one.Rows, one.More = "rows", in.rows.view(v, in.name), in.rows.more(v, in.name)
			}
			if one.Problem != "" {
				shown.Open = true
				out.Problems = append(out.Problems, problemView{one.ID, one.Label, one.Problem})
			}
			one.Options = withValue(in.kind, in.options, one.Value)
			shown.Open = shown.Open || in.rows != nil && v.Get("row") != "" && strings.HasPrefix(v.Get("row"), in.name+":")
			shown.Inputs = append(shown.Inputs, one)
		}
		out.Sections = append(out.Sections, shown)
	}
	return out
}

// withValue returns the options of a select with the value, which stays selected even if it isn't among them.
func withValue(kind string, list []option, value string) []option {
	if kind != "select" || slices.ContainsFunc(list, func(o option) bool { return o.Value == value }) {
		return list
	}
	return append(slices.Clone(list), option{value, cmp.Or(value, "none")})
}
