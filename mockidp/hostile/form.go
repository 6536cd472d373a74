package hostile

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack"
)

// formAttack is an attack of the catalogue that lies in how a message is sent
// and not in the document: what a page in a browser can do of it.
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
			return mockidp.Mutated{Fields: response(good(m))}, nil
		},
		"D46/refused": func(_ forger, m mockidp.Mutation) (mockidp.Mutated, error) {
			return mockidp.Mutated{Fields: append(response("PHg+"+markup), mockidp.Field{Name: "RelayState", Value: markup})}, nil
		},
		"D46/accepted": func(_ forger, m mockidp.Mutation) (mockidp.Mutated, error) { return relayState(m, markup), nil },
		"D50/redirect": func(forger, mockidp.Mutation) (mockidp.Mutated, error) {
			bomb := attack.Deflated(make([]byte, 32<<20)) // in some 40 KiB
			return mockidp.Mutated{Fields: response(bomb), Method: mockidp.GET}, nil
		},
	}
	for name, value := range map[string]string{
		"https": "https://attacker.example/", "scheme-relative": "//attacker.example/", "backslash": `/\attacker.example/`,
		"backslashes": `\\attacker.example/`, "tab": "/\t/attacker.example/", "userinfo": "https://%SELF%@attacker.example/",
		"prefix": "%ORIGIN%.attacker.example/", "javascript": "javascript:alert('attacker.example')",
		"data": "data:text/html,attacker.example", "header": "/x\r\nX-Attacker: attacker.example",
	} {
		out["D44/"+name] = func(_ forger, m mockidp.Mutation) (mockidp.Mutated, error) {
			u, err := url.Parse(m.ACS)
			if err != nil {
				return mockidp.Mutated{}, err
			}
			return relayState(m, strings.NewReplacer("%SELF%", u.Host, "%ORIGIN%", u.Scheme+"://"+u.Host).Replace(value)), nil
		}
	}
	for name, f := range channels {
		out["D48/"+name] = func(by forger, m mockidp.Mutation) (mockidp.Mutated, error) {
			// Nothing vouches for it: it isn't signed, and about another user.
			forged, err := by.forge("B01", m, func(p *attack.Params) { p.Subject = "admin@example.com" })
			return f(m, good(m), string(forged.SAMLResponse)), err
		}
	}
	return out
}

// channels are ways to bring a good message, and perhaps a forged one.
var channels = map[string]func(m mockidp.Mutation, good, forged string) mockidp.Mutated{
	"get": func(m mockidp.Mutation, good, _ string) mockidp.Mutated {
		return mockidp.Mutated{Fields: withRelayState(m, good), Method: mockidp.GET}
	},
	"query": func(m mockidp.Mutation, good, _ string) mockidp.Mutated {
		return mockidp.Mutated{Query: response(good), Fields: withRelayState(m)}
	},
	"forged-in-query": func(m mockidp.Mutation, good, forged string) mockidp.Mutated {
		return mockidp.Mutated{Query: response(forged), Fields: withRelayState(m, good)}
	},
	"good-in-query": func(m mockidp.Mutation, good, forged string) mockidp.Mutated {
		return mockidp.Mutated{Query: response(good), Fields: withRelayState(m, forged)}
	},
	"forged-last": func(m mockidp.Mutation, good, forged string) mockidp.Mutated {
		return mockidp.Mutated{Fields: withRelayState(m, good, forged)}
	},
	"forged-first": func(m mockidp.Mutation, good, forged string) mockidp.Mutated {
		return mockidp.Mutated{Fields: withRelayState(m, forged, good)}
	},
	"array": func(m mockidp.Mutation, good, forged string) mockidp.Mutated {
		fields := withRelayState(m, good, forged)
		fields[0].Name, fields[1].Name = "SAMLResponse[]", "SAMLResponse[]"
		return mockidp.Mutated{Fields: fields}
	},
	"text": func(m mockidp.Mutation, good, _ string) mockidp.Mutated {
		return mockidp.Mutated{Fields: withRelayState(m, good), Encoding: mockidp.PlainText}
	},
	"multipart": func(m mockidp.Mutation, good, _ string) mockidp.Mutated {
		return mockidp.Mutated{Fields: withRelayState(m, good), Encoding: mockidp.Multipart}
	},
}

// atOtherACS makes the answer for another ACS URL of the service provider than
// was asked for, and brings it there.
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

func response(value string) []mockidp.Field {
	return []mockidp.Field{{Name: "SAMLResponse", Value: value}}
}

// withRelayState are the fields of the usual form, with other messages.
func withRelayState(m mockidp.Mutation, values ...string) []mockidp.Field {
	out := []mockidp.Field{}
	for _, v := range values {
		out = append(out, response(v)...)
	}
	if m.RelayState != "" {
		out = append(out, mockidp.Field{Name: "RelayState", Value: m.RelayState})
	}
	return out
}

// relayState is a good message with another RelayState.
func relayState(m mockidp.Mutation, value string) mockidp.Mutated {
	return mockidp.Mutated{Fields: append(response(good(m)), mockidp.Field{Name: "RelayState", Value: value})}
}
