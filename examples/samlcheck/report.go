package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/meridian-saml/meridian/saml"
)

// certificateRule is no rule of the verdict: a certificate's dates are
// reported, not enforced.
const certificateRule = "Certificate dates (Metadata Interoperability 2.6.1), not enforced"

// verdict gives the Reason and the detail of the first rule that didn't hold.
func verdict(r report) (reason saml.Reason, rule, detail string) {
	var e *saml.Error
	if !errors.As(r.Err, &e) {
		return "", "", ""
	}
	return e.Reason, e.Rule, e.Explain()
}

// checks lists the rules, and what was noted beside them.
func checks(r report) []checkJSON {
	out := []checkJSON{}
	for _, c := range r.Checks {
		out = append(out, checkJSON{Rule: c.Rule, OK: c.OK, Detail: c.Detail})
	}
	if r.Assertion != nil {
		for _, warning := range r.Assertion.Warnings() {
			out = append(out, checkJSON{Rule: certificateRule, OK: true, Detail: warning})
		}
	}
	return out
}

func writeText(out io.Writer, r report) error {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(printable(fmt.Sprintf(format, args...)) + "\n") }
	for _, c := range checks(r) {
		mark := "ok  "
		if !c.OK {
			mark = "FAIL"
		}
		line("%s  %s", mark, withDetail(c.Rule, c.Detail))
	}
	for _, n := range r.notes {
		line("note  %s", n)
	}
	line("")
	if r.Assertion == nil {
		reason, rule, detail := verdict(r)
		line("rejected: %s: %s", reason, strings.TrimPrefix(rule+": "+detail, ": "))
		suggest(line, r)
	} else {
		line("accepted")
		describe(line, r.Assertion)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func withDetail(rule, detail string) string {
	if detail == "" {
		return rule
	}
	return rule + ": " + detail
}

// suggest lists the flags that would pass what failed, and what none passes.
func suggest(line func(string, ...any), r report) {
	if len(r.missing) > 0 {
		line("")
		switch {
		case r.passes:
			line("With all of these the response would pass:")
		case r.unreached:
			line("At least these are missing:")
		default:
			line("These would pass a part of it:")
		}
	}
	for _, f := range r.missing {
		if f.flag == keyFlag {
			line("  %s is needed:", f.flag)
		} else {
			line("  %s would pass this:", f.flag)
		}
		for _, c := range f.passes {
			line("    %s", withDetail(c.Rule, c.Detail))
		}
		line("    gives up: %s", f.givesUp)
	}
	if len(r.remaining) > 0 {
		line("")
		line("No flag passes this:")
	}
	for _, c := range r.remaining {
		line("  %s", withDetail(c.Rule, c.Detail))
		if hint := hints[c.Reason]; hint != "" {
			line("    %s", hint)
		}
	}
	if r.unreached {
		line("")
		line("Later rules could not be looked at.")
	}
}

// hints say what to look for where no flag helps.
var hints = map[saml.Reason]string{
	saml.ReasonBase64:      "Is the value complete, and as it was posted?",
	saml.ReasonXML:         "Is the value complete, and as it was posted?",
	saml.ReasonStatus:      "The identity provider refused the sign-in: its log says why.",
	saml.ReasonUnsigned:    "The identity provider must sign the Response, the assertion or both.",
	saml.ReasonSignature:   "Is the metadata or certificate current, and that of the identity provider that sent the response? A copy that was formatted or edited does not verify.",
	saml.ReasonIssuer:      "Is the metadata that of the identity provider that sent the response?",
	saml.ReasonEncrypted:   "Is -key the private key of the certificate that the identity provider has for this service?",
	saml.ReasonRecipient:   "The identity provider made the assertion for another URL.",
	saml.ReasonDestination: "The identity provider sent the response to another URL.",
}

// notes are what is worth knowing beside the rules.
func notes(s setup, m message, r report) []string {
	out := slices.Clone(m.notes)
	for _, w := range s.idp.Warnings() {
		out = append(out, "the identity provider's metadata: "+w)
	}
	if m.form && (m.relayState == "" || m.relayState == "null") && len(scan(decoded(m.body)).requestIDs) > 0 {
		out = append(out, fmt.Sprintf("the response names a request, and RelayState in the form is %q: a service that sent one with its request may want it back (Bindings 3.5.3); package acs takes an empty one, and refuses another", m.relayState))
	}
	if r.Assertion == nil {
		return out
	}
	if name := r.Assertion.NameID().Value; strings.TrimSpace(name) != name {
		out = append(out, fmt.Sprintf("the NameID begins or ends with white space, which is part of the name: %q", name))
	}
	return out
}

// describe tells what the assertion says. Values are quoted: they are the
// identity provider's, and this goes to a terminal.
func describe(line func(string, ...any), a *saml.Assertion) {
	name := a.NameID()
	line("  issuer          %q", a.Issuer())
	if name == (saml.NameID{}) {
		line("  name ID         (none)")
	} else {
		line("  name ID         %q", name.Value)
		line("    format        %q", name.Format)
	}
	if id := a.InResponseTo(); id == "" {
		line("  in response to  (no request)")
	} else {
		line("  in response to  %q", id)
	}
	line("  session index   %q", a.SessionIndex())
	line("  authenticated   %s, %q", instant(a.AuthnInstant()), a.AuthnContext())
	line("  usable before   %s", instant(a.NotOnOrAfter()))
	if end := a.SessionNotOnOrAfter(); !end.IsZero() {
		line("  session ends    %s", instant(end))
	}
	for _, attr := range a.Attributes() {
		line("  attribute       %q = %s", attr.Name, listed(attr.Values))
	}
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// printable keeps a text from doing anything to a terminal but being shown on
// one line of it.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}
