package saml

import (
	"encoding/base64"
)

// decodeBase64 decodes a SAMLResponse form value. White space is fine, other
// junk is not; nor is base64 with stray bits or padding in the middle, because
// one message then has many spellings. What comes out is XML: a deflated
// message belongs to another binding, and is not inflated here.
func (sp *ServiceProvider) decodeBase64(raw []byte) ([]byte, error) {
	// Four characters carry three bytes; white space adds at most as much again.
	if most := sp.cfg.Limits.Bytes/3*4 + 4; len(raw) > 2*most {
		return nil, &Error{Reason: ReasonLimit, Rule: "Base64 (Bindings 3.5.4)", Detail: "longer than any message within Limits.Bytes"}
	}
	packed := make([]byte, 0, len(raw))
	for _, c := range raw {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			packed = append(packed, c)
		}
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(packed)))
	n, err := base64.StdEncoding.Strict().Decode(out, packed)
	if err != nil {
		return nil, &Error{Reason: ReasonBase64, Rule: "Base64 (Bindings 3.5.4)", Err: err}
	}
	return out[:n], nil
}
