package main_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// capture is an entry of testdata/captures.json: a real response, or an attack made from one, and the verdict on
// it. The documents are in the module directory of another library.
type capture struct {
	Name        string `json:"name"`
	File        string `json:"file"`
	IdPMetadata string `json:"idp_metadata"`
	Now         string `json:"now"`
	ACS         string `json:"acs"`
	EntityID    string `json:"entity_id"`
	RequestID   string `json:"request_id"`

	Flags     []string `json:"flags"`
	Key       string   `json:"key"`
	ByDefault string   `json:"by_default"`
	Verdict   string   `json:"verdict"`
	Envelope  string   `json:"envelope"` // the verdict of samlcheck, which reads SOAP, on a document in it
	Replace   *struct {
		Old   string `json:"old"`
		New   string `json:"new"`
		Which string `json:"which"`
	} `json:"replace"`
	Assertion *struct {
		Issuer       string              `json:"issuer"`
		NameID       string              `json:"name_id"`
		NameIDFormat string              `json:"name_id_format"`
		SessionIndex string              `json:"session_index"`
		Attributes   map[string][]string `json:"attributes"`
	} `json:"assertion"`
}

// loadCaptures returns the captures that are responses, or those in a SOAP envelope.
func loadCaptures(t *testing.T, envelope bool) []capture {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "testdata", "captures.json"))
	require.NoError(t, err)
	var all struct{ Responses []capture }
	require.NoError(t, json.Unmarshal(raw, &all))
	require.NotEmpty(t, all.Responses)
	return slices.DeleteFunc(all.Responses, func(c capture) bool { return (c.Envelope != "") != envelope })
}

func captureDir(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/crewjam/saml").Output()
	require.NoError(t, err)
	dir := strings.TrimSpace(string(out))
	require.NotEmpty(t, dir, "the module must be there: it is a dependency")
	return dir
}

// document returns the XML, with the capture's change.
func (c *capture) document(t *testing.T, dir string) []byte {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join(dir, c.File))
	require.NoError(t, err)
	if doc[0] != '<' {
		doc, err = base64.StdEncoding.DecodeString(string(doc))
		require.NoError(t, err)
	}
	if c.Replace == nil {
		return doc
	}
	at := bytes.Index(doc, []byte(c.Replace.Old))
	if c.Replace.Which == "last" {
		at = bytes.LastIndex(doc, []byte(c.Replace.Old))
	}
	require.GreaterOrEqual(t, at, 0, "there is nothing to replace")
	return append(append(bytes.Clone(doc[:at]), c.Replace.New...), doc[at+len(c.Replace.Old):]...)
}

// args returns the command line without the flags that allow something.
func (c *capture) args(dir string) []string {
	return []string{
		"-idp-metadata", filepath.Join(dir, c.IdPMetadata), "-entity-id", c.EntityID, "-acs", c.ACS,
		"-request-id", "_another", "-request-id", c.RequestID, "-now", c.Now,
	}
}

// allowing returns the rest of the command line: the flags, and the key for encrypted responses.
func (c *capture) allowing(dir string) []string {
	var out []string
	if c.Key != "" {
		out = append(out, "-key", filepath.Join(dir, c.Key))
	}
	for _, f := range c.Flags {
		out = append(out, "-"+f)
	}
	return out
}

// named returns one capture.
func named(t *testing.T, name string) (capture, string) {
	t.Helper()
	for _, c := range loadCaptures(t, false) {
		if c.Name == name {
			return c, captureDir(t)
		}
	}
	t.Fatalf("no capture %q", name)
	panic("unreachable")
}

// report is the documented form of -json.
type report struct {
	Accepted *bool   `json:"accepted"`
	Reason   *string `json:"reason"`
	Detail   *string `json:"detail"`
	Checks   []struct {
		Rule   *string `json:"rule"`
		OK     *bool   `json:"ok"`
		Detail *string `json:"detail"`
	} `json:"checks"`
	Assertion *struct {
		Issuer *string `json:"issuer"`
		NameID *struct {
			Value  *string `json:"value"`
			Format *string `json:"format"`
		} `json:"name_id"`
		SessionIndex    *string             `json:"session_index"`
		Attributes      map[string][]string `json:"attributes"`
		AttributeValues []struct {
			Name         string `json:"name"`
			NameFormat   string `json:"name_format"`
			FriendlyName string `json:"friendly_name"`
			Values       []struct {
				Kind string `json:"kind"`
				Text string `json:"text"`
				XML  string `json:"xml"`
			} `json:"values"`
		} `json:"attribute_values"`
	} `json:"assertion"`
	Missing []struct {
		Flag    string   `json:"flag"`
		Passes  []string `json:"passes"`
		GivesUp string   `json:"gives_up"`
	} `json:"missing"`
	PassesWithMissing *bool `json:"passes_with_missing"`
	Remaining         []struct {
		Rule   string `json:"rule"`
		Reason string `json:"reason"`
		Detail string `json:"detail"`
		Hint   string `json:"hint"`
	} `json:"remaining"`
	Unreached *bool    `json:"unreached"`
	Notes     []string `json:"notes"`
}

