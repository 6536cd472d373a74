package main_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// attackWith runs the subcommand and returns its exit status and output.
func attackWith(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	return attackIn(t, t.TempDir(), args...)
}

// attackIn runs the subcommand in a folder.
func attackIn(t *testing.T, dir string, args ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(binary(t), append([]string{"attack"}, args...)...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Start())
	stuck := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// attackKeys makes an identity provider with the program.
func attackKeys(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "idp")
	status, out, errs := attackWith(t, "-write-metadata", dir)
	require.Zero(t, status, errs)
	require.Contains(t, out, dir+"/metadata.xml")
	return dir
}

func TestAttackList(t *testing.T) {
	status, out, errs := attackWith(t, "-list")
	require.Zero(t, status, errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, len(run.List()))
	assert.Regexp(t, `^A01/response +refused +hole +XSW1 `, lines[0])
	assert.Regexp(t, `(?m)^D41/digit +accepted +weaker `, out)
}

func TestAttackUsage(t *testing.T) {
	keys := attackKeys(t)
	target := func(args ...string) []string {
		return append([]string{"-keys", keys, "-sp-login", "http://127.0.0.1:1/login", "-acs", "http://127.0.0.1:1/acs",
			"-entity-id", "sp",
			"-probe", "http://127.0.0.1:1/", "-identity", "<b>(.*)</b>"}, args...)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":    {target("-nonsense"), "-nonsense"},
		"stray argument":  {target("more"), `"more"`},
		"two keys":        {target("-key", filepath.Join(keys, "rsa.key")), "-keys"},
		"missing keys":    {target("-keys", t.TempDir()), "idp.json"},
		"no ACS":          {target("-acs", ""), "(or give -acs URL)"},
		"no sign-in":      {target("-sp-login", ""), "URL"},
		"two sign-ins":    {target("http://127.0.0.1:1/login"), "-sp-login"},
		"two arguments":   {target("-sp-login", "", "http://127.0.0.1:1/login", "http://127.0.0.1:1/login"), "unexpected"},
		"no request":      {[]string{"-keys", keys, "-idp-initiated"}, "-acs"},
		"no entity ID":    {target("-entity-id", ""), "(or give -entity-id ID)"},
		"no probe":        {target("-probe", ""), "(or give -probe URL)"},
		"no identity":     {target("-identity", ""), "(or give -identity REGEXP)"},
		"no metadata":     {target("-sp-metadata", filepath.Join(keys, "none.xml")), "-sp-metadata"},
		"bad metadata":    {target("-sp-metadata", filepath.Join(keys, "metadata.xml")), "SPSSODescriptor"},
		"weak keys":       {target("-weak-keys"), "-write-metadata"},
		"no back channel": {target("-soap-listen", "127.0.0.1:0"), "-write-metadata DIR -soap-listen"},
		"soap listen":     {target("-soap-listen", "8082"), "HOST:PORT"},
		"own cert":        {target("-cert", filepath.Join(keys, "rsa.crt")), "-key"},
		"bad identity":    {target("-identity", "("), "-identity"},
		"unknown id":      {target("-only", "A01,Z99"), "Z99"},
		"unknown way":     {target("-sign", "neither"), `"neither"`},
		"attribute":       {target("-attribute", "role"), "NAME=VALUE"},
		"certificate":     {target("-sp-cert", filepath.Join(keys, "idp.json")), "-sp-cert"},
		"color":           {target("-color", "blue"), "auto"},
	} {
		t.Run(name, func(t *testing.T) {
			status, out, errs := attackWith(t, c.args...)
			assert.Equal(t, 2, status)
			assert.Empty(t, out)
			assert.Equal(t, 1, strings.Count(errs, "\n"), errs)
			assert.True(t, strings.HasPrefix(errs, "mockidp: "), errs)
			assert.Contains(t, errs, c.want)
		})
	}
	status, out, _ := attackWith(t, "-h")
	assert.Zero(t, status)
	for _, flag := range []string{"-sp-login", "-allow-host", "-junit", "Exit status"} {
		assert.Contains(t, out, flag)
	}
}

// If nothing was run, the exit status isn't that of "all refused".
func TestAttackOfNothing(t *testing.T) {
	target := []string{"-keys", attackKeys(t), "-sp-login", "http://127.0.0.1:1/login", "-acs", "http://127.0.0.1:1/acs",
		"-entity-id", "sp",
		"-probe", "http://127.0.0.1:1/", "-identity", "<b>(.*)</b>", "-q"}
	for _, chosen := range [][]string{{"-only", "D04"}, {"-only", "A", "-skip", "A"}} {
		status, out, errs := attackWith(t, append(target, chosen...)...)
		assert.Equal(t, 3, status, "%v: %s%s", chosen, out, errs)
	}
}

