package saml

import (
	"encoding/base64"
	"strings"
)

// strict refuses nonzero padding bits, so a message has one encoding only.
var strict = base64.StdEncoding.Strict()

const ruleBase64 = "Base64 (Bindings 3.5.4)"

// decodeBase64 decodes a SAMLResponse form value. It accepts white space, and
// refuses other characters and padding before the end. It doesn't inflate: only
// HTTP-Redirect deflates messages.
func (cfg *Config) decodeBase64(raw []byte) (string, error) {
	// Four characters carry three bytes; white space adds at most as much again.
	if most := cfg.Limits.Bytes/3*4 + 4; len(raw) > 2*most {
		return "", &Error{Reason: ReasonLimit, Rule: ruleBase64, Detail: "longer than any message within Limits.Bytes"}
	}
	doc, err := decode(raw)
	if err != nil {
		// Most messages have no white space, so removing it is the second attempt.
		if packed := withoutSpace(raw); len(packed) < len(raw) {
			doc, err = decode(packed)
		}
	}
	if err != nil {
		return "", &Error{Reason: ReasonBase64, Rule: ruleBase64, Err: err}
	}
	return doc, nil
}

// decode decodes base64 without white space. It decodes in pieces, because the
// decoder returns bytes and copying those of a whole message into a string costs.
func decode(raw []byte) (string, error) {
	var out strings.Builder
	var piece [3072]byte
	out.Grow(base64.StdEncoding.DecodedLen(len(raw)))
	for len(raw) > 0 {
		chunk := raw[:min(len(raw), 4096)]
		raw = raw[len(chunk):]
		n, err := strict.Decode(piece[:], chunk)
		if err == nil && len(raw) > 0 && n < len(piece) {
			err = base64.CorruptInputError(len(chunk)) // padding before the end
		}
		if err != nil {
			return "", err
		}
		out.Write(piece[:n])
	}
	return out.String(), nil
}

func withoutSpace(raw []byte) []byte {
	packed := make([]byte, 0, len(raw))
	for _, c := range raw {
		if strings.IndexByte(xmlSpace, c) < 0 {
			packed = append(packed, c)
		}
	}
	return packed
}
