package acs

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const formType = "application/x-www-form-urlencoded"

// input is what a browser brings to an ACS URL: a response in base64, or an artifact.
type input struct{ response, artifact, relayState string }

// readInput reads a response from the form of a POST, and an artifact from that or from the query of a GET, if the
// endpoint takes artifacts.
func (c *Consumer) readInput(w http.ResponseWriter, r *http.Request, held *holding) (input, error) {
	methods := http.MethodPost
	if c.here.ArtifactIndex != nil {
		methods = "GET, POST"
	}
	switch {
	case r.Method == http.MethodPost:
		return c.readForm(w, r, held)
	case r.Method == http.MethodGet && c.here.ArtifactIndex != nil:
		return readArtifact(r)
	}
	w.Header().Set("Allow", methods)
	return input{}, newError(ReasonMethod, "Method (Bindings 3.5.4)", "").compared(methods, r.Method)
}

// readArtifact reads the artifact in the query of a GET (Bindings 3.6.3). An image, a frame or a prefetch must not use
// up what a navigation of the user can use once only.
func readArtifact(r *http.Request) (input, error) {
	if err := CheckNavigation(r); err != nil {
		return input{}, err
	}
	fields, err := formFields(r.URL.RawQuery, "SAMLart", "RelayState")
	if err != nil {
		return input{}, err
	}
	if fields["SAMLart"] == "" {
		return input{}, badForm("no SAMLart")
	}
	return input{artifact: fields["SAMLart"], relayState: fields["RelayState"]}, nil
}

// withoutArtifact returns a query without the parameters that an identity provider adds to it.
func withoutArtifact(query string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return name == "SAMLart" || name == "RelayState"
	}), "&")
}

// readForm reads a posted form (Bindings 3.5.4, 3.6.4). It ignores the query, because its author may not be the author
// of the form.
func (c *Consumer) readForm(w http.ResponseWriter, r *http.Request, held *holding) (input, error) {
	if mediaType(r) != formType {
		return input{}, newError(ReasonContentType, "Content-Type (Bindings 3.5.4)", "").
			compared(formType, r.Header.Get("Content-Type"))
	}
	if _, err := formFields(r.URL.RawQuery); err != nil {
		return input{}, err
	}
	body, err := c.readBody(w, r, held)
	if err != nil {
		return input{}, err
	}
	wanted := []string{"SAMLResponse", "RelayState"}
	if c.here.ArtifactIndex != nil {
		wanted = append(wanted, "SAMLart")
	}
	fields, err := formFields(body, wanted...)
	if err != nil {
		return input{}, err
	}
	_, isResponse := fields["SAMLResponse"]
	_, isArtifact := fields["SAMLart"]
	in := input{fields["SAMLResponse"], fields["SAMLart"], fields["RelayState"]}
	switch {
	case in.response == "" && in.artifact == "":
		return input{}, badForm("no SAMLResponse")
	case isResponse && isArtifact:
		return input{}, badForm("both SAMLResponse and SAMLart")
	}
	return in, nil
}

// readBody reads the body of a request, of at most MaxBody bytes.
func (c *Consumer) readBody(w http.ResponseWriter, r *http.Request, held *holding) (string, error) {
	body, err := readHeld(http.MaxBytesReader(w, r.Body, c.cfg.MaxBody), r.ContentLength, c.cfg.MaxBody, held)
	switch {
	case errors.Is(err, errNoRoom):
		return "", busy(w)
	case errors.As(err, new(*http.MaxBytesError)):
		return "", &Error{Reason: ReasonTooLarge, Rule: "Config.MaxBody", Err: err}
	case err != nil:
		return "", newError(ReasonForm, "Body", "unexpected end")
	}
	return string(body), nil
}

// maxTrusted bounds the buffer that is allocated because of a Content-Length. Most responses are shorter.
const maxTrusted = 64 << 10

// errNoRoom is the error for a body for which there is no room in MaxBodies.
var errNoRoom = errors.New("no room in MaxBodies")

// readHeld reads a body that ends after limit bytes. The buffer is counted in held before it is allocated.
func readHeld(from io.Reader, length, limit int64, held *holding) ([]byte, error) {
	size := int(min(max(length, 0), maxTrusted)) + bytes.MinRead
	if !held.add(size) {
		return nil, errNoRoom
	}
	body := make([]byte, 0, size)
	for {
		n, err := from.Read(body[len(body):size])
		body = body[:len(body)+n]
		switch {
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		case len(body) < size:
			continue
		}
		larger := min(2*size, int(limit)+bytes.MinRead) // never full at limit
		if !held.add(larger) {
			return nil, errNoRoom
		}
		body = append(make([]byte, 0, larger), body...)
		held.free(size)
		size = larger
	}
}

// busy refuses a body before its end, and closes the connection, so that the server doesn't wait for the rest.
func busy(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	return newError(ReasonBusy, "Config.MaxBodies",
		"the bodies that are being read use it up, or this client's part of it")
}

// maxFields is more than any identity provider sends.
const maxFields = 100

// protocolFields are the field names that SAML's bindings define. An unexpected or duplicate one is refused,
// because programs disagree about which one counts.
var protocolFields = [...]string{"SAMLResponse", "SAMLRequest", "SAMLart", "RelayState"}

// formFields returns the wanted fields of a form or query. It reads in one pass and doesn't keep other fields.
func formFields(encoded string, wanted ...string) (map[string]string, error) {
	found := make(map[string]string, len(wanted))
	n := 0
	for pair := range strings.SplitSeq(encoded, "&") {
		if n++; n > maxFields {
			return nil, badForm("more than " + strconv.Itoa(maxFields) + " fields")
		}
		name, value, _ := strings.Cut(pair, "=")
		name, ok := unescape(name)
		if !ok {
			return nil, badForm("invalid percent-encoding in a field's name")
		}
		if !slices.Contains(wanted, name) {
			if slices.Contains(protocolFields[:], name) {
				return nil, badForm("unexpected field " + name)
			}
			continue
		}
		if _, twice := found[name]; twice {
			return nil, badForm("duplicate field " + name)
		}
		if found[name], ok = unescape(value); !ok {
			return nil, badForm("invalid percent-encoding in " + name)
		}
	}
	return found, nil
}

// unescape is a faster [net/url.QueryUnescape], which copies single bytes. Base64 has an escape about every 30
// characters, and unescape copies the text between two escapes at once.
func unescape(s string) (string, bool) {
	first, rest, escaped := strings.Cut(strings.ReplaceAll(s, "+", " "), "%")
	if !escaped {
		return first, true
	}
	var out strings.Builder
	out.Grow(len(s))
	out.WriteString(first)
	for part := range strings.SplitSeq(rest, "%") {
		if len(part) < 2 {
			return "", false
		}
		b, err := strconv.ParseUint(part[:2], 16, 8)
		if err != nil {
			return "", false
		}
		out.WriteByte(byte(b))
		out.WriteString(part[2:])
	}
	return out.String(), true
}

func badForm(detail string) error { return newError(ReasonForm, "Form (Bindings 3.5.4)", detail) }