// A report that can't be written is an error before the run. An earlier report stays until there is another.
func TestAttackLooksAtItsFilesFirst(t *testing.T) {
	var asked atomic.Int64
	sp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer sp.Close()
	keys, old := attackKeys(t), filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, os.WriteFile(old, []byte("{}"), 0o600))
	target := []string{"-keys", keys, "-sp-login", sp.URL, "-acs", sp.URL, "-entity-id", "sp", "-probe", sp.URL,
		"-identity", "<b>(.*)</b>", "-only", "B01"}
	for _, files := range [][]string{{"-json", filepath.Join(keys, "none", "report.json")},
		{"-json", old, "-junit", keys}} {
		status, out, errs := attackWith(t, append(target, files...)...)
		assert.Equal(t, 2, status, errs)
		assert.Empty(t, out)
	}
	assert.Zero(t, asked.Load())
	kept, err := os.ReadFile(old)
	require.NoError(t, err)
	assert.Equal(t, "{}", string(kept))
}

// startSP starts examples/sp and returns its address.
func startSP(t *testing.T, idpMetadata string) string {
	t.Helper()
	sp := filepath.Join(t.TempDir(), "sp")
	out, err := exec.Command("go", "build", "-o", sp, "../sp").CombinedOutput()
	require.NoError(t, err, string(out))
	l, err := loopback.Listen(0) // at a port that is likely to be free still in a moment
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	at := "http://sp.localhost:" + port
	cmd := exec.Command(sp, "-idp-metadata", idpMetadata, "-base-url", at, "-listen", addr)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for in := bufio.NewScanner(stdout); in.Scan() && !strings.HasPrefix(in.Text(), "Listening on "); {
	}
	return at
}

// A service provider that trusts the mock is attacked as it is: the mock's metadata is enough, as its key is published.
func TestAttackOfTheMocksServiceProvider(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	metadata := filepath.Join(t.TempDir(), "idp.xml")
	require.NoError(t, os.WriteFile(metadata, idp.Metadata(""), 0o600))
	at := startSP(t, metadata)
	for _, from := range []string{metadata, idp.URL + "/metadata"} {
		status, out, errs := attackIn(t, t.TempDir(), "-idp-metadata", from, "-only", "A03,B01", at+"/login")
		assert.Zero(t, status, errs)
		assert.Contains(t, out, "No attack was let in: of 3 attacks")
	}
	own := mockidp.New(mockidp.Config{Key: testkit.RSAKey("own")})
	t.Cleanup(own.Close)
	for args, want := range map[string]string{
		"-idp-metadata " + own.URL + "/metadata":        "give the private key, -key FILE",
		"-idp-metadata " + at + "/metadata":             "no entityID, or no IDPSSODescriptor",
		"-idp-metadata " + own.URL + "/login/login.htm": "-idp-metadata: ",
		"-idp-metadata none.xml":                        "-idp-metadata: ",
		"-idp-metadata none.xml -keys attack-idp":       "exclude each other",
	} {
		status, _, errs := attackIn(t, t.TempDir(), append(strings.Fields(args), at+"/login")...)
		assert.Equal(t, 2, status)
		assert.Contains(t, errs, want)
	}
}

// Without any flag, the tool makes an identity provider. Once the service provider trusts that, its address is enough.
func TestAttackFromNothing(t *testing.T) {
	dir := t.TempDir()
	status, out, errs := attackIn(t, dir, "http://127.0.0.1:1/login")
	assert.Equal(t, 2, status)
	assert.Empty(t, out)
	assert.Contains(t, errs, "have the service provider trust attack-idp/metadata.xml (entity ID "+run.DefaultEntityID)
	_, _, errs = attackIn(t, dir, "http://127.0.0.1:1/login")
	assert.Contains(t, errs, "the sign-in page can't be read", "the identity provider is there now")

	at := startSP(t, filepath.Join(dir, "attack-idp", "metadata.xml"))
	for _, args := range [][]string{{at + "/login", "-only", "A03,B01"}, {"-only", "A03,B01", at}} {
		status, out, errs = attackIn(t, dir, args...)
		assert.Zero(t, status, errs)
		assert.Contains(t, out, "No attack was let in: of 3 attacks")
		assert.Contains(t, errs, strings.ReplaceAll(`from the AuthnRequest:
  -entity-id AT/saml
  -acs AT/saml/acs
from the usual paths:
  -sp-metadata AT/metadata
from a sign-in as "alice@example.com":
  -probe AT/
  -identity '<body><p>Signed in as <strong>([^<]{1,256})<'
`, "AT", at))
	}
	assert.Contains(t, errs, "These flags were found:\nfrom "+at+":\n  -sp-login "+at+"/login\n")

	status, out, errs = attackIn(t, dir, at+"/login", "-only", "B01", "-q", "-sp-metadata", at+"/metadata")
	assert.Zero(t, status, errs)
	assert.Empty(t, errs)
	assert.Equal(t, 1, strings.Count(out, "\n"), out)
}

