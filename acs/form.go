package acs

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
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
func (c *Consumer) readForm(w http.ResponseWriter, r *http.Request) (responseForm, error) {
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
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, c.cfg.MaxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return responseForm{}, &Error{Reason: ReasonTooLarge, Rule: "Config.MaxBody", Err: err}
	}
	if err != nil {
		return responseForm{}, &Error{Reason: ReasonForm, Rule: "Body", Detail: "it ended early"}
	}
	fields, err := formFields(string(body), "SAMLResponse", "RelayState")
	if err != nil {
		return responseForm{}, err
	}
	response, ok := fields["SAMLResponse"]
	if !ok || response == "" {
		return responseForm{}, badForm("no SAMLResponse in it")
	}
	return responseForm{response: response, relayState: fields["RelayState"]}, nil
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
		name, err := url.QueryUnescape(name)
		if err != nil {
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
		if found[name], err = url.QueryUnescape(value); err != nil {
			return nil, badForm(name + " is not well encoded")
		}
	}
	return found, nil
}

func badForm(detail string) error {
	return &Error{Reason: ReasonForm, Rule: "Form (Bindings 3.5.4)", Detail: detail}
}
