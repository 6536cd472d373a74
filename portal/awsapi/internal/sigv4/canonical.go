package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest returns what was hashed and signed: method, path, query, the signed headers, their names, and the
// body's hash, a line each. The body's hash is always computed here, whatever the request says it is.
func canonicalRequest(r *http.Request, signed []string, body []byte) (string, error) {
	digest := sha256.Sum256(body)
	hash := hex.EncodeToString(digest[:])
	said, err := optional(r.Header, "X-Amz-Content-Sha256")
	if err != nil {
		return "", err
	}
	if said != "" && said != hash {
		return "", &Error{ReasonBody, "X-Amz-Content-Sha256", "the body's hash", ""}
	}
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString(r.Method + "\n" + canonicalPath(r.URL.EscapedPath()) + "\n" + query + "\n")
	for _, name := range signed {
		value, err := headerValue(r, name)
		if err != nil {
			return "", err
		}
		out.WriteString(name + ":" + value + "\n")
		if out.Len() > maxCanonical {
			return "", malformed("SignedHeaders", "at most 64 KiB", "")
		}
	}
	out.WriteString("\n" + strings.Join(signed, ";") + "\n" + hash)
	return out.String(), nil
}

// headerValue returns a header as it is signed: without outer blanks, and with one blank for several. Two headers go
// into their own fields in package http.
func headerValue(r *http.Request, name string) (string, error) {
	var values []string
	switch name {
	case "host":
		values = []string{r.Host}
	case "content-length":
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	default:
		values = slices.Clone(r.Header.Values(name))
	}
	if len(values) == 0 {
		return "", &Error{ReasonMalformed, "SignedHeaders", "headers that the request has", name}
	}
	for i, v := range values {
		values[i] = strings.Join(strings.FieldsFunc(v, func(c rune) bool { return c == ' ' }), " ")
	}
	return strings.Join(values, ","), nil
}

// canonicalPath escapes each segment of a path that was escaped already, as every service but S3 does.
func canonicalPath(escaped string) string {
	if escaped == "" {
		return "/"
	}
	segments := strings.Split(escaped, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.Join(segments, "/")
}

// canonicalQuery sorts parameters by name and then value.
func canonicalQuery(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	var pairs [][2]string
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		n, okName := unescape(name)
		v, okValue := unescape(value)
		if !okName || !okValue {
			return "", malformed("query", "a valid encoding", "")
		}
		pairs = append(pairs, [2]string{escape(n), escape(v)})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[1], b[1])
	})
	out := make([]string, len(pairs))
	for i, p := range pairs {
		out[i] = p[0] + "=" + p[1]
	}
	return strings.Join(out, "&"), nil
}

const upperHex = "0123456789ABCDEF"

// escape writes all bytes but RFC 3986's unreserved characters as %XX.
func escape(s string) string {
	var out strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			out.WriteByte(c)
		default:
			out.Write([]byte{'%', upperHex[c>>4], upperHex[c&15]})
		}
	}
	return out.String()
}

// unescape reads %XX, and + as a blank, which the signer of a query does too.
func unescape(s string) (string, bool) {
	s = strings.ReplaceAll(s, "+", " ")
	if !strings.Contains(s, "%") {
		return s, true
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		b, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return "", false
		}
		out.WriteByte(b[0])
		i += 2
	}
	return out.String(), true
}
