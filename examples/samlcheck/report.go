package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// report is the verdict of the given flags, and the effect of other flags. -json writes it unchanged; the usage text
// documents it. Every key is always there.
type report struct {
	Accepted  bool           `json:"accepted"`
	Reason    saml.Reason    `json:"reason"` // of the first rule that failed
	Detail    string         `json:"detail"`
	Checks    []check        `json:"checks"`
	Assertion *assertionJSON `json:"assertion"` // null in a rejection
	outcome
	Notes []string `json:"notes"`

	rule      string // of Reason
	assertion *saml.Assertion
}

type check struct {
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
	// Attributes holds the text values, by Name; AttributeValues has all.
	Attributes      map[string][]string `json:"attributes"`
	AttributeValues []attributeJSON     `json:"attribute_values"`
}

type attributeJSON struct {
	Name         string      `json:"name"`
	NameFormat   string      `json:"name_format"`
	FriendlyName string      `json:"friendly_name"`
	Values       []valueJSON `json:"values"`
}

// warningRule doesn't affect the verdict: warnings are reported, not enforced.
const warningRule = "Warning, not enforced"

func newReport(r saml.Report, out outcome, notes []string) *report {
	j := &report{
		Accepted: r.Assertion != nil, Checks: []check{}, outcome: out, Notes: append([]string{}, notes...),
		assertion: r.Assertion,
	}
	j.Missing = append([]missing{}, j.Missing...) // in JSON, [] and not null
	j.Remaining = append([]remaining{}, j.Remaining...)
	if e := new(saml.Error); errors.As(r.Err, &e) {
		j.Reason, j.rule, j.Detail = e.Reason, e.Rule, e.Explain()
	}
	for _, c := range r.Checks {
		j.Checks = append(j.Checks, check{c.Rule, c.OK, c.Detail})
	}
	if r.Assertion != nil {
		for _, warning := range r.Assertion.Warnings() {
			j.Checks = append(j.Checks, check{warningRule, true, warning})
		}
		j.Assertion = newAssertionJSON(r.Assertion)
	}
	return j
}

func newAssertionJSON(a *saml.Assertion) *assertionJSON {
	j := &assertionJSON{
		Issuer: a.Issuer(), SessionIndex: a.SessionIndex(),
		Attributes: map[string][]string{}, AttributeValues: []attributeJSON{},
	}
	j.NameID.Value, j.NameID.Format = a.NameID().Value, a.NameID().Format
	for _, attr := range a.Attributes() {
		j.Attributes[attr.Name] = append([]string{}, a.Values(attr.Name)...)
		all := attributeJSON{attr.Name, attr.NameFormat, attr.FriendlyName, []valueJSON{}}
		for _, v := range attr.Values {
			all.Values = append(all.Values, newValueJSON(v))
		}
		j.AttributeValues = append(j.AttributeValues, all)
	}
	return j
}

func (r *report) writeJSON(out io.Writer) error {
	_, err := io.WriteString(out, indented(r, "")+"\n")
	return err
}

