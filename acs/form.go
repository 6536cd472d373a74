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

// responseForm is the form of Bindings 3.5.4.
type responseForm struct {
	response   string // base64, not looked at here
	relayState string
}

const formType = "application/x-www-form-urlencoded"

// readForm takes the form from the body and from nowhere else: a parameter in
// the query could be put there by another party than the one that posts.
func (c *Consumer) readForm(w http.ResponseWriter, r *http.Request, held *holding) (responseForm, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return responseForm{}, &Error{Reason: ReasonMethod, Rule: "Method (Bindings 3.5.4)", Want: http.MethodPost, Got: r.Method}
	}
	got := r.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(got); err != nil || kind != formType {
		return responseForm{}, &Error{Reason: ReasonContentType, Rule: "Content-Type (Bindings 3.5.4)", Want: formType, Got: got}
	}
	if _, err := formFields(r.URL.RawQuery); err != nil {
		return responseForm{}, err
	}
	body, err := c.readBody(w, r, held)
	if err != nil {
		return responseForm{}, err
	}
	fields, err := formFields(body, "SAMLResponse", "RelayState")
	if err != nil {
		return responseForm{}, err
	}
	response, ok := fields["SAMLResponse"]
	if !ok || response == "" {
		return responseForm{}, badForm("no SAMLResponse in it")
	}
	return responseForm{response: response, relayState: fields["RelayState"]}, nil
}

// maxTrusted is how much of a Content-Length is believed before the body is
// there. Most responses are shorter.
const maxTrusted = 64 << 10

// readBody reads a body of at most MaxBody bytes. Each byte of the buffer is
// held before it is allocated.
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
		case err != nil:
			return "", unread(err)
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

func unread(err error) error {
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return &Error{Reason: ReasonTooLarge, Rule: "Config.MaxBody", Err: err}
	}
	return &Error{Reason: ReasonForm, Rule: "Body", Detail: "it ended early"}
}

// busy refuses a body that is not read, or not to its end. The connection is
// closed, so that the server doesn't wait for the rest.
func busy(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	return &Error{Reason: ReasonBusy, Rule: "Config.MaxBodies", Detail: "the bodies that are being read, in all or of this client, take all of it"}
}

// maxFields is far above what any identity provider sends beside the two
// fields that count.
const maxFields = 100

// protocolFields are the names that have a meaning in SAML's bindings. One
// that is not expected, or comes twice, is refused: programs disagree about
// which one counts.
var protocolFields = [...]string{"SAMLResponse", "SAMLRequest", "SAMLart", "RelayState"}

// formFields finds the wanted fields of a form or query, in one pass and
// without keeping the others.
func formFields(encoded string, wanted ...string) (map[string]string, error) {
	found := make(map[string]string, len(wanted))
	n := 0
	for pair := range strings.SplitSeq(encoded, "&") {
		if n++; n > maxFields {
			return nil, badForm("too many fields")
		}
		name, value, _ := strings.Cut(pair, "=")
		name, ok := unescape(name)
		if !ok {
			return nil, badForm("a field's name is not well encoded")
		}
		if !slices.Contains(wanted, name) {
			if slices.Contains(protocolFields[:], name) {
				return nil, badForm(name + " is not expected there")
			}
			continue
		}
		if _, twice := found[name]; twice {
			return nil, badForm(name + " is there twice")
		}
		if found[name], ok = unescape(value); !ok {
			return nil, badForm(name + " is not well encoded")
		}
	}
	return found, nil
}

// unescape is [url.QueryUnescape], which goes byte by byte. Base64 has an escape
// about every 30 characters; what is between two of them is copied at once.
func unescape(s string) (string, bool) {
	var out strings.Builder
	out.Grow(len(s))
	for {
		at := strings.IndexAny(s, "%+")
		if at < 0 {
			out.WriteString(s)
			return out.String(), true
		}
		out.WriteString(s[:at])
		if s[at] == '+' {
			out.WriteByte(' ')
			s = s[at+1:]
			continue
		}
		if len(s) < at+len("%2B") {
			return "", false
		}
		b, err := strconv.ParseUint(s[at+1:at+3], 16, 8)
		if err != nil {
			return "", false
		}
		out.WriteByte(byte(b))
		s = s[at+3:]
	}
}

func badForm(detail string) error {
	return &Error{Reason: ReasonForm, Rule: "Form (Bindings 3.5.4)", Detail: detail}
}
