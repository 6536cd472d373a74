// Command samlcheck says whether a captured SAML response would be accepted,
// and why, rule by rule.
//
//	samlcheck -idp-metadata idp.xml -entity-id URI -acs URL -request-id ID -now 2026-01-02T15:04:05Z response.txt
//
// It judges exactly as a service provider that is built on package saml would
// judge the same response at that time; only what such a service provider
// remembers (which requests are open, which assertions were used) has to be
// said by flags, or is not looked at.
package main

import (
	"bytes"
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
	sp, err := o.serviceProvider()
	if err != nil {
		return exitUsage, err
	}
	message, err := o.read(stdin)
	if err != nil {
		return exitUsage, err
	}
	report, err := judge(sp, message, o.expect())
	if err != nil {
		return exitUsage, err
	}
	write := writeText
	if o.json {
		write = writeJSON
	}
	if err := write(out, report); err != nil {
		return exitUsage, err
	}
	if report.Assertion == nil {
		return exitRejected, nil
	}
	return exitAccepted, nil
}

// judge takes both forms. An expectation that makes no sense is the caller's
// mistake and no verdict.
func judge(sp *saml.ServiceProvider, message []byte, want saml.Expect) (saml.Report, error) {
	explain := sp.Explain
	if isXML(message) {
		explain = sp.ExplainXML
	}
	report := explain(message, want)
	var e *saml.Error
	if errors.As(report.Err, &e) && e.Reason == saml.ReasonConfig {
		return saml.Report{}, e
	}
	return report, nil
}

// isXML goes by the first byte that is no white space: base64 has no '<'.
func isXML(message []byte) bool {
	message = bytes.TrimPrefix(message, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimLeft(message, " \t\r\n"), []byte("<"))
}
