package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// message is the response that was found in the input.
type message struct {
	body  []byte   // base64 or XML
	notes []string // on where it was found
	err   error    // the input was read, and holds no response

	form       bool // it came with the other fields of its form
	relayState string
}

// space is what XML calls white space.
const space = " \t\r\n"

// findMessage finds the response in what people have. An error is one of
// usage: -entry does not fit the input.
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

// isXML goes by the first byte that is no white space: base64 has no '<'.
// XML in UTF-16 begins with a byte order mark.
func isXML(message []byte) bool {
	if bytes.HasPrefix(message, []byte("\xff\xfe")) || bytes.HasPrefix(message, []byte("\xfe\xff")) {
		return true
	}
	message = bytes.TrimPrefix(message, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimLeft(message, space), []byte("<"))
}

// noResponse is the error for input that holds no response.
func noResponse(format string, args ...any) error {
	return &saml.Error{Reason: saml.ReasonBase64, Rule: "A SAMLResponse in the input (Bindings 3.5.4)", Detail: fmt.Sprintf(format, args...)}
}

// fields are the names that mean something in a SAML form.
var fields = []string{"SAMLResponse", "RelayState", "SAMLRequest", "SAMLart"}

// fromText reads a form body or a value alone.
func fromText(text string) message {
	if _, query, ok := strings.Cut(text, "?SAMLResponse="); ok && !strings.Contains(query, "<") {
		return message{err: noResponse("it is a URL: responses come by HTTP-POST, not by HTTP-Redirect (Profiles 4.1.2)")}
	}
	for _, name := range fields {
		if strings.HasPrefix(text, name+"=") || strings.Contains(text, "&"+name+"=") {
			return fromForm(splitForm(text), false)
		}
	}
	value, err := decodeValue(text)
	if err != nil {
		return message{err: err}
	}
	return message{body: []byte(value)}
}

// field is one of a form, not decoded.
type field struct{ name, value string }

// splitForm finds the fields of a form body that mean something. Some tools copy
// a line a field, and decode the values; a line break inside a value belongs to
// it. A body can have millions of lines, so each is looked at once and none is
// copied.
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

// beginsField says whether a line begins with a field that means something.
func beginsField(line string) bool {
	for _, name := range fields {
		if strings.HasPrefix(line, name) && strings.HasPrefix(line[len(name):], "=") {
			return true
		}
	}
	return false
}

func known(name string) bool {
	for _, f := range fields {
		if name == f {
			return true
		}
	}
	return false
}

// fromForm takes the response from a form. A field that comes twice is refused:
// programs disagree about which one counts. decoded says that the values are.
func fromForm(form []field, decoded bool) message {
	found := map[string]string{}
	for _, f := range form {
		if !known(f.name) {
			continue
		}
		if _, twice := found[f.name]; twice {
			return message{err: noResponse("duplicate form field %s", f.name)}
		}
		if !decoded {
			var err error
			if f.value, err = decodeValue(f.value); err != nil {
				return message{err: err}
			}
		}
		found[f.name] = f.value
	}
	response, ok := found["SAMLResponse"]
	switch {
	case ok && response != "":
		return message{body: []byte(response), form: true, relayState: found["RelayState"]}
	case found["SAMLRequest"] != "":
		return message{err: noResponse("the form holds a SAMLRequest: samlcheck reads responses")}
	case found["SAMLart"] != "":
		return message{err: noResponse("the form holds a SAMLart: the response is fetched by HTTP-Artifact, and is not in the form")}
	}
	return message{err: noResponse("the form holds no SAMLResponse")}
}

// decodeValue undoes percent-encoding where there is any. Without it, a + is a
// + and not a space: then a tool has decoded the value already.
func decodeValue(value string) (string, error) {
	if !strings.Contains(value, "%") {
		return value, nil
	}
	out, err := url.QueryUnescape(value)
	if err != nil {
		return "", noResponse("the value is not well percent-encoded: %v", err)
	}
	return out, nil
}
