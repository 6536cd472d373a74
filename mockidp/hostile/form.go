package hostile

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack"
)

// formAttack changes how a message is sent, not the document.
type formAttack func(forger, mockidp.Mutation) (mockidp.Mutated, error)

func formAttacks() map[string]formAttack {
	out := map[string]formAttack{
		"D18": atOtherACS,
		"D45/other": func(_ forger, m mockidp.Mutation) (mockidp.Mutated, error) {
			if m.OtherRelayState == "" {
				return mockidp.Mutated{}, errors.New("no other request with a RelayState was seen yet")
			}
			return relayState(m, m.OtherRelayState), nil
		},
		"D45/unknown": func(_ forger, m mockidp.Mutation) (mockidp.Mutated, error) {
			return relayState(m, "unknown-0123456789"), nil
		},
		"D45/missing": func(_ forger, m mockidp.Mutation) (mockidp.Mutated, error) {
			return mockidp.Mutated{Fields: form("", good(m))}, nil
		},
		"D46/refused": func(_ forger, m mockidp.Mutation) (mockidp.Mutated, error) {
			return mockidp.Mutated{Fields: form(markup, "PHg+"+markup)}, nil
		},
		"D46/accepted": func(_ forger, m mockidp.Mutation) (mockidp.Mutated, error) { return relayState(m, markup), nil },
		"D50/redirect": func(forger, mockidp.Mutation) (mockidp.Mutated, error) {
			bomb := attack.Deflated(make([]byte, 32<<20)) // in some 40 KiB
			return mockidp.Mutated{Fields: form("", bomb), Method: mockidp.GET}, nil
		},
	}
	for name, value := range redirects {
		out["D44/"+name] = func(_ forger, m mockidp.Mutation) (mockidp.Mutated, error) {
			u, err := url.Parse(m.ACS)
			if err != nil {
				return mockidp.Mutated{}, err
			}
			return relayState(m, strings.NewReplacer("%SELF%", u.Host, "%ORIGIN%", u.Scheme+"://"+u.Host).Replace(value)), nil
		}
	}
	for name, c := range channels {
		out["D48/"+name] = c.send
	}
	return out
}

// redirects are values of RelayState that redirect to the attacker.
var redirects = map[string]string{
	"https": "https://attacker.example/", "scheme-relative": "//attacker.example/", "backslash": `/\attacker.example/`,
	"backslashes": `\\attacker.example/`, "tab": "/\t/attacker.example/", "userinfo": "https://%SELF%@attacker.example/",
	"prefix": "%ORIGIN%.attacker.example/", "javascript": "javascript:alert('attacker.example')",
	"data": "data:text/html,attacker.example", "header": "/x\r\nX-Attacker: attacker.example",
}

// channel is a way to send a good message, a forged one or both.
type channel struct {
	query    string // "good", "forged" or none
	fields   string // these words, separated by blanks
	name     string // of the fields. Empty: SAMLResponse
	method   mockidp.Method
	encoding mockidp.FormEncoding
}

var channels = map[string]channel{
	"get":             {fields: "good", method: mockidp.GET},
	"query":           {query: "good"},
	"forged-in-query": {query: "forged", fields: "good"},
	"good-in-query":   {query: "good", fields: "forged"},
	"forged-last":     {fields: "good forged"},
	"forged-first":    {fields: "forged good"},
	"array":           {fields: "good forged", name: "SAMLResponse[]"},
	"text":            {fields: "good", encoding: mockidp.PlainText},
	"multipart":       {fields: "good", encoding: mockidp.Multipart},
}

func (c channel) send(by forger, m mockidp.Mutation) (mockidp.Mutated, error) {
	x := by.cases["B01"]
	p, err := by.params(x, m)
	if err != nil {
		return mockidp.Mutated{}, err
	}
	p.Subject = "admin@example.com" // and unsigned
	forged, err := x.Make(p)
	messages := map[string]string{"good": good(m), "forged": string(forged.SAMLResponse)}
	var values []string
	for _, word := range strings.Fields(c.fields) {
		values = append(values, messages[word])
	}
	out := mockidp.Mutated{Fields: form(m.RelayState, values...), Method: c.method, Encoding: c.encoding}
	for i := range values {
		out.Fields[i].Name = cmp.Or(c.name, "SAMLResponse")
	}
	if c.query != "" {
		out.Query = form("", messages[c.query])
	}
	return out, err
}

// atOtherACS sends the answer to an ACS URL of the service provider that the
// request didn't name.
func atOtherACS(f forger, m mockidp.Mutation) (mockidp.Mutated, error) {
	other := otherACS(m)
	if other == "" {
		return mockidp.Mutated{}, errors.New("the app has one ACS URL only")
	}
	x := f.cases["B01"] // its twin is a good document
	p, err := f.params(x, m)
	if err != nil {
		return mockidp.Mutated{}, err
	}
	p.Recipient, p.OtherACS = other, m.ACS
	made, err := x.Twin(p)
	return mockidp.Mutated{Response: made.XML, ACS: other}, err
}

const markup = `"><script>alert('m46')</script><img src=x onerror=alert(46)>`

func good(m mockidp.Mutation) string { return base64.StdEncoding.EncodeToString(m.Response) }

// form returns the fields of messages and, if there is one, a RelayState. It is
// never nil.
func form(relayState string, messages ...string) []mockidp.Field {
	out := []mockidp.Field{}
	for _, v := range messages {
		out = append(out, mockidp.Field{Name: "SAMLResponse", Value: v})
	}
	if relayState != "" {
		out = append(out, mockidp.Field{Name: "RelayState", Value: relayState})
	}
	return out
}

// relayState is a good message with another RelayState.
func relayState(m mockidp.Mutation, value string) mockidp.Mutated {
	return mockidp.Mutated{Fields: form(value, good(m))}
}
