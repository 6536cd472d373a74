package main_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// object is a JSON object.
type object = map[string]any

func inJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

// Forms that were copied from a browser's tools are read as they are.
func TestCopiedForms(t *testing.T) {
	c, dir := named(t, "Google")
	packed := base64.StdEncoding.EncodeToString(c.document(t, dir))
	require.Contains(t, packed, "+")
	escaped := url.QueryEscape(packed)
	lines := packed[:76] + "\r\n" + packed[76:]
	for name, x := range map[string]struct{ text, note string }{
		"form body":                     {"SAMLResponse=" + escaped + "&RelayState=x", ""},
		"form body, RelayState first":   {"RelayState=x&SAMLResponse=" + escaped + "\n", ""},
		"form body, other fields":       {"a=b&RelayState=x&SAMLResponse=" + escaped + "&c=", ""},
		"form body, lines in the value": {"SAMLResponse=" + url.QueryEscape(lines) + "&RelayState=x", ""},
		"a line a field, decoded":       {"SAMLResponse=" + packed + "\nRelayState=x", ""},
		"lines in a decoded value":      {"SAMLResponse=" + lines + "\r\nRelayState=x", ""},
		"without RelayState":            {"SAMLResponse=" + escaped, `RelayState in the form is ""`},
		"RelayState null":               {"SAMLResponse=" + escaped + "&RelayState=null", `RelayState in the form is "null"`},
		"value":                         {escaped, ""},
		"value in small letters": {strings.NewReplacer("%2B", "%2b", "%2F", "%2f", "%3D",
			"%3d").Replace(escaped) + "\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := requireVerdict(t, "accepted", []byte(x.text), c.args(dir)...)
			if x.note == "" {
				require.Empty(t, r.Notes)
				return
			}
			require.Len(t, r.Notes, 1)
			require.Contains(t, r.Notes[0], x.note)
		})
	}
}

// har returns a file with two responses, of which only the first is acceptable.
func har(t *testing.T, good string, asText bool) []byte {
	t.Helper()
	post := func(value string) object {
		data := object{"mimeType": "application/x-www-form-urlencoded"}
		if asText {
			data["text"] = "SAMLResponse=" + url.QueryEscape(value) + "&RelayState=x"
		} else {
			data["params"] = []object{{"name": "SAMLResponse", "value": value}, {"name": "RelayState", "value": "x"}}
		}
		return object{
			"startedDateTime": "2026-11-28T12:00:00Z",
			"request":         object{"method": "POST", "url": "https://sp.example/acs", "postData": data},
		}
	}
	get := object{"request": object{"method": "GET", "url": "https://sp.example/?SAMLResponse=x"}}
	return inJSON(
		t,
		object{
			"log": object{
				"version": "1.2",
				"entries": []object{get, post(good), get, post(base64.StdEncoding.EncodeToString([]byte("<a/>"))), get},
			},
		},
	)
}

func TestHAR(t *testing.T) {
	c, dir := named(t, "Google")
	packed := base64.StdEncoding.EncodeToString(c.document(t, dir))
	for _, asText := range []bool{true, false} {
		file := har(t, packed, asText)
		r := requireVerdict(t, "NotResponse", file, c.args(dir)...)
		require.Equal(
			t,
			`response 2 of 2 in the HAR file, posted to "https://sp.example/acs" at "2026-11-28T12:00:00Z"; -entry N takes another`,
			r.Notes[0],
		)
		r = requireVerdict(t, "accepted", file, append([]string{"-entry", "1"}, c.args(dir)...)...)
		require.Contains(t, r.Notes[0], "response 1 of 2")
		requireVerdict(t, "NotResponse", file, append([]string{"-entry", "2"}, c.args(dir)...)...)
		requireUsageError(
			t,
			"the HAR file has 2 POSTs with a SAMLResponse",
			file,
			append([]string{"-entry", "3"}, c.args(dir)...)...)
	}
}

func TestSAMLTracerExport(t *testing.T) {
	c, dir := named(t, "Google")
	doc := c.document(t, dir)
	export := func(value string) []byte {
		return inJSON(t, object{"timestamp": "2026-11-28T12:00:00.000Z", "requests": []object{
			{
				"method":   "GET",
				"url":      "https://idp.example/sso?SAMLRequest=x",
				"get":      [][]string{{"SAMLRequest", "x"}},
				"saml":     "<a/>",
				"protocol": "SAML-P",
			},
			{
				"method":    "POST",
				"url":       "https://sp.example/acs",
				"requestId": "request-1",
				"post":      [][]string{{"SAMLResponse", value}, {"RelayState", "x"}},
				"protocol":  "SAML-P",
				"saml":      string(doc),
			},
			{"method": "POST", "url": "https://sp.example/other", "post": [][]string{{"a", "b"}}},
		}})
	}
	r := requireVerdict(t, "accepted", export(base64.StdEncoding.EncodeToString(doc)), c.args(dir)...)
	require.Equal(t, []string{`response 1 of 1 in the SAML-tracer export, posted to "https://sp.example/acs"`}, r.Notes)
	r = requireVerdict(t, "accepted", export("*************"), c.args(dir)...)
	require.Len(t, r.Notes, 2)
	require.Contains(t, r.Notes[1], "hides the form's values")
}

// Ambiguous input, or input without a response, is rejected, and the report says what it is.
func TestInputWithoutOneResponse(t *testing.T) {
	c, dir := named(t, "Google")
	for input, want := range map[string]string{
		"SAMLResponse=PGEvPg%3D%3D&SAMLResponse=PGIvPg%3D%3D": "duplicate form field SAMLResponse",
		`{"log": {"entries": []}, "requests": []}`:            "both a HAR file and an export of SAML-tracer",
		`{"log": {"entries": []}}`:                            "no POST with a SAMLResponse in the HAR file",
		`{"a": 1}`:                                            "neither a HAR file nor an export of SAML-tracer",
		`{"log": `:                                            "it begins like JSON and is neither a HAR file nor",
		"RelayState=x":                                        "the form holds no SAMLResponse",
		"SAMLRequest=PGEvPg%3D%3D&RelayState=x":               "samlcheck reads responses",
		"SAMLart=AAQAAA&RelayState=x":                         "the form holds a SAMLart",
		"https://sp.example/acs?SAMLResponse=fZ":              "responses come by HTTP-POST",
		"PGEvPg%3":                                            "invalid percent-encoding",
		`{"log": "` + strings.Repeat("x", 65<<20) + `"}`:      "save only the requests of the sign-in",
	} {
		r := requireVerdict(t, "Base64", []byte(input), c.args(dir)...)
		require.Contains(t, *r.Detail, want)
	}
}
