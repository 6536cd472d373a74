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
//
//	samlcheck metadata -key federation.pem -entity https://idp.example/shibboleth federation.xml
//
// This says whether the identity providers in a metadata document are usable, and why not: see samlcheck metadata -h.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// Exit codes. Input that can be read but isn't an acceptable response or usable metadata is a rejection, even invalid
// base64.
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
	if len(args) > 0 && args[0] == "metadata" {
		return runMetadata(args[1:], stdin, out)
	}
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
	input, err := readInput(o.file, stdin, maxArchive)
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
