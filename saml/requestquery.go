package saml

import (
	"net/url"
	"strings"
)

const (
	maxQuery     = 2 << 10 // bytes, encoded
	maxQueryName = 64
)

// bindingParameters are the query parameters that the bindings define (Bindings 3.4.4,
// 3.6.3).
var bindingParameters = [...]string{
	"SAMLRequest", "SAMLResponse", "SAMLart", "RelayState", "SAMLEncoding", "SigAlg", "Signature",
}

// checkQuery checks RequestOptions.Query. Names in another case are refused too,
// because some programs ignore the case. So are control characters: a program may copy a
// value to a header.
func checkQuery(q url.Values) error {
	const field = "RequestOptions.Query"
	for name, values := range q {
		if name == "" || len(name) > maxQueryName || strings.ContainsFunc(name, notUnreserved) {
			return configError(field, "%s is not a name of 1 to %d letters, digits and \"-._~\"", quote(name), maxQueryName)
		}
		for _, own := range bindingParameters {
			if strings.EqualFold(name, own) {
				return configError(field, "%s is a parameter of the binding (Bindings 3.4.4)", quote(name))
			}
		}
		for _, value := range values {
			if !writable(value) {
				return configError(field, "the value of %s has a control character or is not UTF-8", quote(name))
			}
		}
	}
	if n := len(q.Encode()); n > maxQuery {
		return configError(field, "at most %d bytes, got %d", maxQuery, n)
	}
	return nil
}

// checkQueryAt refuses a parameter that the identity provider's URL has already: programs
// disagree about which of two counts.
func checkQueryAt(q url.Values, sso string) error {
	if len(q) == 0 {
		return nil
	}
	u, err := url.Parse(sso)
	if err != nil {
		return configError("RequestOptions.Query", "can't be added to the identity provider's URL")
	}
	for has := range u.Query() {
		for name := range q {
			if strings.EqualFold(name, has) {
				return configError("RequestOptions.Query", "the identity provider's URL has %s already", quote(has))
			}
		}
	}
	return nil
}

// notUnreserved reports whether a character must be encoded in every part of a URL
// (RFC 3986 2.3).
func notUnreserved(r rune) bool {
	alphanumeric := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !alphanumeric && !strings.ContainsRune("-._~", r)
}

// withQuery appends an encoded query to a URL.
func withQuery(to, query string) string {
	if query == "" {
		return to
	}
	if strings.Contains(to, "?") {
		return to + "&" + query
	}
	return to + "?" + query
}
