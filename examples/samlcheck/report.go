package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/meridian-saml/meridian/saml"
)

// reportJSON is what -json writes. Every key is always there; assertion is
// null in a rejection.
type reportJSON struct {
	Accepted  bool           `json:"accepted"`
	Reason    saml.Reason    `json:"reason"` // empty if accepted
	Detail    string         `json:"detail"`
	Checks    []checkJSON    `json:"checks"`
	Assertion *assertionJSON `json:"assertion"`
}

type checkJSON struct {
	Rule   string `json:"rule"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

type assertionJSON struct {
	Issuer string `json:"issuer"`
	NameID struct {
		Value  string `json:"value"`
		Format string `json:"format"`
	} `json:"name_id"`
	SessionIndex string `json:"session_index"`
	// Attributes holds the text values, by Name. A value that holds elements
	// is no text, and is left out; the text report mentions it.
	Attributes map[string][]string `json:"attributes"`
}

// certificateRule is no rule of the verdict: a certificate's dates are
// reported, not enforced.
const certificateRule = "Certificate dates (Metadata Interoperability 2.6.1), not enforced"

// verdict gives the Reason and the detail of the first rule that didn't hold.
func verdict(r saml.Report) (reason saml.Reason, rule, detail string) {
	var e *saml.Error
	if !errors.As(r.Err, &e) {
		return "", "", ""
	}
	return e.Reason, e.Rule, e.Explain()
}

// checks lists the rules, and what was noted beside them.
func checks(r saml.Report) []checkJSON {
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

func writeJSON(out io.Writer, r saml.Report) error {
	report := reportJSON{Accepted: r.Assertion != nil, Checks: checks(r)}
	report.Reason, _, report.Detail = verdict(r)
	if a := r.Assertion; a != nil {
		j := &assertionJSON{Issuer: a.Issuer(), SessionIndex: a.SessionIndex(), Attributes: make(map[string][]string)}
		j.NameID.Value, j.NameID.Format = a.NameID().Value, a.NameID().Format
		for _, attr := range a.Attributes() {
			if values := a.Values(attr.Name); values != nil {
				j.Attributes[attr.Name] = values
			} else {
				j.Attributes[attr.Name] = []string{}
			}
		}
		report.Assertion = j
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(report)
}

func writeText(out io.Writer, r saml.Report) error {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(printable(fmt.Sprintf(format, args...)) + "\n") }
	for _, c := range checks(r) {
		mark, detail := "ok  ", ""
		if !c.OK {
			mark = "FAIL"
		}
		if c.Detail != "" {
			detail = ": " + c.Detail
		}
		line("%s  %s%s", mark, c.Rule, detail)
	}
	line("")
	if r.Assertion == nil {
		reason, rule, detail := verdict(r)
		line("rejected: %s: %s", reason, strings.TrimPrefix(rule+": "+detail, ": "))
	} else {
		line("accepted")
		describe(line, r.Assertion)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// describe tells what the assertion says. Values are quoted: they are the
// identity provider's, and this goes to a terminal.
func describe(line func(string, ...any), a *saml.Assertion) {
	name := a.NameID()
	line("  issuer          %q", a.Issuer())
	line("  name ID         %q", name.Value)
	line("    format        %q", name.Format)
	line("  in response to  %q", a.InResponseTo())
	line("  session index   %q", a.SessionIndex())
	line("  authenticated   %s, %q", instant(a.AuthnInstant()), a.AuthnContext())
	line("  usable before   %s", instant(a.NotOnOrAfter()))
	if end := a.SessionNotOnOrAfter(); !end.IsZero() {
		line("  session ends    %s", instant(end))
	}
	for _, attr := range a.Attributes() {
		var values []string
		for _, v := range attr.Values {
			switch {
			case v.Nil:
				values = append(values, "nil")
			case len(v.Elements) > 0:
				values = append(values, fmt.Sprintf("(%d elements)", len(v.Elements)))
			default:
				values = append(values, strconv.Quote(v.Text))
			}
		}
		line("  attribute       %q = %s", attr.Name, strings.Join(values, ", "))
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
