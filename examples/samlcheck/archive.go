package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// archive is a HAR file (HTTP Archive 1.2) or an export of SAML-tracer, without the unneeded fields.
type archive struct {
	Log *struct {
		Entries kept[harEntry] `json:"entries"`
	} `json:"log"`
	Requests kept[tracerRequest] `json:"requests"` // SAML-tracer's
}

type harEntry struct {
	Started string `json:"startedDateTime"`
	Request struct {
		Method   string `json:"method"`
		URL      string `json:"url"`
		PostData struct {
			Text   string      `json:"text"`
			Params kept[field] `json:"params"`
		} `json:"postData"`
	} `json:"request"`
}

type tracerRequest struct {
	Method string     `json:"method"`
	URL    string     `json:"url"`
	Post   kept[pair] `json:"post"` // decoded; the export can hide the values
	SAML   string     `json:"saml"` // the decoded message
}

// pair is a name and a value.
type pair []string

func (e harEntry) counts() bool {
	data := e.Request.PostData
	return e.Request.Method == "POST" && (strings.Contains(data.Text, "SAMLResponse") || len(data.Params) > 0)
}

func (f field) counts() bool         { return known(f.Name) }
func (r tracerRequest) counts() bool { return r.Method == "POST" && len(r.Post) > 0 }
func (p pair) counts() bool          { return len(p) == 2 && known(p[0]) }

// kept is a list in JSON without the elements that don't count. They are decoded one by one: a list of millions
// would take many times its size.
type kept[T interface{ counts() bool }] []T

// UnmarshalJSON implements json.Unmarshaler.
func (k *kept[T]) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	first, err := d.Token()
	switch {
	case err != nil || first == nil: // null
		return err
	case first != json.Delim('['):
		return errors.New("want a list")
	}
	*k = kept[T]{}
	for d.More() {
		var one T
		if err := d.Decode(&one); err != nil {
			return err
		}
		if one.counts() {
			*k = append(*k, one)
		}
	}
	return nil
}

// posted is a POST with a SAMLResponse.
type posted struct {
	url, when string
	message
}

// fromArchive returns one of the responses in a file of recorded requests.
func fromArchive(text []byte, entry int) (message, error) {
	if len(text) > maxArchive {
		return noResponse("the file is longer than %d bytes: save only the requests of the sign-in", maxArchive), nil
	}
	var a archive
	if err := json.Unmarshal(text, &a); err != nil {
		return noResponse("it begins like JSON and is neither a HAR file nor an export of SAML-tracer: %v", err), nil
	}
	var kind string
	var all []posted
	switch {
	case a.Log != nil && a.Requests != nil:
		return noResponse("it is both a HAR file and an export of SAML-tracer"), nil
	case a.Log != nil:
		kind, all = "HAR file", a.har()
	case a.Requests != nil:
		kind, all = "SAML-tracer export", a.tracer()
	default:
		return noResponse("JSON that is neither a HAR file nor an export of SAML-tracer"), nil
	}
	if len(all) == 0 {
		return noResponse("no POST with a SAMLResponse in the %s", kind), nil
	}
	if entry > len(all) {
		return message{}, fmt.Errorf("-entry %d: the %s has %d POSTs with a SAMLResponse", entry, kind, len(all))
	}
	if entry == 0 {
		entry = len(all)
	}
	p := all[entry-1]
	note := fmt.Sprintf("response %d of %d in the %s, posted to %q", entry, len(all), kind, p.url)
	if p.when != "" {
		note += fmt.Sprintf(" at %q", p.when)
	}
	if len(all) > 1 {
		note += "; -entry N takes another"
	}
	p.notes = append([]string{note}, p.notes...)
	return p.message, nil
}

// har returns the responses of a HAR file. The text of a body is as it was sent; browsers that leave it out list the
// fields.
func (a *archive) har() (out []posted) {
	for _, e := range a.Log.Entries {
		form := []field(e.Request.PostData.Params)
		if text := e.Request.PostData.Text; text != "" {
			form = splitForm(text)
		}
		if hasResponse(form) {
			out = append(out, posted{e.Request.URL, e.Started, fromForm(form, false)})
		}
	}
	return out
}

// tracer returns the responses of an export of SAML-tracer. If the export hides the form's values, the message that
// SAML-tracer decoded is taken.
func (a *archive) tracer() (out []posted) {
	for _, r := range a.Requests {
		var form []field
		for _, p := range r.Post {
			form = append(form, field{p[0], p[1]})
		}
		if !hasResponse(form) {
			continue
		}
		m := fromForm(form, true)
		if m.err == nil && !isXML(decoded(m.body)) && isXML([]byte(r.SAML)) {
			m = message{body: []byte(r.SAML), notes: []string{
				"the export hides the form's values, so the XML that SAML-tracer decoded is taken, and RelayState is not known",
			}}
		}
		out = append(out, posted{url: r.URL, message: m})
	}
	return out
}

func hasResponse(form []field) bool {
	return slices.ContainsFunc(form, func(f field) bool { return f.Name == "SAMLResponse" })
}

// decoded returns the XML of a message in either form, or nil. It is for information only; package saml decodes what
// is verified.
func decoded(body []byte) []byte {
	if isXML(body) {
		return body
	}
	packed := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(string(body))
	doc, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(doc)
}
