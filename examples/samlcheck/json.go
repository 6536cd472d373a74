package main

import (
	"encoding/json"
	"io"

	"github.com/meridian-saml/meridian/saml"
)

// reportJSON is what -json writes; the usage text documents it. Every key is
// always there; assertion is null in a rejection.
type reportJSON struct {
	Accepted  bool           `json:"accepted"`
	Reason    saml.Reason    `json:"reason"`
	Detail    string         `json:"detail"`
	Checks    []checkJSON    `json:"checks"`
	Assertion *assertionJSON `json:"assertion"`

	Missing           []missingJSON   `json:"missing"`
	PassesWithMissing bool            `json:"passes_with_missing"`
	Remaining         []remainingJSON `json:"remaining"`
	Unreached         bool            `json:"unreached"`
	Notes             []string        `json:"notes"`
}

type checkJSON struct {
	Rule   string `json:"rule"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

type missingJSON struct {
	Flag    string   `json:"flag"`
	Passes  []string `json:"passes"`
	GivesUp string   `json:"gives_up"`
}

type remainingJSON struct {
	Rule   string      `json:"rule"`
	Reason saml.Reason `json:"reason"`
	Detail string      `json:"detail"`
	Hint   string      `json:"hint"`
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

type valueJSON struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
	XML  string `json:"xml"`
}

func writeJSON(out io.Writer, r report) error {
	j := reportJSON{
		Accepted: r.Assertion != nil, Checks: checks(r), Missing: []missingJSON{}, PassesWithMissing: r.passes,
		Remaining: []remainingJSON{}, Unreached: r.unreached, Notes: append([]string{}, r.notes...),
	}
	j.Reason, _, j.Detail = verdict(r)
	for _, f := range r.missing {
		m := missingJSON{Flag: f.flag, Passes: []string{}, GivesUp: f.givesUp}
		for _, c := range f.passes {
			m.Passes = append(m.Passes, c.Rule)
		}
		j.Missing = append(j.Missing, m)
	}
	for _, c := range r.remaining {
		j.Remaining = append(j.Remaining, remainingJSON{c.Rule, c.Reason, c.Detail, hints[c.Reason]})
	}
	if r.Assertion != nil {
		j.Assertion = inJSON(r.Assertion)
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(j)
}

func inJSON(a *saml.Assertion) *assertionJSON {
	j := &assertionJSON{Issuer: a.Issuer(), SessionIndex: a.SessionIndex(), Attributes: make(map[string][]string), AttributeValues: []attributeJSON{}}
	j.NameID.Value, j.NameID.Format = a.NameID().Value, a.NameID().Format
	for _, attr := range a.Attributes() {
		j.Attributes[attr.Name] = append([]string{}, a.Values(attr.Name)...)
		all := attributeJSON{attr.Name, attr.NameFormat, attr.FriendlyName, []valueJSON{}}
		for _, v := range attr.Values {
			all.Values = append(all.Values, valueJSON{kindOf(v), v.Text, inXML(v.Elements)})
		}
		j.AttributeValues = append(j.AttributeValues, all)
	}
	return j
}