func (r *report) writeText(out io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(printable(fmt.Sprintf(format, args...)) + "\n") }
	for _, c := range r.Checks {
		mark := "ok  "
		if !c.OK {
			mark = "FAIL"
		}
		line("%s  %s", mark, withDetail(c.Rule, c.Detail))
	}
	for _, n := range r.Notes {
		line("note  %s", n)
	}
	line("")
	if r.Accepted {
		line("accepted")
		describe(line, r.Assertion, r.assertion)
	} else {
		line("rejected: %s: %s", r.Reason, strings.TrimPrefix(r.rule+": "+r.Detail, ": "))
		r.suggest(line)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func withDetail(rule, detail string) string { return strings.TrimSuffix(rule+": "+detail, ": ") }

// suggest lists the flags that would pass what failed, and the rules that no flag passes.
func (r *report) suggest(line func(string, ...any)) {
	if len(r.Missing) > 0 {
		line("")
		switch {
		case r.PassesWithMissing:
			line("With all of these the response would pass:")
		case r.Unreached:
			line("At least these are missing:")
		default:
			line("These would pass a part of it:")
		}
	}
	for _, f := range r.Missing {
		if f.Flag == keyFlag {
			line("  %s is needed:", f.Flag)
		} else {
			line("  %s would pass this:", f.Flag)
		}
		for _, c := range f.checks {
			line("    %s", withDetail(c.Rule, c.Detail))
		}
		line("    gives up: %s", f.GivesUp)
	}
	if len(r.Remaining) > 0 {
		line("")
		line("No flag passes this:")
	}
	for _, c := range r.Remaining {
		line("  %s", withDetail(c.Rule, c.Detail))
		if c.Hint != "" {
			line("    %s", c.Hint)
		}
	}
	if r.Unreached {
		line("")
		line("Later rules could not be checked.")
	}
}

// notes returns what is worth knowing beside the rules. a is nil in a rejection.
func (o *options) notes(m message, a *saml.Assertion) []string {
	out := slices.Clone(m.notes)
	for _, w := range o.config.IdP.IdP().Warnings() {
		out = append(out, "the identity provider's metadata: "+w)
	}
	if artifact, ok := o.artifact(m); ok && artifact.assumed {
		out = append(out, "whether the ArtifactResponse answers the ArtifactResolve of this service was not checked: "+
			"give its ID with -resolve-id")
	}
	if m.form && (m.relayState == "" || m.relayState == "null") && len(scan(decoded(m.body)).requestIDs) > 0 {
		out = append(out, fmt.Sprintf("the response names a request, and RelayState in the form is %q: "+
			"a service that sent one with its request may require it (Bindings 3.5.3); "+
			"package acs accepts an empty one, and refuses another", m.relayState))
	}
	if a == nil {
		return out
	}
	if name := a.NameID().Value; strings.TrimSpace(name) != name {
		out = append(out, fmt.Sprintf("the NameID begins or ends with white space, which is part of the name: %q", name))
	}
	return out
}

// describe shows the assertion. Values are quoted, because the sender chose them and a terminal shows them.
func describe(line func(string, ...any), j *assertionJSON, a *saml.Assertion) {
	line("  issuer          %q", j.Issuer)
	if a.NameID() == (saml.NameID{}) {
		line("  name ID         (none)")
	} else {
		line("  name ID         %q", j.NameID.Value)
		line("    format        %q", j.NameID.Format)
	}
	if id := a.InResponseTo(); id == "" {
		line("  in response to  (no request)")
	} else {
		line("  in response to  %q", id)
	}
	line("  session index   %q", j.SessionIndex)
	line("  authenticated   %s, %q", instant(a.AuthnInstant()), a.AuthnContext())
	line("  usable before   %s", instant(a.NotOnOrAfter()))
	if end := a.SessionNotOnOrAfter(); !end.IsZero() {
		line("  session ends    %s", instant(end))
	}
	for _, attr := range j.AttributeValues {
		line("  attribute       %q = %s", attr.Name, listed(attr.Values))
	}
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

type valueJSON struct {
	Kind string `json:"kind"` // "text", "nil" or "xml"
	Text string `json:"text"`
	XML  string `json:"xml"`
}

func newValueJSON(v saml.AttributeValue) valueJSON {
	var b strings.Builder
	writeElements(&b, v.Elements, "")
	j := valueJSON{"text", v.Text, b.String()}
	switch {
	case v.Nil:
		j.Kind = "nil"
	case len(v.Elements) > 0:
		j.Kind = "xml"
	}
	return j
}

// listed shows the values of an attribute so that they can be told apart: text is quoted, also an empty one; xsi:nil
// is nil; elements are XML.
func listed(values []valueJSON) string {
	if len(values) == 0 {
		return "(no value)"
	}
	var out []string
	for _, v := range values {
		switch v.Kind {
		case "nil":
			out = append(out, "nil")
		case "xml":
			out = append(out, v.XML)
		default:
			out = append(out, strconv.Quote(v.Text))
		}
	}
	return strings.Join(out, ", ")
}

func writeElements(b *strings.Builder, elements []saml.Element, namespace string) {
	for _, e := range elements {
		b.WriteString("<" + e.Name)
		if e.Namespace != namespace {
			writeAttribute(b, "xmlns", e.Namespace)
		}
		for i, a := range e.Attributes {
			name := a.Name
			if a.Namespace != "" {
				prefix := "a" + strconv.Itoa(i)
				writeAttribute(b, "xmlns:"+prefix, a.Namespace)
				name = prefix + ":" + name
			}
			writeAttribute(b, name, a.Value)
		}
		b.WriteString(">")
		_ = xml.EscapeText(b, []byte(e.Text))
		writeElements(b, e.Elements, e.Namespace)
		b.WriteString("</" + e.Name + ">")
	}
}

func writeAttribute(b *strings.Builder, name, value string) {
	b.WriteString(" " + name + `="`)
	_ = xml.EscapeText(b, []byte(value))
	b.WriteString(`"`)
}
