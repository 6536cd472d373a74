package main_test

import (
	"encoding/base64"
	"html"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

var (
	formTag = regexp.MustCompile(`<form method="([^"]*)" action="([^"]*)"(?: enctype="([^"]*)")? id="answer">`)
	input   = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	nameID  = regexp.MustCompile(`>[^<]*</saml2:NameID>`)
	choice  = regexp.MustCompile(`<option value="([^"]+)"`)
)

// sent is the form that the browser posts.
type sent struct {
	method, action, enctype string
	fields                  [][2]string
}

// messages returns the kinds of the messages in a field: "good" for a signed one about Alice, "forged" for an
// unsigned one about another user.
func (s sent) messages(t *testing.T, name string) []string {
	t.Helper()
	var out []string
	for _, f := range s.fields {
		if f[0] == name {
			out = append(out, kindOf(t, f[1]))
		}
	}
	return out
}

func kindOf(t *testing.T, value string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(value)
	require.NoError(t, err)
	signed := strings.Contains(string(raw), "SignatureValue")
	switch who := strings.Join(nameID.FindAllString(string(raw), -1), " "); {
	case who == ">alice@example.com</saml2:NameID>" && signed:
		return "good"
	case who == ">admin@example.com</saml2:NameID>" && !signed:
		return "forged"
	}
	return "neither"
}

func (s sent) relayState() string {
	for _, f := range s.fields {
		if f[0] == "RelayState" {
			return f[1]
		}
	}
	return "none"
}

// open opens an app's tile, signs in if necessary, and returns the form.
func open(t *testing.T, b *testkit.Browser, tile, attackID string) sent {
	t.Helper()
	p, err := b.Open(tile)
	require.NoError(t, err)
	if f, ok := p.FormWith("password"); ok {
		p, err = b.Submit(p, f, url.Values{"username": {"alice@example.com"}, "password": {"mockidp"}, "attack": {attackID}})
		require.NoError(t, err)
	}
	page := p.Body
	m := formTag.FindStringSubmatch(page)
	require.NotNil(t, m, page)
	out := sent{method: m[1], action: html.UnescapeString(m[2]), enctype: m[3]}
	for _, f := range input.FindAllStringSubmatch(page, -1) {
		out.fields = append(out.fields, [2]string{html.UnescapeString(f[1]), html.UnescapeString(f[2])})
	}
	return out
}

const twoApps = `{"apps": [
	{"label": "One", "id": "one", "name": "one", "externalKey": "k1", "audience": "sp", "groups": ["Everyone"], "defaultRelayState": "r",
	 "acs": [{"url": "http://sp.localhost/acs"}, {"url": "http://sp.localhost/acs2?v=1"}]},
	{"label": "Two", "id": "two", "name": "two", "externalKey": "k2", "audience": "sp2", "groups": ["Everyone"], "acs": [{"url": "http://sp2.localhost/acs"}]}
], "attacks": [{"id": "D45/missing", "app": "two"}]}`

// The form that the browser posts has the attack.
func TestAttacksInTheForm(t *testing.T) {
	found, stop := running(
		t,
		os.Interrupt,
		"-config",
		write(t, twoApps),
		"-attacks",
		"-sign-in",
		"password",
		"-control",
		"127.0.0.1:0",
		"-control-token",
		"secret",
	)
	defer stop()
	tile := strings.TrimSuffix(found["Sign"][0], "/login/login.htm") + "/app/one/k1/sso/saml"
	control := found["Control"][0]
	b := testkit.NewBrowser(t.Context())
	send := func(method, path, body string) {
		t.Helper()
		req, err := http.NewRequest(method, control+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "SSWS secret")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		require.Less(t, resp.StatusCode, 300, "%s %s", path, body)
	}
	// An attack chosen on the sign-in page applies once; one in the configuration file applies always.
	assert.Equal(t, []string{"forged", "good"}, open(t, b, tile, "D48/forged-first").messages(t, "SAMLResponse"))
	plain := open(t, b, tile, "")
	assert.Equal(t, sent{"post", "http://sp.localhost/acs", "", plain.fields}, plain)
	assert.Equal(t, [][2]string{{"SAMLResponse", plain.fields[0][1]}, {"RelayState", "r"}}, plain.fields)
	assert.Equal(t, []string{"good"}, plain.messages(t, "SAMLResponse"))
	assert.Equal(t, "none", open(t, b, strings.Replace(tile, "one/k1", "two/k2", 1)+"?RelayState=x", "").relayState())

	shows := map[string]func(t *testing.T, s sent){
		"D48/forged-last": func(t *testing.T, s sent) {
			assert.Equal(t, []string{"good", "forged"}, s.messages(t, "SAMLResponse"))
			assert.Equal(t, "r", s.relayState())
		},
		"D48/array": func(t *testing.T, s sent) {
			assert.Equal(t, []string{"good", "forged"}, s.messages(t, "SAMLResponse[]"))
		},
		"D48/get":  func(t *testing.T, s sent) { assert.Equal(t, "get", s.method) },
		"D48/text": func(t *testing.T, s sent) { assert.Equal(t, "text/plain", s.enctype) },
		"D48/multipart": func(t *testing.T, s sent) {
			assert.Equal(t, "multipart/form-data", s.enctype)
		},
		"D48/query": func(t *testing.T, s sent) {
			assert.Equal(t, "good", inQuery(t, s))
			assert.Empty(t, s.messages(t, "SAMLResponse"))
		},
		"D48/forged-in-query": func(t *testing.T, s sent) {
			assert.Equal(t, []string{"forged", "good"}, append([]string{inQuery(t, s)}, s.messages(t, "SAMLResponse")...))
		},
		"D48/good-in-query": func(t *testing.T, s sent) {
			assert.Equal(t, []string{"good", "forged"}, append([]string{inQuery(t, s)}, s.messages(t, "SAMLResponse")...))
		},
		"D18": func(t *testing.T, s sent) {
			assert.Equal(t, "http://sp.localhost/acs2?v=1", s.action)
			assert.Equal(t, []string{"good"}, s.messages(t, "SAMLResponse"))
		},
		"D44/userinfo": func(t *testing.T, s sent) {
			assert.Equal(t, "https://sp.localhost@attacker.example/",
				s.relayState())
		},
		"D44/prefix": func(t *testing.T, s sent) {
			assert.Equal(t, "http://sp.localhost.attacker.example/",
				s.relayState())
		},
		"D44/javascript": func(t *testing.T, s sent) {
			assert.Equal(t, "javascript:alert('attacker.example')",
				s.relayState())
		},
		"D45/unknown": func(t *testing.T, s sent) { assert.Contains(t, s.relayState(), "unknown") },
		"D45/missing": func(t *testing.T, s sent) { assert.Equal(t, "none", s.relayState()) },
		"D46/accepted": func(t *testing.T, s sent) {
			assert.Contains(t, s.relayState(), "<script>")
			assert.Equal(t, []string{"good"}, s.messages(t, "SAMLResponse"))
		},
		"D46/refused":      func(t *testing.T, s sent) { assert.Contains(t, s.fields[0][1], "<script>") },
		"C24/lines":        func(t *testing.T, s sent) { assert.Contains(t, s.fields[0][1], "\r\n") },
		"C24/junk":         func(t *testing.T, s sent) { assert.Equal(t, "!", s.fields[0][1][100:101]) },
		"C24/not-encoded":  func(t *testing.T, s sent) { assert.Equal(t, "<saml2p:Response/>", s.fields[0][1]) },
		"C24/url-alphabet": func(t *testing.T, s sent) { assert.Equal(t, "-_", s.fields[0][1][100:102]) },
		"D50/redirect": func(t *testing.T, s sent) {
			assert.Equal(t, "get", s.method)
			assert.Less(t, len(s.fields[0][1]), 64<<10)
		},
		"A03/assertion": func(t *testing.T, s sent) { assert.NotContains(t, s.messages(t, "SAMLResponse"), "good") },
	}
	for _, id := range slices.Sorted(maps.Keys(shows)) {
		t.Run(id, func(t *testing.T) {
			send("POST", "/control/attacks", `{"id": "`+id+`", "app": "one"}`)
			for range 2 {
				s := open(t, b, tile, "")
				shows[id](t, s)
			}
		})
	}
	send("DELETE", "/control/attacks", "")
	assert.Equal(t, plain.action, open(t, b, tile, "").action)
}

func inQuery(t *testing.T, s sent) string {
	t.Helper()
	u, err := url.Parse(s.action)
	require.NoError(t, err)
	return kindOf(t, u.Query().Get("SAMLResponse"))
}

// The program offers the whole catalogue without the attacks that, by CONTROL.md, no browser can send.
func TestOfferedAttacks(t *testing.T) {
	doc, err := os.ReadFile("CONTROL.md")
	require.NoError(t, err)
	found, stop := running(t, os.Interrupt, "-sign-in", "password", "-attacks", "-attack",
		"C24/junk,user=alice@example.com")
	defer stop()
	tile := strings.Replace(found["Metadata"][0], "/sso/saml/metadata", "", 1)
	key := tile[strings.LastIndex(tile, "/")+1:]
	page, err := testkit.NewBrowser(t.Context()).
		Open(strings.TrimSuffix(found["Sign"][0], "/login/login.htm") + "/app/mockidp_example_app_1/" + key + "/sso/saml")
	require.NoError(t, err)
	offered := map[string]bool{}
	for _, m := range choice.FindAllStringSubmatch(page.Body, -1) {
		offered[html.UnescapeString(m[1])] = true
	}
	named := regexp.MustCompile("(?s)Only\\s`mockidp attack`.*").FindString(string(doc))
	require.NotEmpty(t, named)
	mentioned := func(id string) bool {
		row, _, _ := strings.Cut(id, "/")
		for _, m := range regexp.MustCompile("`([A-L][0-9]{2})` to `([A-L][0-9]{2})`").FindAllStringSubmatch(named, -1) {
			if m[1] <= row && row <= m[2] {
				return true
			}
		}
		return strings.Contains(named, "`"+id+"`") || strings.Contains(named, "`"+row+"`")
	}
	var armed mockidp.Config
	hostile.Arm(&armed)
	for id, m := range armed.MutationInfo { // at a sign-in, only those that change the response are
		if m.Changes != mockidp.ChangesResponse {
			assert.False(t, offered[id], id)
			offered[id] = true
		}
	}
	for _, e := range run.List() {
		assert.NotEqual(t, mentioned(e.ID), offered[e.ID], "%s is offered (%v) or named as what isn't", e.ID, offered[e.ID])
		delete(offered, e.ID)
	}
	assert.Empty(t, offered, "not in the catalogue")
}
