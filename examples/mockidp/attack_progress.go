package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// progress reports how far a run is. On a terminal it rewrites one line. Elsewhere it writes a line now and then, if
// it is verbose. Attacks that are let in get a line of their own at once.
type progress struct {
	to       io.Writer
	terminal bool
	color    bool
	verbose  bool
	total    int
	now      func() time.Time

	began, last time.Time
	done, in    int
	shown       int // columns of the line that is on the terminal
}

const (
	rewriteEvery = 100 * time.Millisecond
	lineEvery    = 10 * time.Second // of the lines that are not rewritten
	columns      = 79               // a full last column makes some terminals begin a new line
)

func (p *progress) start() {
	p.began = p.now()
	p.last = p.began
}

// add counts a result.
func (p *progress) add(r run.Result) {
	p.done++
	if r.Verdict == run.LetIn {
		p.in++
		p.clear()
		as := ""
		if r.Identity != "" {
			as = fmt.Sprintf(" as %q", r.Identity)
		}
		fmt.Fprintf(p.to, "%s  %s%s\n", r.ID, paint(p.color, "let in"), as)
	}
	now := p.now()
	switch since := now.Sub(p.last); {
	case p.terminal && (since >= rewriteEvery || p.shown == 0):
		p.rewrite(p.line(now) + "  " + r.ID)
		p.last = now
	case !p.terminal && p.verbose && since >= lineEvery:
		fmt.Fprintln(p.to, p.line(now))
		p.last = now
	}
}

// line says how far the run is.
func (p *progress) line(now time.Time) string {
	elapsed := now.Sub(p.began)
	s := fmt.Sprintf("%d of %d attacks, %s", p.done, p.total, elapsed.Round(time.Second))
	if p.done > 0 && p.done < p.total {
		left := time.Duration(float64(elapsed) / float64(p.done) * float64(p.total-p.done))
		s += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	return s + fmt.Sprintf(", %d let in", p.in)
}

// rewrite replaces the line on the terminal. Blanks cover the rest of the old one.
func (p *progress) rewrite(s string) {
	if runes := []rune(s); len(runes) > columns {
		s = string(runes[:columns])
	}
	n := utf8.RuneCountInString(s)
	fmt.Fprint(p.to, "\r"+s+strings.Repeat(" ", max(0, p.shown-n)))
	p.shown = n
}

// clear removes the line from the terminal.
func (p *progress) clear() {
	if p.shown > 0 {
		fmt.Fprint(p.to, "\r"+strings.Repeat(" ", p.shown)+"\r")
	}
	p.shown = 0
}

func paint(on bool, s string) string {
	if !on {
		return s
	}
	return "\x1b[31;1m" + s + "\x1b[0m"
}

// isTerminal reports whether a writer is a terminal that can rewrite a line.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// colored reports whether to write colours: the flag decides, then NO_COLOR (https://no-color.org), and then whether
// it is a terminal that shows them.
func colored(flag string, w io.Writer) bool {
	switch flag {
	case "always":
		return true
	case "never":
		return false
	}
	old := runtime.GOOS == "windows" && os.Getenv("WT_SESSION") == "" && os.Getenv("TERM") == ""
	return os.Getenv("NO_COLOR") == "" && !old && isTerminal(w)
}
