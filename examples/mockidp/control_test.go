package main_test

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// curl runs a document's lines for curl that go to the control API against the
// program, started with these flags, and returns the answers.
func curl(t *testing.T, doc string, atLeast int, flags ...string) (answers string) {
	t.Helper()
	testkit.RequireProgram(t, "peers", "curl")
	text, err := os.ReadFile(doc)
	require.NoError(t, err)
	lines := regexp.MustCompile(`(?m)^curl .* -H .*$`).FindAllString(string(text), -1)
	require.GreaterOrEqual(t, len(lines), atLeast)

	found, stop := running(t, os.Interrupt, append(flags, "-control", "127.0.0.1:0", "-control-token", "secret")...)
	defer stop()
	require.Len(t, found["Control"], 1)
	for _, line := range lines {
		line = strings.ReplaceAll(line, "127.0.0.1:8702", strings.TrimPrefix(found["Control"][0], "http://"))
		cmd := exec.Command("sh", "-c", line)
		cmd.Env = append(
			os.Environ(),
			"CONTROL="+found["Control"][0],
			"AUTH=Authorization: SSWS secret",
			"NO_PROXY=*",
			"no_proxy=*",
		)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", line, out)
		answers += string(out) + "\n"
	}
	return answers
}

// The README's examples for curl work.
func TestCurlLinesOfTheReadme(t *testing.T) {
	answers := curl(t, "../../README.md", 3)
	for _, want := range []string{`"login":"bob@example.com"`, `"users":["bob@example.com"]`, `"messages":[]`} {
		assert.Contains(t, answers, want)
	}
}

// The examples for curl in CONTROL.md work.
func TestCurlLines(t *testing.T) {
	answers := curl(t, "CONTROL.md", 8, "-attacks")
	for _, want := range []string{`"login":"bob@example.com"`, `"name":"Engineering"`, `"https://eu.sp.example/acs"`, `"label":"Portal"`, `"now":`, `"users":["bob@example.com"]`, `"messages":[]`,
		`"attacks":["A03/assertion"]`, `"attacks":[{"id":"D48/forged-last","app":"0oaJSPF7xm4dzAKzXBMw"}]`} {
		assert.Contains(t, answers, want)
	}
	// The app signs with another key than it did, and Bob was found.
	kids := regexp.MustCompile(`"signing":\{"kid":"([^"]+)"`).FindAllStringSubmatch(answers, -1)
	require.Len(t, kids, 2)
	assert.NotEqual(t, kids[0][1], kids[1][1])
	assert.Equal(t, 2, strings.Count(answers, "<md:KeyDescriptor "))
	assert.Equal(t, 2, strings.Count(answers, `"login":"bob@example.com"`), "made, and found")
	assert.Equal(t, 2, strings.Count(answers, `"name":"Engineering"`), "made, and found")
}

// The examples for curl in COMPOSE.md work, as far as they need no service provider.
func TestCurlLinesThatCompose(t *testing.T) {
	testkit.RequireProgram(t, "peers", "curl")
	text, err := os.ReadFile("COMPOSE.md")
	require.NoError(t, err)
	found, stop := running(t, os.Interrupt, "-config", "config.json")
	defer stop()
	at, err := url.Parse(found["Compose"][0])
	require.NoError(t, err)
	sso := regexp.MustCompile(`(?m)^SSO=(\S+)$`).FindSubmatch(text)
	require.NotNil(t, sso)
	lines := regexp.MustCompile(`(?m)^curl .*"\$SSO".*$`).FindAllString(string(text), -1)
	require.Len(t, lines, 3)
	for i, want := range [][]string{{"carol@example.com", "identity/claims/emailaddress", ">Admins<", ">gold<", ">eu<"},
		{"status:AuthnFailed", "Locked out"}, {"admin@example.com"}} {
		cmd := exec.Command("sh", "-c", lines[i])
		cmd.Env = append(os.Environ(), "SSO="+strings.Replace(string(sso[1]), "127.0.0.1:8701", at.Host, 1),
			"NO_PROXY=*", "no_proxy=*")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", lines[i], out)
		field := regexp.MustCompile(`name="SAMLResponse" value="([^"]+)"`).FindSubmatch(out)
		require.NotNil(t, field, "%s", out)
		xml, err := base64.StdEncoding.DecodeString(html.UnescapeString(string(field[1])))
		require.NoError(t, err)
		for _, text := range want {
			assert.Contains(t, string(xml), text, lines[i])
		}
	}
}

