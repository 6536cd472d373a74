package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
)

// load reads a file of a chain, up to what is on disk for certain. There is nothing to read if it was removed to make
// room.
func (f file) load() (good []part, wrong []*Error, err error) {
	in, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, unavailable("read of "+f.path, err)
	}
	b := make([]byte, f.size)
	n, err := io.ReadFull(in, b)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // its end is missing, which shows as damage
	}
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, nil, unavailable("read of "+f.path, err)
	}
	good, wrong = f.check(parts(b[:n]))
	return good, wrong, nil
}

// check returns the blocks that are whole and new, and what is wrong.
func (f file) check(all []part) (good []part, wrong []*Error) {
	next := f.first // the number of the event that should come
	missing := func(until uint64) {
		if next < until {
			wrong = append(wrong, &Error{
				Reason: ReasonDamaged, Rule: "file " + filepath.Base(f.path), Got: "none",
				Want: fmt.Sprintf("events %d to %d", next, until-1),
			})
		}
	}
	for _, p := range all {
		switch {
		case p.body == nil && !p.headed:
			wrong = append(wrong, damaged(f.path, p, nil))
			continue
		case p.next() <= next:
			continue // a write that was repeated
		}
		missing(p.first)
		next = p.next()
		if p.body == nil {
			wrong = append(wrong, damaged(f.path, p, nil))
			continue
		}
		good = append(good, p)
	}
	missing(f.until)
	return good, wrong
}

// Exported is the result of an Export.
type Exported struct {
	Next   Position // up to which events were written, for the next Export and for Log.Exported
	Events int
	Damage []*Error // what could not be read, each with ReasonDamaged; the rest was written
}

