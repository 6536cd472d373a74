package run

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// D48 and D50: how a message is sent.

const otherChannel = "a good message is taken by another channel than HTTP-POST"

// The words GOOD and FORGED stand for messages as a form has them, and RAW for the
// good one as it is. The address is the query.
func channels() []flow {
	const boundary = "attack-boundary"
	post := func(query, kind, body string) request {
		return request{method: http.MethodPost, to: query, contentType: kind, body: body}
	}
	c := func(name, title string, q request) flow {
		return flow{id: "D48/" + name, title: title, run: channel(q)}
	}
	const goodField, forgedField = "SAMLResponse=GOOD", "SAMLResponse=FORGED"
	return []flow{
		c("get", "a good message in the query of a GET", request{method: http.MethodGet, to: goodField}),
		c("head", "a good message in the query of a HEAD", request{method: http.MethodHead, to: goodField}),
		c("put", "a good message by PUT", request{method: http.MethodPut, contentType: formType, body: goodField}),
		c("override", "a good message in a GET that says it is a POST", request{
			method: http.MethodGet, to: goodField + "&_method=POST", header: map[string]string{"X-HTTP-Method-Override": "POST"},
		}),
		c("query", "a good message in the query of a POST", post(goodField, formType, "x=1")),
		c("forged-in-query", "a good message in the body, a forged one in the query", post(forgedField, formType, goodField)),
		c("good-in-query", "a forged message in the body, a good one in the query", post(goodField, formType, forgedField)),
		c("forged-last", "two messages in one form, a good one and a forged one",
			post("", formType, goodField+"&"+forgedField)),
		c("forged-first", "two messages in one form, a forged one and a good one",
			post("", formType, forgedField+"&"+goodField)),
		c("array", "a good message and a forged one, written as a list",
			post("", formType, "SAMLResponse[]=GOOD&SAMLResponse[]=FORGED")),
		c("text", "a good message as text/plain", post("", "text/plain", goodField)),
		c("no-type", "a good message as application/octet-stream", post("", "application/octet-stream", goodField)),
		c("json", "a good message as JSON", post("", "application/json", `{"SAMLResponse":"RAW"}`)),
		c("multipart", "a good message as multipart/form-data", post("", "multipart/form-data; boundary="+boundary,
			"--"+boundary+"\r\nContent-Disposition: form-data; name=\"SAMLResponse\"\r\n\r\nRAW\r\n--"+boundary+"--\r\n")),
		{id: "D50/redirect", title: "a deflate bomb by HTTP-Redirect", run: bombByRedirect},
	}
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

// channel sends messages in an odd way. The good one answers the request of this
// browser; the forged one is not signed.
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
		out := s.seen(v.b, p, err, otherChannel)
		if out.Identity == s.Forged {
			out.Verdict, out.Reason = LetIn, "signed in as the forged identity"
		}
		return out
	}
}

// bombByRedirect: 32 MiB of zeros in a query of some 40 KiB.
func bombByRedirect(s *script) RunResult {
	v := s.begin()
	bomb := "SAMLResponse=" + url.QueryEscape(attack.Deflated(make([]byte, 32<<20)))
	p, err := s.send(v.b, request{method: http.MethodGet, to: withQuery(s.ACS, bomb)})
	return s.seen(v.b, p, err, "")
}