// flags returns the missing flags.
func (r report) flags() []string {
	out := []string{}
	for _, m := range r.Missing {
		out = append(out, m.Flag)
	}
	return out
}

// decode fails for an unknown or missing key, and if something follows the report.
func decode(t *testing.T, stdout string) report {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	var r report
	require.NoError(t, d.Decode(&r), stdout)
	_, err := d.Token()
	require.ErrorIs(t, err, io.EOF)
	require.NotNil(t, r.Accepted)
	require.NotNil(t, r.Reason)
	require.NotNil(t, r.Detail)
	require.NotEmpty(t, r.Checks)
	failed := 0
	for _, c := range r.Checks {
		require.NotNil(t, c.Rule)
		require.NotEmpty(t, *c.Rule)
		require.NotNil(t, c.OK)
		require.NotNil(t, c.Detail)
		if !*c.OK {
			failed++
		}
	}
	require.NotNil(t, r.Missing)
	require.NotNil(t, r.PassesWithMissing)
	require.NotNil(t, r.Remaining)
	require.NotNil(t, r.Unreached)
	require.NotNil(t, r.Notes)
	for _, m := range r.Missing {
		require.NotEmpty(t, m.Passes, m.Flag)
		require.NotEmpty(t, m.GivesUp, m.Flag)
	}
	if *r.Accepted {
		require.Empty(t, r.Missing)
		require.Empty(t, r.Remaining)
		require.False(t, *r.PassesWithMissing)
		require.Zero(t, failed)
		require.Empty(t, *r.Reason)
		require.Empty(t, *r.Detail)
		require.NotNil(t, r.Assertion)
		require.NotNil(t, r.Assertion.Attributes)
		return r
	}
	require.NotZero(t, failed)
	require.NotEmpty(t, *r.Reason)
	require.NotEmpty(t, *r.Detail)
	require.Nil(t, r.Assertion)
	return r
}

// requireVerdict runs the program and requires a verdict: "accepted", or a Reason.
func requireVerdict(t *testing.T, want string, stdin []byte, args ...string) report {
	t.Helper()
	code, stdout, stderr := run(t, stdin, append([]string{"-json"}, args...)...)
	require.Empty(t, stderr)
	r := decode(t, stdout)
	if want == "accepted" {
		require.True(t, *r.Accepted, stdout)
		require.Equal(t, 0, code)
		return r
	}
	require.Equal(t, want, *r.Reason, stdout)
	require.False(t, *r.Accepted)
	require.Equal(t, 1, code)
	return r
}

// TestCaptures verifies each capture with the defaults and with exactly the flags that it needs: as XML in a file,
// and as base64 on standard input.
func TestCaptures(t *testing.T) {
	dir := captureDir(t)
	for _, c := range loadCaptures(t, false) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			doc := c.document(t, dir)
			file := write(t, "response.xml", doc)
			packed := []byte("\n" + base64.StdEncoding.EncodeToString(doc) + "\n")
			args := c.args(dir)
			requireVerdict(t, c.ByDefault, packed, args...)
			requireVerdict(t, c.ByDefault, nil, append(args, file)...)

			args = append(c.allowing(dir), args...)
			requireVerdict(t, c.Verdict, packed, args...)
			r := requireVerdict(t, c.Verdict, nil, append(args, file)...)
			if c.Verdict != "accepted" {
				return
			}
			require.Equal(t, c.Assertion.Issuer, *r.Assertion.Issuer)
			require.Equal(t, c.Assertion.NameID, *r.Assertion.NameID.Value)
			require.Equal(t, c.Assertion.NameIDFormat, *r.Assertion.NameID.Format)
			require.Equal(t, c.Assertion.SessionIndex, *r.Assertion.SessionIndex)
			want := c.Assertion.Attributes
			if want == nil {
				want = map[string][]string{}
			}
			require.Equal(t, want, r.Assertion.Attributes)
		})
	}
}

// TestKeysByHand verifies without metadata, by a certificate and by its public key.
func TestKeysByHand(t *testing.T) {
	c, dir := named(t, "Google")
	raw, err := os.ReadFile(filepath.Join(dir, c.IdPMetadata))
	require.NoError(t, err)
	idp, err := saml.ParseIdPMetadata(raw)
	require.NoError(t, err)
	cert := idp.Certificates()[0]
	doc := c.document(t, dir)
	byHand := func(blockType string, der []byte) []string {
		file := write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
		return append(
			[]string{"-idp-entity-id", c.Assertion.Issuer, "-idp-cert", file},
			without(c.args(dir), "-idp-metadata", 1)...)
	}
	certificate := byHand("CERTIFICATE", cert.Raw)
	public := byHand("PUBLIC KEY", cert.RawSubjectPublicKeyInfo)
	requireVerdict(t, "accepted", doc, certificate...)
	requireVerdict(t, "accepted", doc, public...)

	other := write(t, "other.pem", otherCertificate(t))
	requireVerdict(t, "accepted", doc, append([]string{"-idp-cert", other}, public...)...)
	alone := append(
		[]string{"-idp-entity-id", c.Assertion.Issuer, "-idp-cert", other},
		without(c.args(dir), "-idp-metadata", 1)...)
	requireVerdict(t, "Signature", doc, alone...)
	certificate[1] += "?"
	requireVerdict(t, "Issuer", doc, certificate...)
}