// On a loopback address responses are composed, unless -sign-in says otherwise. A printed configuration, which may be
// used elsewhere, doesn't say so.
func TestSignInFlag(t *testing.T) {
	found, stop := running(t, os.Interrupt)
	assert.Len(t, found["Compose"], 1)
	stop()
	found, stop = running(t, os.Interrupt, "-sign-in", "password")
	assert.Empty(t, found["Compose"])
	stop()
	found, stop = running(t, os.Interrupt, "-listen", "0.0.0.0:0", "-allow-non-loopback", "-base-url",
		"http://idp.example")
	assert.Empty(t, found["Compose"])
	stop()
	found, stop = running(t, os.Interrupt, "-listen", "0.0.0.0:0", "-allow-non-loopback", "-base-url",
		"http://idp.example", "-sign-in", "compose")
	assert.Len(t, found["Compose"], 1)
	stop()
	printed, err := exec.Command(binary(t), "-print-config").Output()
	require.NoError(t, err)
	assert.NotContains(t, string(printed), `"compose": true`)
	out, err := exec.Command(binary(t), "-sign-in", "none").CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(out), "-sign-in: want compose or password")
}

func TestControlIsAnnounced(t *testing.T) {
	found, stop := running(t, syscall.SIGTERM, "-control", "127.0.0.1:0", "-attacks")
	defer stop()
	require.Len(t, found["Control"], 1)
	resp, err := http.Get(found["Control"][0] + "/api/v1/users")
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, 401, resp.StatusCode)
}

// With -provision users are pushed at the start.
func TestProvisionPushes(t *testing.T) {
	asked := make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/scim+json")
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(`{"id": "1"}`))
			return
		}
		_, _ = w.Write([]byte(`{"Resources": []}`))
	}))
	defer srv.Close()
	_, stop := running(t, os.Interrupt, "-provision", srv.URL+"/scim/v2", "-provision-token", "bearer-of-some-length")
	assert.Equal(t, "GET /scim/v2/Users Bearer bearer-of-some-length", <-asked)
	assert.Equal(t, "POST /scim/v2/Users Bearer bearer-of-some-length", <-asked)
	stop()
}

// With -attack every answer is hostile, and signed with the real key if it is signed. With -attacks the next
// answer is the attack that the control API ordered.
func TestAttacksInTheAnswers(t *testing.T) {
	acs := make(chan string, 10)
	sp := httptest.NewServer(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { acs <- r.FormValue("SAMLResponse") }),
	)
	defer sp.Close()
	config := write(
		t,
		`{"apps": [{"label": "x", "audience": "sp", "groups": ["Everyone"], "acs": [{"url": "`+sp.URL+`/acs"}, {"url": "`+sp.URL+`/acs2"}]}]}`,
	)
	subject := func(control, id string) string {
		t.Helper()
		post := func(path, body string) {
			t.Helper()
			req, err := http.NewRequest("POST", control+path, strings.NewReader(body))
			require.NoError(t, err)
			req.Header.Set("Authorization", "SSWS secret")
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, 200, resp.StatusCode, path)
		}
		if id != "" {
			post("/control/attack", `{"id": "`+id+`"}`)
		}
		post("/control/deliver", `{"user": "alice@example.com"}`)
		raw, err := base64.StdEncoding.DecodeString(<-acs)
		require.NoError(t, err)
		return string(raw)
	}
	args := []string{"-config", config, "-control", "127.0.0.1:0", "-control-token", "secret"}
	found, stop := running(t, os.Interrupt, append(args, "-attacks")...)
	good := subject(found["Control"][0], "")
	assert.Contains(t, good, "alice@example.com")
	assert.NotContains(t, good, "admin@example.com")
	assert.Contains(t, subject(found["Control"][0], "A03/assertion"), "admin@example.com")
	assert.NotContains(t, subject(found["Control"][0], ""), "admin@example.com", "only the next")
	stop()
	found, stop = running(t, os.Interrupt, append(args, "-attack", "A03/assertion")...)
	defer stop()
	assert.Contains(t, subject(found["Control"][0], ""), "admin@example.com")
}