// Export writes the events after a Position as JSON lines, in the order of their classes and numbers. A zero Position
// begins with the oldest. The error is that of the writer or of ctx, or an *Error with ReasonKey or ReasonUnavailable:
// the result then says how far it came.
func (l *Log) Export(ctx context.Context, w io.Writer, after Position) (out Exported, err error) {
	out.Next = Position{}
	if l == nil {
		return out, nil
	}
	for _, class := range classes {
		out.Next[class] = after[class]
	}
	for _, class := range classes {
		c := l.chains[class]
		if err := c.export(ctx, w, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (c *chain) export(ctx context.Context, w io.Writer, out *Exported) error {
	files, end := c.snapshot()
	from := out.Next[c.class] + 1
	for _, f := range files {
		if f.until <= from {
			continue
		}
		good, wrong, err := f.load()
		if err != nil {
			return err
		}
		out.Damage = append(out.Damage, wrong...)
		for _, p := range good {
			if p.next() <= from {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			_, lines, err := c.opened(p, f.path)
			var e *Error
			if errors.As(err, &e) && e.Reason == ReasonDamaged {
				out.Damage = append(out.Damage, e)
				continue
			} else if err != nil {
				return err
			}
			for j, line := range lines {
				if n := p.first + uint64(j); n >= from {
					if _, err := w.Write(append(line, '\n')); err != nil {
						return err
					}
					out.Events++
					out.Next[c.class] = n
				}
			}
		}
	}
	out.Next[c.class] = max(out.Next[c.class], end-1)
	return nil
}

// Query says what Search looks for. Zero fields match everything.
type Query struct {
	Class    Class
	Text     string    // in any value of the event: a user, an address, an event's name, ID or error code; any case
	From, To time.Time // From is included
	// Session is the ID of a session or the address of a client, as a whole and as events have it. Unlike Text, no other
	// value of an event counts: a client chooses its user agent.
	Session string
	// Before is the Next of an earlier Page, to go on there.
	Before Position
	// Max is the number of events of a Page. Zero: 50. At most 500.
	Max int
}

// Page is a part of what Search found, the newest first.
type Page struct {
	Events []Event
	Damage []*Error // what could not be read, each with ReasonDamaged
	// Next continues the search, which ended because the Page is full, or because it has read for long enough: then
	// Events may be empty. Nil: there is no more.
	Next Position
}

// maxSearched is how many bytes of events one Search opens at most.
const maxSearched = 16 << 20

// Search finds events, the newest first. A Page costs a bounded amount of reading. The error is that of ctx, or an
// *Error: ReasonConfig for a Class that doesn't exist, ReasonKey or ReasonUnavailable.
func (l *Log) Search(ctx context.Context, q Query) (Page, error) {
	if l == nil {
		return Page{}, nil
	}
	if q.Class != "" && !isClass(q.Class) {
		return Page{}, newError(ReasonConfig, "Query.Class", "changes, access, refusals or remote", string(q.Class))
	}
	if q.Max <= 0 {
		q.Max = 50
	}
	q.Max, q.Text = min(q.Max, 500), strings.ToLower(cut(q.Text, maxText))
	var page Page
	budget := maxSearched
	var heads []*backward
	for _, class := range classes {
		if q.Class != "" && q.Class != class {
			continue
		}
		b := l.chains[class].backward(q.Before, &budget)
		if err := b.advance(ctx, q, &page); err != nil {
			return page, err
		}
		heads = append(heads, b)
	}
	for len(page.Events) < q.Max && budget > 0 {
		best := slices.MaxFunc(heads, func(a, b *backward) int {
			if a.done != b.done {
				return cmp.Compare(usable(!a.done), usable(!b.done))
			}
			return a.event.Time.Compare(b.event.Time)
		})
		if best.done || !best.found {
			break
		}
		page.Events = append(page.Events, best.event)
		best.before, best.found = best.at, false
		if err := best.advance(ctx, q, &page); err != nil {
			return page, err
		}
	}
	for _, b := range heads {
		if !b.done {
			page.Next = Position{}
		}
	}
	if page.Next != nil {
		for _, b := range heads {
			page.Next[b.chain.class] = b.before
		}
	}
	return page, nil
}

// A backward reads the events of a chain, from the newest to the oldest.
type backward struct {
	chain  *chain
	budget *int
	before uint64 // events with this number and later ones are read

	files []file // not read yet
	good  []part // of the file that is read
	file  file
	lines [][]byte // of the block that is read
	first uint64
	event Event // the last one that was found, if found
	at    uint64
	found bool
	done  bool
}

// backward begins before a Position. A class that isn't in it, or has 0, begins at its end.
func (c *chain) backward(before Position, budget *int) *backward {
	files, end := c.snapshot()
	b := &backward{chain: c, budget: budget, before: end, files: files}
	if at, ok := before[c.class]; ok {
		b.before = min(at, end)
	}
	return b
}

// advance finds the next event that matches. Without one, done is set if there is none; otherwise the budget is used
// up.
func (b *backward) advance(ctx context.Context, q Query, page *Page) error {
	for {
		for len(b.lines) > 0 {
			line, at := b.lines[len(b.lines)-1], b.first+uint64(len(b.lines))-1
			b.lines = b.lines[:len(b.lines)-1]
			if at >= b.before {
				continue
			}
			var e Event
			if err := json.Unmarshal(line, &e); err != nil {
				continue // it was sealed by us, so that can't be
			}
			// Events may be an hour out of order. Changes have the time that a Region says, which may be any.
			ordered := b.chain.class == Access || b.chain.class == Refusals
			if ordered && !q.From.IsZero() && e.Time.Before(q.From.Add(-time.Hour)) {
				b.done = true
				return nil
			}
			if q.matches(e, line) {
				b.event, b.at, b.found = e, at, true
				return nil
			}
			b.before = at
		}
		if *b.budget <= 0 {
			return nil
		}
		if more, err := b.block(ctx, page); err != nil {
			return err
		} else if !more {
			b.done = true
			return nil
		}
	}
}

// block opens the block before the current one. It reports whether there was one.
func (b *backward) block(ctx context.Context, page *Page) (bool, error) {
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		for len(b.good) > 0 {
			p := b.good[len(b.good)-1]
			b.good = b.good[:len(b.good)-1]
			if p.first >= b.before {
				continue
			}
			*b.budget -= len(p.body)
			_, lines, err := b.chain.opened(p, b.file.path)
			var e *Error
			if errors.As(err, &e) && e.Reason == ReasonDamaged {
				page.Damage, b.before = append(page.Damage, e), p.first
				continue
			} else if err != nil {
				return false, err
			}
			b.lines, b.first = lines, p.first
			return true, nil
		}
		if len(b.files) == 0 {
			return false, nil
		}
		b.file = b.files[len(b.files)-1]
		b.files = b.files[:len(b.files)-1]
		if b.file.first >= b.before {
			continue
		}
		var wrong []*Error
		var err error
		if b.good, wrong, err = b.file.load(); err != nil {
			return false, err
		}
		page.Damage = append(page.Damage, wrong...)
	}
}

func (q Query) matches(e Event, line []byte) bool {
	switch {
	case !q.From.IsZero() && e.Time.Before(q.From), !q.To.IsZero() && !e.Time.Before(q.To):
		return false
	case q.Session != "" && e.ClientAddr != q.Session && e.Identity.CredentialID != q.Session:
		return false
	case q.Text == "":
		return true
	}
	// Keys aren't values: "Unknown" should not find every userIdentity.
	return bytes.Contains(bytes.ToLower(line), []byte(q.Text)) && e.has(q.Text)
}

// has reports whether a value of the event contains a text, which is lower case.
func (e Event) has(text string) bool {
	values := []string{
		e.ID, e.Source, e.Name, e.ClientAddr, e.UserAgent, e.RequestID, e.ErrorCode, e.ErrorMessage,
		e.Identity.Type, e.Identity.UserName, e.Identity.InvokedBy, e.Identity.CredentialID,
	}
	if of := e.Identity.OnBehalfOf; of != nil {
		values = append(values, of.UserID)
	}
	for _, m := range []map[string]string{e.Request, e.Response, e.Additional, e.Details} {
		for _, v := range m {
			values = append(values, v)
		}
	}
	return slices.ContainsFunc(values, func(v string) bool {
		return strings.Contains(strings.Map(unicode.ToLower, v), text)
	})
}
