package oktaapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// rows is a list in a form, such as the assertion consumer services of an app. Its buttons add, move and remove a row
// without saving; the server does that, so no script is needed.
type rows[T any] struct {
	columns []column
	most    int
	get     func(*T) [][]string
	set     func(*T, [][]string) error
}

type column struct {
	name, label, kind string // kind as in input
	options           []option
}

// listRows edits a list of E. A row that is left alone stays the same E, even if its cells can't express all of it.
func listRows[T, E any](most int, columns []column, list func(*T) []E, put func(*T, []E), encode func(E) []string,
	decode func([]string) (E, error)) *rows[T] {
	cells := func(e E) []string { return shown(encode(e), oneNewline) }
	return &rows[T]{columns: columns, most: most,
		get: func(t *T) [][]string { return shown(list(t), cells) },
		set: func(t *T, sent [][]string) error {
			old, next := list(t), []E(nil)
			for i, row := range sent {
				same := func(e E) bool { return slices.Equal(cells(e), row) }
				if k := slices.IndexFunc(old, same); k >= 0 {
					next = append(next, old[k])
					continue
				}
				e, err := decode(row)
				if err != nil {
					return fmt.Errorf("row %d: %w", i+1, err)
				}
				next = append(next, e)
			}
			put(t, next)
			return nil
		},
	}
}

// read returns the rows of a form that aren't blank.
func (l *rows[T]) read(v url.Values, name string) [][]string {
	return slices.DeleteFunc(l.all(v, name), l.blank)
}

func (l *rows[T]) all(v url.Values, name string) [][]string {
	var out [][]string
	for i := range v[name+"."+l.columns[0].name] {
		var cells []string
		for _, c := range l.columns {
			cell := ""
			if list := v[name+"."+c.name]; i < len(list) {
				cell = oneNewline(list[i])
			}
			cells = append(cells, cell)
		}
		out = append(out, cells)
	}
	return out
}

// blank reports whether nothing is typed into a row.
func (l *rows[T]) blank(cells []string) bool {
	for i, c := range l.columns {
		if c.kind != "select" && strings.TrimSpace(cells[i]) != "" {
			return false
		}
	}
	return true
}

func (l *rows[T]) write(v url.Values, name string, list [][]string) {
	for i, c := range l.columns {
		v.Del(name + "." + c.name)
		for _, cells := range list {
			v.Add(name+"."+c.name, cells[i])
		}
	}
}

func (l *rows[T]) more(v url.Values, name string) bool { return len(l.all(v, name)) < l.most }

type rowView struct {
	Number      int
	Cells       []inputView
	First, Last bool
}

// view returns the rows, and a blank one if there are none.
func (l *rows[T]) view(v url.Values, name string) []rowView {
	list := l.all(v, name)
	if len(list) == 0 {
		list = [][]string{make([]string, len(l.columns))}
	}
	var out []rowView
	for i, cells := range list {
		row := rowView{Number: i + 1, First: i == 0, Last: i == len(list)-1}
		for k, c := range l.columns {
			row.Cells = append(row.Cells, inputView{ID: fmt.Sprintf("f-%s-%d-%s", name, i+1, c.name),
				Name: name + "." + c.name, Label: c.label, Kind: c.kind,
				Options: withValue(c.kind, c.options, cells[k]), Value: cells[k]})
		}
		out = append(out, row)
	}
	return out
}

// rearranged carries out the button of a row, which is "row=NAME:VERB" or "row=NAME:VERB:NUMBER", and reports whether
// there was one.
func (f form[T]) rearranged(v url.Values) bool {
	word, ordered := v.Get("row"), false
	name, verb, _ := strings.Cut(word, ":")
	f.each(func(in input[T]) {
		if in.rows != nil && in.name == name {
			in.rows.rearrange(v, name, verb)
			ordered = true
		}
	})
	return ordered
}

func (l *rows[T]) rearrange(v url.Values, name, order string) {
	list := l.all(v, name)
	verb, number, _ := strings.Cut(order, ":")
	n, err := strconv.Atoi(number)
	i := n - 1
	inside := err == nil && i >= 0 && i < len(list)
	switch {
	case verb == "add" && len(list) < l.most:
		list = append(list, make([]string, len(l.columns)))
	case verb == "remove" && inside:
		list = slices.Delete(list, i, i+1)
	case verb == "up" && inside && i > 0:
		list[i-1], list[i] = list[i], list[i-1]
	case verb == "down" && inside && i < len(list)-1:
		list[i+1], list[i] = list[i], list[i+1]
	}
	l.write(v, name, list)
}
