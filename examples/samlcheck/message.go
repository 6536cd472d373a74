package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// message is the response that was found in the input.
type message struct {
	body  []byte      // base64 or XML
	notes []string    // on where it was found
	err   *saml.Error // the input holds no response

	form       bool // it came with the other fields of its form
	relayState string
}

// space is white space in XML.
const space = " \t\r\n"

// findMessage finds the response in the input. An error is one of usage: -entry does not fit the input.
func findMessage(input []byte, entry int) (message, error) {
	text := bytes.TrimLeft(bytes.TrimPrefix(input, []byte("\xef\xbb\xbf")), space)
	switch {
	case bytes.HasPrefix(text, []byte("{")):
		return fromArchive(text, entry)
	case entry != 0:
		return message{}, errors.New("-entry is for a HAR file or a SAML-tracer export, and the input is neither")
	case len(input) > maxMessage || isXML(input):
		return message{body: input[:min(len(input), maxMessage)]}, nil // package saml refuses what is too long
	}
	return fromText(string(bytes.TrimRight(text, space))), nil
}

// isXML checks the first byte that is not white space: base64 has no '<'. XML in UTF-16 begins with a byte order mark.
func isXML(message []byte) bool {
	if bytes.HasPrefix(message, []byte("\xff\xfe")) || bytes.HasPrefix(message, []byte("\xfe\xff")) {
		return true
	}
	message = bytes.TrimPrefix(message, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimLeft(message, space), []byte("<"))
}

// noResponse returns a message for input that holds no response.
func noResponse(format string, args ...any) message {
	return message{err: &saml.Error{
		Reason: saml.ReasonBase64, Rule: "A SAMLResponse in the input (Bindings 3.5.4)", Detail: fmt.Sprintf(format, args...),
	}}
}

// fields are the names with a meaning in a SAML form.
var fields = []string{"SAMLResponse", "RelayState", "SAMLRequest", "SAMLart"}

func known(name string) bool { return slices.Contains(fields, name) }

// fromText reads a form body or a single value.
func fromText(text string) message {
	if _, query, ok := strings.Cut(text, "?SAMLResponse="); ok && !strings.Contains(query, "<") {
		return noResponse("it is a URL: responses come by HTTP-POST, not by HTTP-Redirect (Profiles 4.1.2)")
	}
	for _, name := range fields {
		if strings.HasPrefix(text, name+"=") || strings.Contains(text, "&"+name+"=") {
			return fromForm(splitForm(text), false)
		}
	}
	value, err := decodeValue(text)
	if err != nil {
		return noResponse("%v", err)
	}
	return message{body: []byte(value)}
}

// field is a field of a form. Its value is encoded in a form body, and decoded in an archive.
type field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// splitForm returns the fields of a form body that have a meaning. Some tools copy one field a line, and decode the
// values; a line break inside a value is part of it. A body can have millions of lines, so each is looked at once
// and none is copied.
func splitForm(body string) []field {
	var out []field
	add := func(text string) {
		if name, value, _ := strings.Cut(text, "="); known(name) {
			out = append(out, field{name, value})
		}
	}
	for part := range strings.SplitSeq(body, "&") {
		begin := 0
		for at := 0; ; {
			next := strings.IndexByte(part[at:], '\n')
			if next < 0 {
				break
			}
			if at += next + 1; beginsField(part[at:]) {
				add(part[begin : at-1])
				begin = at
			}
		}
		add(part[begin:])
	}
	return out
}

// beginsField reports whether a line begins with a field that has a meaning.
func beginsField(line string) bool {
	return slices.ContainsFunc(fields, func(name string) bool {
		rest, ok := strings.CutPrefix(line, name)
		return ok && strings.HasPrefix(rest, "=")
	})
}

// fromForm finds the response in a form. A duplicate field is refused, because programs disagree about which one
// counts. decoded says that the values are decoded.
func fromForm(form []field, decoded bool) message {
	found := map[string]string{}
	for _, f := range form {
		if !known(f.Name) {
			continue
		}
		if _, twice := found[f.Name]; twice {
			return noResponse("duplicate form field %s", f.Name)
		}
		if !decoded {
			var err error
			if f.Value, err = decodeValue(f.Value); err != nil {
				return noResponse("%v", err)
			}
		}
		found[f.Name] = f.Value
	}
	switch {
	case found["SAMLResponse"] != "":
		return message{body: []byte(found["SAMLResponse"]), form: true, relayState: found["RelayState"]}
	case found["SAMLRequest"] != "":
		return noResponse("the form holds a SAMLRequest: samlcheck reads responses")
	case found["SAMLart"] != "":
		return noResponse("the form holds a SAMLart: the response is in the SOAP envelope that the service got for it")
	}
	return noResponse("the form holds no SAMLResponse")
}

// decodeValue decodes percent-encoding. A value without any is decoded already, and a + in it is not a space.
func decodeValue(value string) (string, error) {
	if !strings.Contains(value, "%") {
		return value, nil
	}
	out, err := url.QueryUnescape(value)
	if err != nil {
		return "", fmt.Errorf("invalid percent-encoding: %w", err)
	}
	return out, nil
}