// TestOtherVerdicts rejects an acceptable capture by other flags.
func TestOtherVerdicts(t *testing.T) {
	c, dir := named(t, "Google")
	doc := c.document(t, dir)
	args := func(change func(*capture)) []string {
		other := c
		change(&other)
		return other.args(dir)
	}
	requireVerdict(t, "accepted", doc, c.args(dir)...)
	// Flags that allow something don't change other checks.
	requireVerdict(
		t,
		"accepted",
		doc,
		append([]string{"-allow-sha1", "-allow-rsa1024", "-allow-cbc", "-allow-rsa15", "-max-age", "30m"}, c.args(dir)...)...)
	requireVerdict(t, "Recipient", doc, args(func(c *capture) { c.ACS += "?x=1" })...)
	requireVerdict(t, "Audience", doc, args(func(c *capture) { c.EntityID += "/" })...)
	requireVerdict(t, "InResponseTo", doc, args(func(c *capture) { c.RequestID = "_unknown" })...)
	requireVerdict(t, "NotYetValid", doc, args(func(c *capture) { c.Now = "2016-01-05T13:00:00+00:00" })...)
	requireVerdict(t, "Expired", doc, args(func(c *capture) { c.Now = "2016-01-06T16:55:39Z" })...)
	requireVerdict(t, "MetadataExpired", doc, args(func(c *capture) { c.Now = "2022-01-01T00:00:00Z" })...)
	now := without(c.args(dir), "-now", 1)
	requireVerdict(t, "MetadataExpired", doc, now...) // the current time

	unsolicited := append(without(without(c.args(dir), "-request-id", 1), "-request-id", 1), "-unsolicited")
	requireVerdict(t, "InResponseTo", doc, unsolicited...)

	issued, err := time.Parse(time.RFC3339, c.Now)
	require.NoError(t, err)
	late := args(func(c *capture) { c.Now = issued.Add(4 * time.Minute).Format(time.RFC3339) })
	requireVerdict(t, "accepted", doc, late...)
	requireVerdict(t, "Expired", doc, append([]string{"-max-age", "1s"}, late...)...)

	// Every failed rule is reported, not only the first.
	r := requireVerdict(t, "Audience", doc, args(func(c *capture) { c.EntityID += "/" })...)
	var failed []string
	for _, check := range r.Checks {
		if !*check.OK {
			failed = append(failed, *check.Rule)
		}
	}
	require.Equal(t, []string{"AudienceRestriction (Core 2.5.1.4)"}, failed)
	r = requireVerdict(t, "Recipient", doc, args(func(c *capture) { c.ACS += "?x=1"; c.EntityID += "/" })...)
	failed = nil
	for _, check := range r.Checks {
		if !*check.OK {
			failed = append(failed, strings.Fields(*check.Rule)[0])
		}
	}
	require.Equal(t, []string{"Recipient", "Destination", "AudienceRestriction"}, failed)
}

// TestEncrypted: a key is needed, the right one, and it must be strong enough.
func TestEncrypted(t *testing.T) {
	c, dir := named(t, "Okta, encrypted: SignedResponseEncryptedAssertion")
	doc, args := c.document(t, dir), c.args(dir)
	key := filepath.Join(dir, c.Key)
	other := write(t, "other.pem", inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(otherKey(t))))
	requireVerdict(t, "accepted", doc, append([]string{"-allow-rsa1024", "-key", key}, args...)...)
	requireVerdict(t, "accepted", doc, append([]string{"-allow-rsa1024", "-key", other, "-key", key}, args...)...)
	requireVerdict(t, "Encrypted", doc, append([]string{"-key", other}, args...)...)
	requireVerdict(t, "Encrypted", doc, args...)
	requireUsageError(t, "sp_key.pem", doc, append([]string{"-key", other, "-key", key}, args...)...)
	var many []string
	for range 9 {
		many = append(many, "-key", other)
	}
	requireUsageError(t, "at most 8", doc, append(many, args...)...)

	// CBC is accepted in a signed Response; here only the assertion is signed.
	c, dir = named(t, "Okta, encrypted: ResponseEncryptedSignedAssertion")
	doc, args = c.document(t, dir), append([]string{"-allow-rsa1024", "-key", key}, c.args(dir)...)
	requireVerdict(t, "Algorithm", doc, args...)
	requireVerdict(t, "accepted", doc, append([]string{"-allow-cbc"}, args...)...)
}

func otherKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	return testkit.RSAKey("other")
}

// TestCapturesInAnEnvelope verifies captured ArtifactResponses, which are in SOAP.
func TestCapturesInAnEnvelope(t *testing.T) {
	dir := captureDir(t)
	for _, c := range loadCaptures(t, true) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			requireVerdict(t, c.Envelope, nil, append(c.args(dir), write(t, "response.xml", c.document(t, dir)))...)
		})
	}
}
