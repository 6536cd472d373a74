package saml

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strings"
)

const (
	ruleQuery   = "Query (Bindings 3.4.4)"
	encodeQuery = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"

	// maxInflated bounds a message by HTTP-Redirect in bytes. DEFLATE makes a query of 3 KB out of the 2 MiB that
	// Limits.Bytes allows, so without it a client would pay little for much work. A LogoutRequest has some kilobytes.
	maxInflated = 64 << 10

	// maxParameters bounds the parameters of a query, as acs bounds the fields of a form.
	maxParameters = 100
)

// redirectNames are the parameters of the HTTP-Redirect binding.
var redirectNames = []string{"SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding"}

// redirectQuery has the parameters of a message by HTTP-Redirect, as they were sent: the signature covers the octets,
// and the same text can be encoded in several ways (Bindings 3.4.4.1).
type redirectQuery map[string]string

// parseRedirect reads a raw query. Each parameter of the binding may be there once, under exactly its name: programs
// disagree about which one of two counts. Other parameters are ignored.
func parseRedirect(raw string) (redirectQuery, error) {
	q, n := redirectQuery{}, 0
	for pair := range strings.SplitSeq(raw, "&") {
		if n++; n > maxParameters {
			return nil, badQuery(fmt.Sprintf("more than %d parameters", maxParameters), "")
		}
		name, value, _ := strings.Cut(pair, "=")
		decoded, err := url.QueryUnescape(name)
		if err != nil {
			return nil, badQuery("a parameter's name is not encoded correctly", name)
		}
		for _, known := range redirectNames {
			if !strings.EqualFold(strings.TrimSpace(decoded), known) {
				continue
			}
			if _, twice := q[known]; twice || name != known {
				return nil, badQuery("a parameter is there twice, or its name is written in another way", name)
			}
			q[known] = value
		}
	}
	_, request := q["SAMLRequest"]
	_, response := q["SAMLResponse"]
	if request == response {
		return nil, badQuery("exactly one of SAMLRequest and SAMLResponse is needed", "")
	}
	return q, nil
}

// RedirectParameter returns which parameter of a raw query has the message of the HTTP-Redirect binding: SAMLRequest or
// SAMLResponse. The error has ReasonForm unless exactly one of them is there, once.
func RedirectParameter(rawQuery string) (string, error) {
	q, err := parseRedirect(rawQuery)
	if err != nil {
		return "", err
	}
	return q.param(), nil
}

func badQuery(detail, got string) error {
	return &Error{Reason: ReasonForm, Rule: ruleQuery, Detail: detail, Got: got}
}

// param returns the name of the parameter with the message.
func (q redirectQuery) param() string {
	if _, ok := q["SAMLResponse"]; ok {
		return "SAMLResponse"
	}
	return "SAMLRequest"
}

// decoded returns a parameter's value.
func (q redirectQuery) decoded(name string) (string, error) {
	value, err := url.QueryUnescape(q[name])
	if err != nil {
		return "", badQuery(name+" is not encoded correctly", "")
	}
	return value, nil
}

// signed returns the octets that the signature covers, the signature and its algorithm.
func (q redirectQuery) signed() (octets string, signature []byte, algorithm string, err error) {
	_, alg := q["SigAlg"]
	_, sig := q["Signature"]
	switch {
	case !alg && !sig:
		return "", nil, "", &Error{Reason: ReasonUnsigned, Rule: ruleQuery, Detail: "no Signature parameter"}
	case q["SigAlg"] == "" || q["Signature"] == "":
		return "", nil, "", badQuery("one of SigAlg and Signature is missing or empty", "")
	}
	if algorithm, err = q.decoded("SigAlg"); err != nil {
		return "", nil, "", err
	}
	encoded, err := q.decoded("Signature")
	if err != nil {
		return "", nil, "", err
	}
	if signature, err = strict.DecodeString(string(withoutSpace([]byte(encoded)))); err != nil {
		return "", nil, "", &Error{Reason: ReasonBase64, Rule: ruleQuery, Detail: "Signature", Err: err}
	}
	octets = q.param() + "=" + q[q.param()]
	if state, ok := q["RelayState"]; ok {
		octets += "&RelayState=" + state
	}
	return octets + "&SigAlg=" + q["SigAlg"], signature, algorithm, nil
}

// message returns the XML of the message.
func (q redirectQuery) message(limit int) (string, error) {
	encoding, err := q.decoded("SAMLEncoding")
	if err != nil {
		return "", err
	}
	if encoding != "" && encoding != encodeQuery {
		return "", badQuery("SAMLEncoding", encoding)
	}
	encoded, err := q.decoded(q.param())
	if err != nil {
		return "", err
	}
	deflated, err := base64.StdEncoding.DecodeString(string(withoutSpace([]byte(encoded))))
	if err != nil {
		return "", &Error{Reason: ReasonBase64, Rule: ruleQuery, Detail: q.param(), Err: err}
	}
	return inflate(deflated, min(limit, maxInflated))
}

// inflate decompresses a DEFLATE stream without anything after it (RFC 1951).
func inflate(deflated []byte, limit int) (string, error) {
	in := bytes.NewReader(deflated) // an io.ByteReader, so no more is read than the stream has
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(in), int64(limit)+1))
	switch {
	case len(out) > limit:
		return "", &Error{Reason: ReasonLimit, Rule: ruleQuery, Detail: "inflates to too much",
			Want: fmt.Sprintf("at most %d bytes", limit)}
	case err != nil:
		return "", &Error{Reason: ReasonForm, Rule: ruleQuery, Detail: "not a DEFLATE stream (RFC 1951)", Err: err}
	case in.Len() > 0:
		return "", badQuery("bytes after the DEFLATE stream", "")
	}
	return string(out), nil
}
