package acs

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const formType = "application/x-www-form-urlencoded"

// readForm returns the SAMLResponse, in base64, and the RelayState of the form of Bindings 3.5.4. It reads the
// form from the body alone: another party than the one that posts could have put a parameter into the query.
func (c *Consumer) readForm(w http.ResponseWriter, r *http.Request, held *holding) (string, string, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return "", "", newError(ReasonMethod, "Method (Bindings 3.5.4)", "").compared(http.MethodPost, r.Method)
	}
	got := r.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(got); err != nil || kind != formType {
		return "", "", newError(ReasonContentType, "Content-Type (Bindings 3.5.4)", "").compared(formType, got)
	}
	if _, err := formFields(r.URL.RawQuery); err != nil {
		return "", "", err
	}
	body, err := c.readBody(w, r, held)
	if err != nil {
		return "", "", err
	}
	fields, err := formFields(body, "SAMLResponse", "RelayState")
	if err != nil {
		return "", "", err
	}
	if fields["SAMLResponse"] == "" {
		return "", "", badForm("no SAMLResponse")
	}
	return fields["SAMLResponse"], fields["RelayState"], nil
}

// maxTrusted is how much of a Content-Length is believed before the body is there. Most responses are shorter.
const maxTrusted = 64 << 10

// readBody reads a body of at most MaxBody bytes. Each byte of the buffer is held before it is allocated.
func (c *Consumer) readBody(w http.ResponseWriter, r *http.Request, held *holding) (string, error) {
	size := int(min(max(r.ContentLength, 0), maxTrusted)) + bytes.MinRead
	if !held.add(size) {
		return "", busy(w)
	}
	from, body := http.MaxBytesReader(w, r.Body, c.cfg.MaxBody), make([]byte, 0, size)
	for {
		n, err := from.Read(body[len(body):size])
		body = body[:len(body)+n]
		switch {
		case errors.Is(err, io.EOF):
			return string(body), nil
		case errors.As(err, new(*http.MaxBytesError)):
			return "", &Error{Reason: ReasonTooLarge, Rule: "Config.MaxBody", Err: err}
		case err != nil:
			return "", newError(ReasonForm, "Body", "unexpected end")
		case len(body) < size:
			continue
		}
		larger := min(2*size, int(c.cfg.MaxBody)+bytes.MinRead) // never full at MaxBody
		if !held.add(larger) {
			return "", busy(w)
		}
		body = append(make([]byte, 0, larger), body...)
		held.free(size)
		size = larger
	}
}

// busy refuses a body that is not read to its end. The connection is closed, so that the server doesn't
// wait for the rest.
func busy(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	return newError(ReasonBusy, "Config.MaxBodies", "the bodies that are being read, in all or of this client, use it up")
}

// maxFields is far more than any identity provider sends.
const maxFields = 100

// protocolFields are the names with a meaning in SAML's bindings. One that is unexpected or duplicate is
// refused, because programs disagree about which one counts.
var protocolFields = [...]string{"SAMLResponse", "SAMLRequest", "SAMLart", "RelayState"}

// formFields returns the wanted fields of a form or query, in one pass and without keeping the others.
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

// unescape is [net/url.QueryUnescape], which goes byte by byte. Base64 has an escape about every 30
// characters; this copies what is between two of them at once.
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