// examples/sp refuses every attack.
func TestAttackOnTheSampleServiceProvider(t *testing.T) {
	keys := attackKeys(t)
	at := startSP(t, filepath.Join(keys, "metadata.xml"))
	files := t.TempDir()
	status, said, errs := attackWith(t, "-keys", keys, "-sp-login", at+"/login", "-acs", at+"/saml/acs", "-entity-id",
		at+"/saml", "-probe", at+"/",
		"-identity", "Signed in as <strong>([^<]+)</strong>", "-only", "A,B,D", "-sign", "assertion,both", "-parallel", "2",
		"-json", filepath.Join(files, "report.json"), "-junit", filepath.Join(files, "report.xml"))
	assert.Zero(t, status, "%s%s", said, errs)
	assert.Empty(t, errs)
	rest := shape(said)
	for _, sentence := range []string{ // the order is that of their counts
		"Service provider http://sp.localhost:N/saml",
		"Good, accepted rsa, assertion signed; rsa, both signed; ecdsa, assertion signed",
		"N attacks not run: they need a service provider with other settings, or with other requests.",
		"N attacks not run: they need the service provider's encryption certificate; give -sp-cert FILE.",
		"N attacks not run: they can't be made over HTTP from outside.",
		"N attacks not run: they need another ACS URL of the same service provider; give -acsN URL.",
		"N attacks not run: they do not apply to the selected ways of signing; leave out -sign.",
		"N attacks not run: they need an identity provider with an RSA key of N bits; use -weak-keys when you make -keys DIR.",
		"N attack not run: they need another identity provider that the service provider trusts; give -other-keys DIR.",
		"No attack was let in: of N attacks in T, N refused, N unusual but legal, N without a clear answer, N not run.",
	} {
		assert.Contains(t, rest, sentence)
		rest = strings.Replace(rest, sentence, "", 1)
	}
	assert.Empty(t, strings.TrimSpace(rest))
	text, err := os.ReadFile(filepath.Join(files, "report.json"))
	require.NoError(t, err)
	var report run.Report
	require.NoError(t, json.Unmarshal(text, &report))
	assert.Equal(t, at+"/saml", report.ServiceProvider)
	verdicts := make(map[string]run.Verdict)
	for _, x := range report.Results {
		verdicts[x.ID] = x.Verdict
	}
	assert.Equal(t, run.Tolerated, verdicts["D45/missing"])
	assert.Equal(t, run.Refused, verdicts["A03/assertion"])
	assert.Equal(t, run.Accepted, verdicts["D28/merely-old"])
	documented(t, text)
	text, err = os.ReadFile(filepath.Join(files, "report.xml"))
	require.NoError(t, err)
	var suites struct {
		Cases []struct {
			Name string `xml:"name,attr"`
		} `xml:"testsuite>testcase"`
	}
	require.NoError(t, xml.Unmarshal(text, &suites))
	assert.Len(t, suites.Cases, len(report.Results))
}

// shape returns a report without its lines, numbers and times.
func shape(report string) string {
	report = regexp.MustCompile(`\bin [0-9.ms]+,`).ReplaceAllString(strings.Join(strings.Fields(report), " "), "in T,")
	return regexp.MustCompile(`\d+`).ReplaceAllString(report, "N")
}

// documented checks that the help text names every key of a report.
func documented(t *testing.T, report []byte) {
	t.Helper()
	_, help, _ := attackWith(t, "-h")
	_, schema, ok := strings.Cut(help, "With -json")
	require.True(t, ok)
	schema, _, _ = strings.Cut(schema, "In JUnit")
	var all any
	require.NoError(t, json.Unmarshal(report, &all))
	var check func(at string, v any)
	check = func(at string, v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				check(at, x)
			}
		case map[string]any:
			for key, x := range v {
				if at != "counts" {
					assert.Regexp(t, `\b`+key+`\b`, schema)
				}
				check(key, x)
			}
		}
	}
	check("", all)
}

