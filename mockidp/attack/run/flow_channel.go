package run

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// D48 and D50: how a message is sent.

const otherChannel = "a good message is accepted by another channel than HTTP-POST"

// channels lists odd requests. The words GOOD and FORGED stand for messages as a form
// has them, and RAW for the good one as it is. The address is the query.
func channels() map[string]func(*script) RunResult {
	const boundary = "attack-boundary"
	const good, forged = "SAMLResponse=GOOD", "SAMLResponse=FORGED"
	post := func(query, kind, body string) request {
		return request{method: http.MethodPost, to: query, contentType: kind, body: body}
	}
	out := map[string]func(*script) RunResult{"D50/redirect": bombByRedirect}
	for name, q := range map[string]request{
		"get":  {method: http.MethodGet, to: good},
		"head": {method: http.MethodHead, to: good},
		"put":  {method: http.MethodPut, contentType: formType, body: good},
		"override": {
			method: http.MethodGet, to: good + "&_method=POST", header: map[string]string{"X-HTTP-Method-Override": "POST"},
		},
		"query":           post(good, formType, "x=1"),
		"forged-in-query": post(forged, formType, good),
		"good-in-query":   post(good, formType, forged),
		"forged-last":     post("", formType, good+"&"+forged),
		"forged-first":    post("", formType, forged+"&"+good),
		"array":           post("", formType, "SAMLResponse[]=GOOD&SAMLResponse[]=FORGED"),
		"text":            post("", "text/plain", good),
		"no-type":         post("", "application/octet-stream", good),
		"json":            post("", "application/json", `{"SAMLResponse":"RAW"}`),
		"multipart": post("", "multipart/form-data; boundary="+boundary, "--"+boundary+
			"\r\nContent-Disposition: form-data; name=\"SAMLResponse\"\r\n\r\nRAW\r\n--"+boundary+"--\r\n"),
	} {
		out["D48/"+name] = channel(q)
	}
	return out
}

// withQuery adds a query to an address that may have one.
func withQuery(to, query string) string {
	switch {
	case query == "":
		return to
	case strings.Contains(to, "?"):
		return to + "&" + query
	}
	return to + "?" + query
}

// channel sends messages in an unusual way. The good one answers the request of
// this browser; the forged one is not signed.
func channel(q request) func(*script) RunResult {
	return func(s *script) RunResult {
		v, q := s.begin(), q
		good, forged := string(s.good(v)), string(s.forged(v))
		words := strings.NewReplacer("GOOD", url.QueryEscape(good), "FORGED", url.QueryEscape(forged), "RAW", good)
		q.to, q.body = withQuery(s.ACS, words.Replace(q.to)), words.Replace(q.body)
		if relay := v.form(nil).Get("RelayState"); relay != "" && q.contentType == formType {
			q.body += "&RelayState=" + url.QueryEscape(relay)
		}
		p, err := s.send(v.b, q)
		out := s.outcome(v.b, p, err, otherChannel)
		if out.Identity == s.Forged {
			out.Verdict, out.Reason = LetIn, forgedName
		}
		return out
	}
}

// bombByRedirect: 32 MiB of zeros in a query of some 40 KiB.
func bombByRedirect(s *script) RunResult {
	v := s.begin()
	bomb := "SAMLResponse=" + url.QueryEscape(attack.Deflated(make([]byte, 32<<20)))
	p, err := s.send(v.b, request{method: http.MethodGet, to: withQuery(s.ACS, bomb)})
	return s.outcome(v.b, p, err, "")
}
