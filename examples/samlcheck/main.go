// Command samlcheck says whether a captured SAML response would be accepted,
// and why, rule by rule.
//
//	samlcheck -idp-metadata idp.xml -entity-id URI -acs URL -request-id ID -now 2026-01-02T15:04:05Z response.txt
//
// It judges exactly as a service provider that is built on package saml would
// judge the same response at that time; only what such a service provider
// remembers (which requests are open, which assertions were used) has to be
// said by flags, or is not looked at. It also reads a copied form body, a HAR
// file and an export of SAML-tracer.
//
// For a rejected response it names in one run each flag that would make a failed
// rule pass, what that flag gives up, and each rule that no flag makes pass. It
// finds them by verifying the response again with other flags; the verdict stays
// that of the flags given.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// Exit codes. Everything that could be read and is no acceptable response is a
// rejection, down to bad base64.
const (
	exitAccepted = 0
	exitRejected = 1
	exitUsage    = 2 // flags, configuration, or a file that can't be read
)

func main() {
	code, err := run(os.Args[1:], os.Stdin, os.Stdout)
	if err != nil {
		// One line, whatever an error's text holds.
		fmt.Fprintln(os.Stderr, "samlcheck: "+printable(strings.TrimPrefix(err.Error(), "samlcheck: ")))
	}
	os.Exit(code)
}

// run is the program. Its error goes with exitUsage, and nothing was judged.
func run(args []string, stdin io.Reader, out io.Writer) (int, error) {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return 0, nil
	}
	if err != nil {
		return exitUsage, err
	}
	s, err := o.load()
	if err != nil {
		return exitUsage, err
	}
	input, err := o.read(stdin)
	if err != nil {
		return exitUsage, err
	}
	m, err := findMessage(input, o.entry)
	if err != nil {
		return exitUsage, withHelp(err)
	}
	r, err := examine(s, m)
	if err != nil {
		return exitUsage, err
	}
	write := writeText
	if o.json {
		write = writeJSON
	}
	if err := write(out, r); err != nil {
		return exitUsage, err
	}
	if r.Assertion == nil {
		return exitRejected, nil
	}
	return exitAccepted, nil
}

// report is all that is said of a message: the verdict of the flags given, and
// what other flags would change.
type report struct {
	saml.Report
	outcome
	notes []string
}

// examine judges a message. An expectation or a configuration that makes no
// sense is the caller's mistake and no verdict.
func examine(s setup, m message) (report, error) {
	if m.err != nil {
		return unread(m.err), nil
	}
	r, err := s.explain(m)
	if weak := new(saml.Error); errors.As(err, &weak) && weak.Reason == saml.ReasonKey {
		return report{}, s.weakKey(err, m)
	}
	if err != nil {
		return report{}, err
	}
	out := report{Report: r}
	if r.Assertion == nil {
		out.outcome = search(s, m)
	}
	out.notes = notes(s, m, out)
	return out, nil
}

// explain takes both forms of a message.
func (s setup) explain(m message) (saml.Report, error) {
	sp, err := s.serviceProvider()
	if err != nil {
		return saml.Report{}, err
	}
	explain := sp.Explain
	if isXML(m.body) {
		explain = sp.ExplainXML
	}
	r := explain(m.body, saml.VerifyOptions{ACS: s.acs, RequestIDs: s.requestIDs, Unsolicited: s.unsolicited})
	if e := new(saml.Error); errors.As(r.Err, &e) && e.Reason == saml.ReasonConfig {
		return saml.Report{}, inFlags(e, s.flagOf(), "")
	}
	for i := range r.Checks {
		r.Checks[i].Detail = flagNames.Replace(r.Checks[i].Detail)
	}
	if e := new(saml.Error); errors.As(r.Err, &e) {
		e.Detail = flagNames.Replace(e.Detail)
	}
	return r, nil
}

// flagNames puts flags in the place of the fields that details name.
var flagNames = strings.NewReplacer("Config.WantAssertionsSigned", "-want-assertions-signed", "Config.WantResponsesSigned", "-want-responses-signed")

// unread is the report on input that holds no response.
func unread(err error) report {
	var e *saml.Error
	errors.As(err, &e)
	c := saml.Check{Rule: e.Rule, Detail: e.Explain(), Reason: e.Reason}
	return report{Report: saml.Report{Err: err, Checks: []saml.Check{c}}, outcome: outcome{remaining: []saml.Check{c}, unreached: true}}
}

// weakKey tells of a -key that is too short everything that can be told: no
// service provider can be made with it, so there is no verdict.
func (s setup) weakKey(err error, m message) error {
	if s.allowRSA1024 {
		return err
	}
	out := search(s, m)
	text := err.Error() + "; -allow-rsa1024 would pass this"
	for _, f := range out.missing {
		if f.flag != "-allow-rsa1024" {
			text += ", " + f.flag + " is needed too"
		}
	}
	for _, c := range out.remaining {
		if c.Rule == configuration {
			return err
		}
		text += "; no flag passes " + c.Rule + ": " + c.Detail
	}
	if out.passes {
		text += "; with that the response would pass"
	}
	return errors.New(text)
}