// credulous starts a service provider that accepts everything, and returns the flags for it.
func credulous(t *testing.T) (*httptest.Server, []string) {
	t.Helper()
	nameID := regexp.MustCompile(`NameID [^>]*>([^<]+)<`)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /acs", func(w http.ResponseWriter, r *http.Request) {
		text, _ := base64.StdEncoding.DecodeString(r.PostFormValue("SAMLResponse"))
		if m := nameID.FindSubmatch(text); m != nil {
			http.SetCookie(w, &http.Cookie{Name: "who", Value: string(m[1])})
		}
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("who"); err == nil {
			fmt.Fprintf(w, "Hello %s.", c.Value)
		}
	})
	sp := httptest.NewServer(mux)
	t.Cleanup(sp.Close)
	return sp, []string{"-keys", attackKeys(t), "-idp-initiated", "-acs", sp.URL + "/acs", "-entity-id", "sp",
		"-probe", sp.URL + "/", "-identity", `Hello (\S+)\.`}
}

// letIn is the report about credulous.
const letIn = `Service provider  sp
Good, accepted    rsa, assertion signed; rsa, response signed; rsa, both signed;
                  ecdsa, assertion signed

let in, hole       A03/assertion XSW3: forged Assertion inserted before original
                   signed Assertion, sibling
                   as admin@example.com; signed in as the forged user
let in, hole       B01 missing signature: nothing signed
                   as alice@example.com; accepted, with the name that the
                   identity provider gave
let in, weaker     D01/same-browser replay, in the same browser: same Response
                   twice
                   signed in as "alice@example.com"
let in, weaker     D01/other-browser replay, in another browser: same Response
                   twice
                   signed in as "alice@example.com"
let in, weaker     D01/unsolicited replay of an unsolicited response, in another
                   browser: same Response twice
                   signed in as "alice@example.com"

Note: the cookie "who" has no SameSite.
Note: the cookie "who" is not HttpOnly.
Note: the cookie "who" is not Secure.

The findings, the worst first:

1. messages without a signature are accepted (hole)
   What it means  An attacker without any key or message of the identity
                  provider writes a response, and signs in as any user.
   Shown by       B01, missing signature: nothing signed
   Reference      SPID#2
   Run it alone   -only B01

2. signature wrapping (hole)
   What it means  An attacker with one signed message of any user adds a forged
                  assertion to it, and signs in as any other user.
   Shown by       A03/assertion, XSW3: forged Assertion inserted before original
                  signed Assertion, sibling
   Reference      On Breaking SAML; SAMLRaider
   Run it alone   -only A03/assertion

3. replay (weaker)
   What it means  An attacker who obtains a response that was already used signs
                  in with it again.
   Shown by       D01/same-browser, replay, in the same browser: same Response
                  twice
   And by         D01/other-browser, D01/unsolicited
   Reference      Profiles 4.1.4.5
   Run it alone   -only D01/same-browser

5 attacks were let in: of 6 attacks in 1s, 0 refused, 1 unusual but legal, 0
without a clear answer, 0 not run.
`

// If a service provider accepts everything, the exit status is 1, and the output names the identity.
func TestAttackLetIn(t *testing.T) {
	sp, args := credulous(t)
	status, out, errs := attackWith(t, append(args, "-only", "A03/assertion", "-json", "-")...)
	assert.Equal(t, 1, status, errs)
	assert.Equal(t, "A03/assertion  let in as \"admin@example.com\"\n", errs)
	var report run.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Len(t, report.Results, 1)
	assert.Equal(t, run.LetIn, report.Results[0].Verdict)
	documented(t, []byte(out))

	status, out, errs = attackWith(t, append(args, "-only", "A03/assertion,B01,D01,D28/merely-old")...)
	assert.Equal(t, 1, status, errs)
	assert.Equal(t, letIn, regexp.MustCompile(`in [0-9.]+(ms|s),`).ReplaceAllString(out, "in 1s,"))

	status, out, errs = attackWith(t, append(args, "-only", "A03/assertion,B01,D44", "-color", "always", "-v")...)
	assert.Equal(t, 1, status, errs)
	assert.Contains(t, errs, "A03/assertion  \x1b[31;1mlet in\x1b[0m as ")
	assert.Contains(t, out, "\x1b[31;1mlet in, hole       \x1b[0mA03/assertion ")
	assert.Contains(t, out, "\n   Run it alone   -only B01\n")
	assert.Contains(t, out, "\nrefused            D44/https ")

	sp.Close() // no server: everything stays open
	status, out, _ = attackWith(t, append(args, "-only", "A03/assertion", "-q")...)
	assert.Equal(t, 3, status)
	assert.Contains(t, out, "No attack had a clear answer: ")
}
