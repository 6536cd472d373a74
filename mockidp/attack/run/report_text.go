package run

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes the report as a table with a line for each attack.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, g := range r.Good {
		fmt.Fprintf(t, "good\t%s\t%s\t%s\n", g.Verdict, g.How, g.Reason)
	}
	for _, x := range r.Results {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", x.ID, x.Verdict, x.Title, x.remark())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range r.Notes {
		if _, err := fmt.Fprintln(w, "note: "+n); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, r.Summary())
	return err
}

// remark explains the verdict in a line.
func (x Result) remark() string {
	var parts []string
	if x.Identity != "" {
		parts = append(parts, "as "+x.Identity)
	}
	if x.Reason != "" {
		parts = append(parts, x.Reason)
	}
	if open := x.openWays(); open != "" {
		parts = append(parts, "not shown with "+open)
	}
	parts = append(parts, x.Duration.Round(time.Millisecond).String())
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

// Summary returns the report in a line.
func (r *Report) Summary() string {
	var parts []string
	for _, v := range []Verdict{LetIn, Tolerated, Refused, Failed, Accepted, Stricter, Inconclusive, NotRun} {
		if n := r.Count(v); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	duration := r.Duration.Round(time.Millisecond)
	return fmt.Sprintf("%d attacks in %s: %s", len(r.Results), duration, strings.Join(parts, ", "))
}

// WriteJSON writes the whole report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// The elements of JUnit's XML that CI servers read.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Stamp    string      `xml:"timestamp,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
	}
)

// WriteJUnit writes the report as JUnit's XML. A successful attack (LetIn) is a
// failure. One that was inconclusive or not run is skipped.
func (r *Report) WriteJUnit(w io.Writer) error {
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
	s := junitSuite{
		Name: "attacks on " + r.ServiceProvider, Tests: len(r.Results),
		Failures: r.Count(LetIn), Skipped: r.Count(Inconclusive) + r.Count(NotRun),
		Time: seconds(r.Duration), Stamp: r.Started.UTC().Format("2006-01-02T15:04:05"),
	}
	for _, x := range r.Results {
		c := junitCase{
			Class: "attack." + x.ID[:3], Name: x.ID + " " + x.Title, Time: seconds(x.Duration),
			Out: string(x.Verdict) + ": " + x.remark(),
		}
		switch {
		case x.Verdict == LetIn:
			c.Failure = &junitMessage{x.remark()}
		case x.Verdict.undecided():
			c.Skipped = &junitMessage{string(x.Verdict) + ": " + x.Reason}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{Suites: []junitSuite{s}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
