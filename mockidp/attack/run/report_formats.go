package run

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"time"
)

// WriteJSON writes the report as JSON: its fields, and
//
//	exit      Exit
//	summary   Summary
//	counts    how many attacks have each word
//	findings  Findings
func (r *Report) WriteJSON(w io.Writer) error {
	out := struct {
		*Report
		Exit     int            `json:"exit"`
		Summary  string         `json:"summary"`
		Counts   map[string]int `json:"counts"`
		Findings []Finding      `json:"findings"`
	}{Report: r.labelled(), Exit: r.Exit(), Summary: r.Summary(), Counts: make(map[string]int), Findings: r.Findings()}
	for _, word := range []string{string(LetIn), unusual, refused, unclear, string(NotRun)} {
		out.Counts[word] = r.count(word)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// labelled returns a copy in which every result has its word and severity.
func (r *Report) labelled() *Report {
	out := *r
	out.Results = slices.Clone(r.Results)
	for i := range out.Results {
		out.Results[i].label()
	}
	return &out
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
		Errors   int         `xml:"errors,attr"`
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
		Error   *junitMessage `xml:"error"`
		Skipped *junitMessage `xml:"skipped"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
	}
)

// WriteJUnit writes the report as JUnit's XML. An attack that was let in is a failure, whose type is the [Severity].
// One that had no clear answer is an error, and one that was not run is skipped. All others pass.
func (r *Report) WriteJUnit(w io.Writer) error {
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
	s := junitSuite{
		Name: "attacks on " + r.ServiceProvider, Tests: len(r.Results),
		Failures: r.Count(LetIn), Errors: r.count(unclear), Skipped: r.Count(NotRun),
		Time: seconds(r.Duration), Stamp: r.Started.UTC().Format("2006-01-02T15:04:05"),
	}
	for _, x := range r.labelled().Results {
		c := junitCase{
			Class: "attack." + x.ID[:3], Name: x.ID + " " + x.Title, Time: seconds(x.Duration),
			Out: x.Word + ": " + x.remark(),
		}
		switch x.Word {
		case string(LetIn):
			p, _ := problemOf(x)
			c.Failure = &junitMessage{string(x.Severity), p.title + ". " + p.means + " " + x.remark()}
		case unclear:
			c.Error = &junitMessage{string(x.Verdict), x.Word + ": " + x.Reason}
		case string(NotRun):
			c.Skipped = &junitMessage{Message: x.Word + ", because " + x.Reason}
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
