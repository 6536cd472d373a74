package saml_test

import (
	"bytes"
	"math/rand/v2"
)

// chooser makes the choices of a mutation: a fuzzer's bytes, or chance.
type chooser interface {
	pick(n int) int // below n
	more() bool     // another mutation on top?
}

type chance struct{ *rand.Rand }

func (c chance) pick(n int) int { return c.IntN(n) }
func (c chance) more() bool     { return c.IntN(10) < 3 }

// program is a fuzzer's input as a list of choices.
type program struct{ rest []byte }

func (p *program) pick(n int) int {
	v := 0
	for size := 1; size < n && len(p.rest) > 0; size *= 256 {
		v, p.rest = v<<8|int(p.rest[0]), p.rest[1:]
	}
	return v % n
}
func (p *program) more() bool { return len(p.rest) > 0 }

// mutator changes documents. It keeps its buffers.
type mutator struct {
	outline
	buf, next []byte
	done      []string // what was done, and where
	place     string
}

const mostMutations = 8

// mutate returns a changed copy of doc, valid until the next call.
func (m *mutator) mutate(doc []byte, c chooser) []byte {
	m.buf, m.done = append(m.buf[:0], doc...), m.done[:0]
	for range mostMutations {
		m.read(m.buf)
		op := &mutations[c.pick(len(mutations))]
		m.place = ""
		if op.do(m, c) {
			m.done = append(m.done, op.name+", "+m.place)
			m.buf, m.next = m.next, m.buf
		}
		if !c.more() {
			break
		}
	}
	return m.buf
}

// splice makes m.next out of m.buf with a piece replaced.
func (m *mutator) splice(c cut, by ...string) bool {
	if m.place == "" {
		m.place = m.outline.place(m.buf, c.from)
	}
	m.next = append(m.next[:0], m.buf[:c.from]...)
	for _, s := range by {
		m.next = append(m.next, s...)
	}
	m.next = append(m.next, m.buf[c.to:]...)
	return true
}

// move takes a part to another place, which is not inside of it.
func (m *mutator) move(part cut, to int) bool {
	switch {
	case to > part.from && to < part.to:
		return false
	case to <= part.from:
		return m.splice(cut{to, part.to}, m.text(part), m.text(cut{to, part.from}))
	}
	return m.splice(cut{part.from, to}, m.text(cut{part.to, to}), m.text(part))
}

func (m *mutator) at(pos int, by ...string) bool { return m.splice(cut{pos, pos}, by...) }
func (m *mutator) text(c cut) string             { return string(m.buf[c.from:c.to]) }

func (m *mutator) span(c chooser) (span, bool) {
	if len(m.spans) == 0 {
		return span{}, false
	}
	return m.spans[c.pick(len(m.spans))], true
}

// spanOf is the element of that local name that c picks.
func (m *mutator) spanOf(c chooser, local string) (span, bool) {
	var found []span
	for _, s := range m.spans {
		if bytes.HasSuffix(m.buf[m.tags[s.start].name.from:m.tags[s.start].name.to], []byte(":"+local)) {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return span{}, false
	}
	return found[c.pick(len(found))], true
}

// gap is a place between tags: before or after one.
func (m *mutator) gap(c chooser) int {
	if len(m.tags) == 0 {
		return 0
	}
	t := m.tags[c.pick(len(m.tags))]
	if c.pick(2) == 0 {
		return t.all.from
	}
	return t.all.to
}

// mark picks an attribute, declarations among them.
func (m *mutator) mark(c chooser) (tag, int, bool) {
	for range 4 {
		if len(m.tags) == 0 {
			break
		}
		if t := m.tags[c.pick(len(m.tags))]; len(t.marks) > 0 {
			return t, c.pick(len(t.marks)), true
		}
	}
	return tag{}, 0, false
}

func oneOf(c chooser, s []string) string { return s[c.pick(len(s))] }
