// Package sigv4test signs requests for tests. It shares no code with package sigv4, so that a mistake can't be on both
// sides.
package sigv4test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Signer signs with one access key.
type Signer struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Region, Service                            string
	Unsigned                                   []string // headers to leave out, in lower case
}

// Sign sets the headers of Signature Version 4 on a request with this body. All headers are signed but those of
// Unsigned. The path and the query must be plain.
func (s Signer) Sign(r *http.Request, body []byte, at time.Time) {
	stamp := at.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", stamp)
	if s.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", s.SessionToken)
	}
	values := map[string]string{"host": r.Host}
	for name, v := range r.Header {
		values[strings.ToLower(name)] = strings.Join(v, ",")
	}
	delete(values, "authorization")
	for _, name := range s.Unsigned {
		delete(values, name)
	}
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	var headers strings.Builder
	for _, name := range names {
		fmt.Fprintf(&headers, "%s:%s\n", name, values[name])
	}
	request := fmt.Sprintf("%s\n%s\n%s\n%s\n%s\n%x", r.Method, r.URL.Path, query(r.URL.Query()), headers.String(),
		strings.Join(names, ";"), sha256.Sum256(body))
	scope := fmt.Sprintf("%s/%s/%s/aws4_request", stamp[:8], s.Region, s.Service)
	text := fmt.Sprintf("AWS4-HMAC-SHA256\n%s\n%s\n%x", stamp, scope, sha256.Sum256([]byte(request)))
	key := []byte("AWS4" + s.SecretAccessKey)
	for part := range strings.SplitSeq(scope, "/") {
		key = sum(key, part)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x",
		s.AccessKeyID, scope, strings.Join(names, ";"), sum(key, text)))
}

func query(q url.Values) string { return strings.ReplaceAll(q.Encode(), "+", "%20") }

func sum(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}
