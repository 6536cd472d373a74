package run

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Printer writes a report for readers. The zero value has rows for attacks that were let in or had no clear answer.
type Printer struct {
	// All adds a row for every other attack.
	All bool
	// Color writes with the colours of a terminal.
	Color bool
	// Width is that of the lines. Zero: 80 columns.
	Width int
	// How says how a reader gives what attacks need, as "give -acs2 URL" does. Without an entry, it is the field
	// of Target.
	How map[Need]string
	// Alone says how a reader runs one attack. It is followed by the ID. Empty: "Target.Only", the field.
	Alone string
}

// WriteText writes a report with a row for every attack.
func (r *Report) WriteText(w io.Writer) error { return Printer{All: true}.Print(w, r) }

// Print writes a report: what the service provider accepts, the rows, what was not run, and the summary with the
// three worst findings.
func (p Printer) Print(w io.Writer, r *Report) error {
	t := &text{Printer: p, r: r.labelled()}
	t.good()
	t.rows()
	t.unclear()
	t.notRun()
	for _, n := range r.Notes {
		t.wrap("Note: ", n+".")
	}
	t.findings()
	t.gap()
	t.summary()
	_, err := io.WriteString(w, t.b.String())
	return err
}

// text is a report that is being written.
type text struct {
	Printer
	r     *Report
	b     strings.Builder
	dirty bool // a section was written since the last gap
}

// The colours.
const (
	red, yellow, green = "31;1", "33", "32"
)

func (p Printer) paint(color, s string) string {
	if !p.Color || color == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func wordColor(word string) string {
	return map[string]string{string(LetIn): red, unclear: yellow}[word]
}

func (t *text) line(s string) {
	t.dirty = true
	t.b.WriteString(strings.TrimRight(s, " ") + "\n")
}

// gap separates two sections.
func (t *text) gap() {
	if t.dirty {
		t.b.WriteByte('\n')
	}
	t.dirty = false
}

// wrap writes words in lines. The first begins with a label, and the others are indented as much.
func (t *text) wrap(label, s string) { t.paragraph(label, "", utf8.RuneCountInString(label), s) }

func (t *text) paragraph(label, color string, indent int, s string) {
	width := cmp.Or(t.Width, 80)
	line, column := t.paint(color, label), utf8.RuneCountInString(label)
	fresh := true // no word is in this line yet
	next := func() {
		t.line(line)
		line, column, fresh = strings.Repeat(" ", indent), indent, true
	}
	for _, word := range strings.Fields(printable(s)) {
		for !fresh && column+1+utf8.RuneCountInString(word) > width {
			next()
		}
		if !fresh {
			line, column = line+" ", column+1
		}
		for column+utf8.RuneCountInString(word) > width && column < width { // a word longer than a line
			cut := len(string([]rune(word)[:width-column]))
			line += word[:cut]
			word = word[cut:]
			next()
		}
		line, column, fresh = line+word, column+utf8.RuneCountInString(word), false
	}
	t.line(line)
}

// printable replaces what changes a terminal's state. A service provider's answer may hold anything.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e ||
			r >= 0x2066 && r <= 0x2069 {
			return '\uFFFD'
		}
		return r
	}, s)
}

// good says what the service provider accepts.
func (t *text) good() {
	var accepted []string
	for _, g := range t.r.Good {
		if g.Verdict == Accepted {
			accepted = append(accepted, g.How)
		}
	}
	t.wrap("Service provider  ", t.r.ServiceProvider)
	if len(accepted) > 0 {
		t.wrap("Good, accepted    ", strings.Join(accepted, "; "))
	}
	for _, g := range t.r.Good {
		if g.Verdict != Accepted && (len(accepted) > 0 || t.All) {
			t.wrap("Good, refused     ", g.How+": "+g.Reason)
		}
	}
}

// rows has the attacks that were let in, or all.
func (t *text) rows() {
	t.gap()
	for _, x := range t.r.Results {
		if x.Verdict == LetIn || t.All {
			label := x.Word
			if x.Severity != "" {
				label += ", " + string(x.Severity)
			}
			row := x.ID + "  " + x.Title
			if d, _ := attack.RowOf(x.ID); x.Verdict == LetIn && d.What != "" {
				row += ": " + d.What
			}
			const column = "unusual but legal  "
			t.paragraph(fmt.Sprintf("%-*s", len(column), label), wordColor(x.Word), len(column), row)
			if remark := x.remark(); remark != "" {
				t.wrap(strings.Repeat(" ", len(column)), remark)
			}
		}
	}
}

// remark explains the verdict in a line.
func (x Result) remark() string {
	var parts []string
	if x.Identity != "" && !strings.Contains(x.Reason, strconv.Quote(x.Identity)) {
		parts = append(parts, "as "+x.Identity)
	}
	if x.Verdict == NotRun {
		x.Reason = "because " + x.Reason
	}
	if x.Verdict == Stricter {
		parts = append(parts, "though it is legal")
	}
	if x.Verdict == Tolerated {
		x.Reason = "hostile, but harmless: " + x.Reason
	}
	if x.Reason != "" {
		parts = append(parts, x.Reason)
	}
	if open := x.openWays(); open != "" {
		parts = append(parts, "not shown with "+open)
	}
	if x.Duration >= 5*time.Second { // the report in JSON has all
		parts = append(parts, x.Duration.Round(time.Millisecond).String())
	}
	return strings.Join(parts, "; ")
}

