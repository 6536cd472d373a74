package run

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// D48 and D50: how a message comes.

const otherChannel = "a good message is taken by another channel than HTTP-POST"

func channels() []flow {
	c := func(name, title string, make func(r *runner, good, forged string) request) flow {
		return flow{id: "D48/" + name, title: title, run: channel(make)}
	}
	query := func(r *runner, response string) string { return addQuery(r.ACS, "SAMLResponse", response) }
	post := func(to, kind, body string) request {
		return request{method: http.MethodPost, to: to, contentType: kind, body: body}
	}
	field := func(response string) string { return "SAMLResponse=" + url.QueryEscape(response) }
	return []flow{
		c("get", "a good message in the query of a GET", func(r *runner, good, _ string) request {
			return request{method: http.MethodGet, to: query(r, good)}
		}),
		c("head", "a good message in the query of a HEAD", func(r *runner, good, _ string) request {
			return request{method: http.MethodHead, to: query(r, good)}
		}),
		c("put", "a good message by PUT", func(r *runner, good, _ string) request {
			return request{method: http.MethodPut, to: r.ACS, contentType: formType, body: field(good)}
		}),
		c("override", "a good message in a GET that says it is a POST", func(r *runner, good, _ string) request {
			return request{method: http.MethodGet, to: addQuery(query(r, good), "_method", "POST"), header: map[string]string{"X-HTTP-Method-Override": "POST"}}
		}),
		c("query", "a good message in the query of a POST", func(r *runner, good, _ string) request {
			return post(query(r, good), formType, "x=1")
		}),
		c("forged-in-query", "a good message in the body, a forged one in the query", func(r *runner, good, forged string) request {
			return post(query(r, forged), formType, field(good))
		}),
		c("good-in-query", "a forged message in the body, a good one in the query", func(r *runner, good, forged string) request {
			return post(query(r, good), formType, field(forged))
		}),
		c("forged-last", "two messages in one form, a good one and a forged one", func(r *runner, good, forged string) request {
			return post(r.ACS, formType, field(good)+"&"+field(forged))
		}),
		c("forged-first", "two messages in one form, a forged one and a good one", func(r *runner, good, forged string) request {
			return post(r.ACS, formType, field(forged)+"&"+field(good))
		}),
		c("array", "a good message and a forged one, written as a list", func(r *runner, good, forged string) request {
			return post(r.ACS, formType, strings.ReplaceAll(field(good)+"&"+field(forged), "SAMLResponse=", "SAMLResponse[]="))
		}),
		c("text", "a good message as text/plain", func(r *runner, good, _ string) request { return post(r.ACS, "text/plain", field(good)) }),
		c("no-type", "a good message as application/octet-stream", func(r *runner, good, _ string) request {
			return post(r.ACS, "application/octet-stream", field(good))
		}),
		c("json", "a good message as JSON", func(r *runner, good, _ string) request {
			return post(r.ACS, "application/json", `{"SAMLResponse":"`+good+`"}`)
		}),
		c("multipart", "a good message as multipart/form-data", func(r *runner, good, _ string) request {
			const b = "attack-boundary"
			return post(r.ACS, "multipart/form-data; boundary="+b,
				"--"+b+"\r\nContent-Disposition: form-data; name=\"SAMLResponse\"\r\n\r\n"+good+"\r\n--"+b+"--\r\n")
		}),
		{id: "D50/redirect", title: "a deflate bomb by HTTP-Redirect", run: bombByRedirect},
	}
}

func addQuery(to, name, value string) string {
	join := "?"
	if strings.Contains(to, "?") {
		join = "&"
	}
	return to + join + name + "=" + url.QueryEscape(value)
}

// channel brings messages in an odd way. The good one answers the request of
// this browser; the forged one is not signed.
func channel(make func(r *runner, good, forged string) request) func(*script) RunResult {
	return func(s *script) RunResult {
		v := s.begin()
		q := make(s.runner, string(s.good(v)), string(s.forged(v)))
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
	p, err := s.send(v.b, request{method: http.MethodGet, to: addQuery(s.ACS, "SAMLResponse", attack.Deflated(make([]byte, 32<<20)))})
	return s.seen(v.b, p, err, "")
}
