package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// authorization is the content of the header Authorization.
type authorization struct {
	keyID     string
	scope     []string // date, Region, service
	headers   []string // the signed ones, in lower case, sorted
	signature []byte
}

// parseAuthorization reads
//
//	AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=A;B, Signature=HEX
//
// It requires each part exactly once.
func parseAuthorization(h http.Header) (out authorization, err error) {
	values := h.Values("Authorization")
	if len(values) == 0 || !strings.HasPrefix(values[0], algorithm) {
		return out, &Error{ReasonMissing, "Authorization", algorithm, ""}
	}
	value, err := single(h, "Authorization")
	if err != nil {
		return out, err
	}
	rest, ok := strings.CutPrefix(value, algorithm+" ")
	if !ok || len(value) > maxAuthorization {
		return out, malformed("Authorization", algorithm+" and three parts", "")
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		if _, duplicate := parts[name]; duplicate {
			return out, malformed("Authorization", "each part once", name)
		}
		parts[name] = v
	}
	if len(parts) != 3 {
		return out, malformed("Authorization", "Credential, SignedHeaders and Signature", "")
	}
	credential := strings.Split(parts["Credential"], "/")
	if len(credential) != 5 || credential[0] == "" || credential[4] != "aws4_request" {
		return out, malformed("Credential", "five parts, the last one aws4_request", "")
	}
	out.keyID, out.scope = credential[0], credential[1:4]
	out.headers = strings.Split(parts["SignedHeaders"], ";")
	if len(out.headers) > maxSigned || !ascending(out.headers) {
		return out, malformed("SignedHeaders", "different names in lower case, sorted", "")
	}
	out.signature, err = hex.DecodeString(parts["Signature"])
	if err != nil || len(out.signature) != sha256.Size {
		return out, malformed("Signature", "64 hexadecimal digits", "")
	}
	return out, nil
}

// ascending reports whether the names are sorted, in lower case, and without duplicates.
func ascending(names []string) bool {
	for i, name := range names {
		if name == "" || strings.ToLower(name) != name || i > 0 && names[i-1] >= name {
			return false
		}
	}
	return slices.IsSorted(names)
}
