package mockidp

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Bindings (SAML Bindings 3.4, 3.5).
const (
	bindingRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	bindingPOST     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
	encodingDEFLATE = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
)

// incoming is a request as it came: the parameters, nothing judged yet.
type incoming struct {
	binding    string
	message    string // SAMLRequest; "" if there is none
	has        bool   // whether SAMLRequest is there at all
	relayState string
	hasRelay   bool
	detached   bool   // whether Signature is there
	query      string // HTTP-Redirect: the query's own octets, which a signature covers
}

// readParams takes the parameters of either binding. A parameter that is there
// twice is refused: two readers might pick different ones.
func readParams(binding string, v url.Values) (incoming, *Error) {
	in := incoming{binding: binding}
	for _, name := range []string{"SAMLRequest", "RelayState", "SAMLEncoding", "SigAlg", "Signature"} {
		if len(v[name]) > 1 {
			return in, malformed(nil, "the parameter %s is there %d times", name, len(v[name]))
		}
	}
	if e := v.Get("SAMLEncoding"); e != "" && e != encodingDEFLATE {
		return in, &Error{Reason: ReasonBinding, Detail: "SAMLEncoding names an encoding that isn't spoken here (SAML Bindings 3.4.4)", Want: encodingDEFLATE, Got: e}
	}
	in.message, in.has = v.Get("SAMLRequest"), v.Has("SAMLRequest")
	in.detached = v.Has("Signature")
	in.relayState, in.hasRelay = v.Get("RelayState"), v.Has("RelayState")
	return in, checkRelayState(in.relayState)
}

// checkRelayState refuses only what can't be echoed through a form.
func checkRelayState(s string) *Error {
	switch {
	case len(s) > maxRelayState:
		return &Error{Reason: ReasonRelayState, Detail: "RelayState is too long", Want: "at most " + itoa(maxRelayState) + " bytes", Got: itoa(len(s))}
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return &Error{Reason: ReasonRelayState, Detail: "RelayState is not UTF-8 text, so a form can't echo it"}
	}
	return nil
}

// xml undoes the binding's encoding, at most to maxRequest bytes.
func (in incoming) xml() ([]byte, *Error) {
	if len(in.message) > maxRequest {
		return nil, tooLarge("SAMLRequest")
	}
	raw, err := base64.StdEncoding.DecodeString(in.message)
	if err != nil {
		return nil, notBase64(in.message, err)
	}
	if in.binding == bindingPOST {
		return raw, notXML(raw)
	}
	return inflate(raw)
}

// inflate undoes SAML Bindings 3.4.4.1. The limit stands on the output, so a
// bomb costs no more than an honest request of the greatest size.
func inflate(raw []byte) ([]byte, *Error) {
	src := bytes.NewReader(raw) // a ByteReader: flate takes nothing past the end
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(src), maxRequest+1))
	if len(out) > maxRequest {
		return nil, tooLarge("the inflated SAMLRequest")
	}
	if err != nil {
		return nil, notDeflated(raw, err)
	}
	if src.Len() > 0 {
		return nil, malformed(nil, "SAMLRequest has %d bytes after the end of its DEFLATE stream", src.Len())
	}
	return out, nil
}

func tooLarge(what string) *Error {
	return &Error{Reason: ReasonTooLarge, Detail: what + " is over " + itoa(maxRequest) + " bytes"}
}