// openWays lists the ways of signing in which the attack was undecided, if it
// was decided in others.
func (x Result) openWays() string {
	if x.Verdict.undecided() {
		return ""
	}
	var out []string
	for _, run := range x.Runs {
		if run.Verdict.undecided() {
			out = append(out, run.How)
		}
	}
	return strings.Join(out, "; ")
}

// unclear has a paragraph for each reason why attacks had no clear answer.
func (t *text) unclear() {
	t.gap()
	var reasons []string
	ids := make(map[string][]string)
	for _, x := range t.r.Results {
		if x.Word == unclear {
			if ids[x.Reason] == nil {
				reasons = append(reasons, x.Reason)
			}
			ids[x.Reason] = append(ids[x.Reason], x.ID)
		}
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return len(ids[b]) - len(ids[a]) })
	for _, why := range reasons {
		t.paragraph("No clear answer    ", yellow, 19, attacks(len(ids[why]))+": "+why+" ("+some(ids[why], 6)+").")
	}
}

// notRun has a line for each need.
func (t *text) notRun() {
	t.gap()
	var needs []Need
	counts := make(map[Need]int)
	for _, x := range t.r.Results {
		if x.Verdict == NotRun {
			if counts[x.Needs] == 0 {
				needs = append(needs, x.Needs)
			}
			counts[x.Needs]++
		}
	}
	slices.SortStableFunc(needs, func(a, b Need) int { return counts[b] - counts[a] })
	for _, n := range needs {
		t.wrap("", fmt.Sprintf("%s not run: %s%s.", attacks(counts[n]), n.text(), t.how(n)))
	}
}

// how says how to give what attacks need.
func (t *text) how(n Need) string {
	switch how := t.How[n]; {
	case how != "":
		return "; " + how
	case n == NeedSettings || n == NeedSupport || n == NeedControl:
		return ""
	case n == NeedRestart:
		return " at " + t.r.StoppedAt
	}
	return "; set Target." + string(n)
}

func attacks(n int) string {
	if n == 1 {
		return "1 attack"
	}
	return fmt.Sprintf("%d attacks", n)
}

// some lists at most n IDs.
func some(ids []string, n int) string {
	if len(ids) <= n+1 {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:n], ", "), len(ids)-n)
}

// findings has the three worst.
func (t *text) findings() {
	all := t.r.Findings()
	const most = 3
	if len(all) == 0 {
		return
	}
	t.gap()
	switch {
	case len(all) == 1:
		t.line("The finding:")
	case len(all) <= most:
		t.line("The findings, the worst first:")
	default:
		t.line(fmt.Sprintf("The worst %d of %d findings:", most, len(all)))
	}
	for i, f := range all[:min(most, len(all))] {
		t.gap()
		t.paragraph(fmt.Sprintf("%d. ", i+1), red, 3, f.Problem+" ("+string(f.Severity)+")")
		t.wrap("   What it means  ", f.Means)
		first := f.first.ID + ", " + f.first.Title
		if d, _ := attack.RowOf(f.first.ID); d.What != "" {
			first += ": " + d.What
		}
		t.wrap("   Shown by       ", first)
		if len(f.Attacks) > 1 {
			t.wrap("   And by         ", some(f.Attacks[1:], 6))
		}
		if f.Reference != "" {
			t.wrap("   Reference      ", f.Reference)
		}
		t.wrap("   Run it alone   ", cmp.Or(t.Alone, "Target.Only")+" "+f.first.ID)
	}
}

// summary is Summary, wrapped and with colour.
func (t *text) summary() {
	s := t.r.Summary()
	first, rest, _ := strings.Cut(s, ": ")
	color := green
	switch t.r.Exit() {
	case 1:
		color = red
	case 3:
		color = yellow
	}
	t.paragraph(first+": ", color, 0, rest)
}

// Summary returns the counts in one sentence.
func (r *Report) Summary() string {
	duration := r.Duration.Round(time.Millisecond)
	if r.Duration > 10*time.Second {
		duration = r.Duration.Round(time.Second)
	}
	in, all, idle := "No attack was let in", len(r.Results), r.Count(NotRun)
	switch n := r.Count(LetIn); {
	case n == 1:
		in = "1 attack was let in"
	case n > 1:
		in = fmt.Sprintf("%d attacks were let in", n)
	case idle == all:
		in = "No attack was run"
	case idle+r.count(unclear) == all:
		in = "No attack had a clear answer"
	}
	return fmt.Sprintf("%s: of %s in %s, %d refused, %d unusual but legal, %d without a clear answer, %d not run.",
		in, attacks(all), duration, r.count(refused), r.count(unusual), r.count(unclear), idle)
}
