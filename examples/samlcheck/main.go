// Command samlcheck says whether a captured SAML response would be accepted, and why, rule by rule.
//
//	samlcheck -idp-metadata idp.xml -entity-id URI -acs URL -request-id ID -now 2026-01-02T15:04:05Z response.txt
//
// It verifies exactly as a service provider that is built on package saml would at that time. What such a service
// provider remembers (which requests are waiting, which assertions were used) is given by flags, or not checked.
// It also reads a copied form body, a HAR file and an export of SAML-tracer.
//
// For a rejected response it names in one run each flag that would pass a failed rule, the protection that this flag
// gives up, and each rule that no flag passes. It finds them by verifying the response again with other flags. The
// verdict is that of the given flags.
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

// Exit codes. Input that can be read but isn't an acceptable response is a rejection, even invalid base64.
const (
	exitAccepted = 0
	exitRejected = 1
	exitUsage    = 2 // flags, configuration, or a file that can't be read
)

func main() {
	code, err := run(os.Args[1:], os.Stdin, os.Stdout)
	if err != nil {
		// Always one line, even if the error's text has several.
		fmt.Fprintln(os.Stderr, "samlcheck: "+printable(strings.TrimPrefix(err.Error(), "samlcheck: ")))
	}
	os.Exit(code)
}

// run is the program. If it returns an error, nothing was verified, and the code is exitUsage.
func run(args []string, stdin io.Reader, out io.Writer) (int, error) {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return 0, nil
	}
	if err != nil {
		return exitUsage, err
	}
	if err := o.load(); err != nil {
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
	r, err := o.examine(m)
	if err != nil {
		return exitUsage, err
	}
	write := r.writeText
	if o.json {
		write = r.writeJSON
	}
	if err := write(out); err != nil {
		return exitUsage, err
	}
	if !r.Accepted {
		return exitRejected, nil
	}
	return exitAccepted, nil
}

// examine verifies a message. An invalid expectation or configuration is an error, not a verdict.
func (o *options) examine(m message) (*report, error) {
	if m.err != nil {
		c := saml.Check{Rule: m.err.Rule, Detail: m.err.Explain(), Reason: m.err.Reason}
		out := outcome{Remaining: []remaining{newRemaining(c)}, Unreached: true}
		return newReport(saml.Report{Err: m.err, Checks: []saml.Check{c}}, out, nil), nil
	}
	r, err := o.explain(m)
	if weak := new(saml.Error); errors.As(err, &weak) && weak.Reason == saml.ReasonKey {
		return nil, o.weakKey(err, m)
	}
	if err != nil {
		return nil, err
	}
	var out outcome
	if r.Assertion == nil {
		out = o.search(m)
	}
	return newReport(r, out, o.notes(m, r.Assertion)), nil
}

// explain verifies a message in either form.
func (o *options) explain(m message) (saml.Report, error) {
	sp, err := o.serviceProvider()
	if err != nil {
		return saml.Report{}, err
	}
	explain := sp.Explain
	if isXML(m.body) {
		explain = sp.ExplainXML
	}
	r := explain(m.body, saml.VerifyOptions{ACS: o.acs, RequestIDs: o.requestIDs, Unsolicited: o.unsolicited})
	e := new(saml.Error)
	if errors.As(r.Err, &e) && e.Reason == saml.ReasonConfig {
		return saml.Report{}, inFlags(e, o.flagOf(), "")
	}
	for i := range r.Checks {
		r.Checks[i].Detail = flagNames.Replace(r.Checks[i].Detail)
	}
	e.Detail = flagNames.Replace(e.Detail)
	return r, nil
}

// flagNames replaces the fields that details name by flags.
var flagNames = strings.NewReplacer(
	"Config.WantAssertionsSigned", "-want-assertions-signed", "Config.WantResponsesSigned", "-want-responses-signed",
)

// weakKey completes the error about a -key that is too short. No service provider can use such a key, so the response
// is checked without it.
func (o *options) weakKey(err error, m message) error {
	if o.config.InsecureAllowRSA1024 {
		return err
	}
	out := o.search(m)
	text := err.Error() + "; -allow-rsa1024 would pass this"
	for _, f := range out.Missing {
		if f.Flag != "-allow-rsa1024" {
			text += ", " + f.Flag + " is needed too"
		}
	}
	for _, c := range out.Remaining {
		if c.Rule == configuration {
			return err
		}
		text += "; no flag passes " + c.Rule + ": " + c.Detail
	}
	if out.PassesWithMissing {
		text += "; with that the response would pass"
	}
	return errors.New(text)
}
