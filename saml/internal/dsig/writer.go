package dsig

import "io"

// writer gathers what is written, and passes it on in larger pieces. What it
// passes on to is a hash, which takes everything.
type writer struct {
	w   io.Writer
	n   int // bytes gathered
	buf [2048]byte
}

func (w *writer) flush() {
	_, _ = w.w.Write(w.buf[:w.n])
	w.n = 0
}

func (w *writer) string(s string) {
	if len(s) <= len(w.buf)-w.n {
		w.n += copy(w.buf[w.n:], s)
		return
	}
	w.long(s)
}

func (w *writer) long(s string) {
	for len(s) > 0 {
		if w.n == len(w.buf) {
			w.flush()
		}
		n := copy(w.buf[w.n:], s)
		w.n, s = w.n+n, s[n:]
	}
}

func (w *writer) byte(c byte) {
	if w.n == len(w.buf) {
		w.flush()
	}
	w.buf[w.n] = c
	w.n++
}

// text writes a text (Canonical XML 1.0, 2.3, text nodes).
func (w *writer) text(s string, plain bool) {
	if plain {
		w.string(s)
		return
	}
	w.escaped(s, inText)
}

// value writes ="…" (Canonical XML 1.0, 2.3, attribute nodes).
func (w *writer) value(s string, plain bool) {
	w.string(`="`)
	if plain {
		w.string(s)
	} else {
		w.escaped(s, inValue)
	}
	w.byte('"')
}

func (w *writer) escaped(s string, where byte) {
	from := 0
	for i := range len(s) {
		if escapes[s[i]]&where == 0 {
			continue
		}
		w.string(s[from:i])
		w.string(escape(s[i]))
		from = i + 1
	}
	w.string(s[from:])
}

const (
	inText byte = 1 << iota
	inValue
)

var escapes = [256]byte{
	'&': inText | inValue, '<': inText | inValue, '>': inText, '\r': inText | inValue,
	'"': inValue, '\t': inValue, '\n': inValue,
}

func escape(c byte) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&quot;"
	case '\t':
		return "&#x9;"
	case '\n':
		return "&#xA;"
	default:
		return "&#xD;"
	}
}
