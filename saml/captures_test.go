package saml_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// captures is testdata/captures.json: responses of real identity providers, attacks
// made from them, and the expected verdicts. The documents are in the module
// directory of another library, which this module requires.
type captures struct {
	About     string
	Responses []capture
	Metadata  []struct {
		File     string
		EntityID string `json:"entity_id"`
		Reason   saml.Reason
	}
}

type capture struct {
	Name, File  string
	IdPMetadata string `json:"idp_metadata"`
	Now         time.Time
	ACS         string
	EntityID    string      `json:"entity_id"`
	RequestID   string      `json:"request_id"`
	Flags       []string    // what it needs; the flags of samlcheck
	Key         string      // and the file with the decryption key, if any
	ByDefault   saml.Reason `json:"by_default"` // the verdict with no flag
	Envelope    saml.Reason // samlcheck's verdict, which reads SOAP
	Verdict     saml.Reason // and with Flags
	Replace     *struct{ Old, New, Which string }
	Assertion   *struct {
		Issuer       string
		NameID       string `json:"name_id"`
		NameIDFormat string `json:"name_id_format"`
		SessionIndex string `json:"session_index"`
		Attributes   map[string][]string
	}
}

// captureAccepted means that there is no error.
const captureAccepted saml.Reason = "accepted"

func loadCaptures(t *testing.T) captures {
	raw, err := os.ReadFile("../testdata/captures.json")
	require.NoError(t, err)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var c captures
	require.NoError(t, d.Decode(&c))
	require.Equal(t, 32, len(c.Responses))
	require.Equal(t, 14, len(c.Metadata))
	return c
}

// captureDir is the other library's module folder.
func captureDir(t testing.TB) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/crewjam/saml").Output()
	require.NoError(t, err)
	dir := strings.TrimSpace(string(out))
	require.NotEmpty(t, dir, "the module must be there: it is a dependency")
	return dir
}

func captureFile(t testing.TB, dir, name string) []byte {
	raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	require.NoError(t, err)
	return raw
}

// document returns the XML with the capture's change.
func (c *capture) document(t *testing.T, dir string) []byte {
	doc := captureFile(t, dir, c.File)
	if !bytes.HasPrefix(doc, []byte("<")) {
		var err error
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

// config is what the flags make. Without any (nil), the key is left out too.
func (c *capture) config(t *testing.T, dir string, flags []string) saml.Config {
	idp, err := saml.ParseIdPMetadata(captureFile(t, dir, c.IdPMetadata))
	require.NoError(t, err)
	cfg := saml.Config{
		EntityID:          c.EntityID,
		ACS:               []saml.Endpoint{{URL: c.ACS}},
		IdP:               idp,
		Now:               func() time.Time { return c.Now },
		InsecureAllowHTTP: true,
	}
	for _, flag := range flags {
		switch flag {
		case "allow-sha1":
			cfg.InsecureAllowSHA1 = true
		case "allow-rsa1024":
			cfg.InsecureAllowRSA1024 = true
		case "allow-cbc":
			cfg.InsecureAllowUnauthenticatedCBC = true
		default:
			t.Fatalf("unknown flag %q", flag)
		}
	}
	if c.Key != "" && flags != nil {
		block, _ := pem.Decode(captureFile(t, dir, c.Key))
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		require.NoError(t, err)
		cfg.DecryptionKeys = []crypto.Decrypter{key}
	}
	return cfg
}

func (c *capture) sp(t *testing.T, dir string, flags []string, change ...func(*saml.Config)) *saml.ServiceProvider {
	cfg := c.config(t, dir, flags)
	for _, f := range change {
		f(&cfg)
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	return sp
}

// requireVerdict wants a verdict from both forms of the document, and an
// assertion if, and only if, there is no error.
func (c *capture) requireVerdict(
	t *testing.T,
	want saml.Reason,
	sp *saml.ServiceProvider,
	doc []byte,
	expect saml.VerifyOptions,
) *saml.Assertion {
	t.Helper()
	a, err := sp.VerifyXML(doc, expect)
	b, err64 := sp.Verify([]byte(base64.StdEncoding.EncodeToString(doc)), expect)
	if want == captureAccepted {
		require.NoError(t, err)
		require.NoError(t, err64)
		require.Equal(t, a, b)
		return a
	}
	requireReason(t, want, err)
	requireReason(t, want, err64)
	require.Nil(t, a)
	require.Nil(t, b)
	return nil
}

func (c *capture) expect() saml.VerifyOptions {
	return saml.VerifyOptions{ACS: c.ACS, RequestIDs: []string{c.RequestID}}
}

// TestCaptures verifies each capture with the defaults, with exactly the flags that
// it needs, and without each one of them.
func TestCaptures(t *testing.T) {
	dir := captureDir(t)
	for _, c := range loadCaptures(t).Responses {
		t.Run(c.Name, func(t *testing.T) {
			doc := c.document(t, dir)
			c.requireVerdict(t, c.ByDefault, c.sp(t, dir, nil), doc, c.expect())
			a := c.requireVerdict(t, c.Verdict, c.sp(t, dir, c.Flags), doc, c.expect())
			if c.Verdict != captureAccepted {
				return
			}
			require.Equal(t, c.Assertion.Issuer, a.Issuer())
			require.Equal(
				t,
				saml.NameID{Value: c.Assertion.NameID, Format: c.Assertion.NameIDFormat},
				saml.NameID{Value: a.NameID().Value, Format: a.NameID().Format},
			)
			require.Equal(t, c.Assertion.SessionIndex, a.SessionIndex())
			require.Equal(t, c.RequestID, a.InResponseTo())
			require.Len(t, a.Attributes(), len(c.Assertion.Attributes))
			for name, values := range c.Assertion.Attributes {
				require.ElementsMatch(t, values, a.Values(name), name)
			}
			for i := range c.Flags {
				fewer := append(append([]string{}, c.Flags[:i]...), c.Flags[i+1:]...)
				reason := map[string]saml.Reason{
					"allow-sha1": saml.ReasonAlgorithm, "allow-cbc": saml.ReasonAlgorithm, "allow-rsa1024": saml.ReasonKey,
				}[c.Flags[i]]
				if c.Key != "" && reason == saml.ReasonKey { // it is our own key that is weak
					_, err := saml.New(c.config(t, dir, fewer))
					requireReason(t, reason, err)
					continue
				}
				c.requireVerdict(t, reason, c.sp(t, dir, fewer), doc, c.expect())
			}
		})
	}
}

// TestCapturesElsewhere verifies valid captures at another URL and another time.
func TestCapturesElsewhere(t *testing.T) {
	dir := captureDir(t)
	accepted := 0
	for _, c := range loadCaptures(t).Responses {
		if c.Verdict != captureAccepted {
			continue
		}
		accepted++
		t.Run(c.Name, func(t *testing.T) {
			doc := c.document(t, dir)
			at := func(now time.Time) func(*saml.Config) {
				return func(cfg *saml.Config) { cfg.Now = func() time.Time { return now } }
			}
			other := "https://sp.example.com/acs"
			otherACS := func(cfg *saml.Config) { cfg.ACS = []saml.Endpoint{{URL: other}} }
			otherEntity := func(cfg *saml.Config) { cfg.EntityID = "https://sp.example.com" }

			c.requireVerdict(t, saml.ReasonNotYetValid, c.sp(t, dir, c.Flags, at(c.Now.Add(-24*time.Hour))), doc, c.expect())
			c.requireVerdict(
				t,
				saml.ReasonRecipient,
				c.sp(t, dir, c.Flags, otherACS),
				doc,
				saml.VerifyOptions{ACS: other, RequestIDs: []string{c.RequestID}},
			)
			c.requireVerdict(t, saml.ReasonAudience, c.sp(t, dir, c.Flags, otherEntity), doc, c.expect())
			sp := c.sp(t, dir, c.Flags)
			c.requireVerdict(t, saml.ReasonInResponseTo, sp, doc, saml.VerifyOptions{ACS: c.ACS, RequestIDs: []string{"_other"}})
			c.requireVerdict(t, saml.ReasonInResponseTo, sp, doc, saml.VerifyOptions{ACS: c.ACS, Unsolicited: true})
			// One of them is valid for ten years; MaxAge cuts that.
			c.requireVerdict(t, saml.ReasonExpired, c.sp(t, dir, c.Flags, at(c.Now.Add(24*time.Hour))), doc, c.expect())
		})
	}
	require.Equal(t, 13, accepted)
}

// TestCapturesKeysAndDates: the dates of a certificate are reported, and the
// validUntil of metadata is enforced.
func TestCapturesKeysAndDates(t *testing.T) {
	dir := captureDir(t)
	for _, c := range loadCaptures(t).Responses {
		switch c.Name {
		case "OneLogin sample": // its certificate was made thirteen hours after it
			a, err := c.sp(t, dir, c.Flags).VerifyXML(c.document(t, dir), c.expect())
			require.NoError(t, err)
			require.Len(t, a.Warnings(), 1)
		case "Google": // its metadata ended in 2021
			c.Now = time.Date(2021, 1, 4, 0, 0, 0, 0, time.UTC)
			c.requireVerdict(t, saml.ReasonMetadataExpired, c.sp(t, dir, c.Flags), c.document(t, dir), c.expect())
		}
	}
}

// TestCapturesAreComplete: no wrapping document may be left out of the table.
func TestCapturesAreComplete(t *testing.T) {
	dir := captureDir(t)
	listed := make(map[string]bool)
	for _, c := range loadCaptures(t).Responses {
		listed[c.File] = true
	}
	files, err := filepath.Glob(filepath.Join(dir, "testdata", "TestXsw*_response"))
	require.NoError(t, err)
	require.Len(t, files, 9)
	for _, f := range files {
		require.True(t, listed["testdata/"+filepath.Base(f)], f)
	}
}

func TestCapturedMetadata(t *testing.T) {
	dir := captureDir(t)
	for _, c := range loadCaptures(t).Metadata {
		t.Run(c.File, func(t *testing.T) {
			raw := captureFile(t, dir, c.File)
			idp, err := saml.ParseIdPMetadata(raw)
			if c.Reason != "" {
				requireReason(t, c.Reason, err)
				require.Nil(t, idp)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.EntityID, idp.EntityID())
			require.NotEmpty(t, idp.Certificates())
			require.NotEmpty(t, idp.SSOServices())
			same, err := saml.ParseIdPMetadataFor(raw, c.EntityID)
			require.NoError(t, err)
			require.Equal(t, idp, same)
			_, err = saml.ParseIdPMetadataFor(raw, c.EntityID+"/")
			requireReason(t, saml.ReasonMetadataEntity, err)
		})
	}
}

// TestPlainHTTPNeedsItsField: only with InsecureAllowHTTP may an ACS URL be a
// plain-http URL of another host, as in some captures.
func TestPlainHTTPNeedsItsField(t *testing.T) {
	cfg := config()
	cfg.ACS = []saml.Endpoint{{URL: "http://sp.example.com/demo1/index.php?acs"}}
	_, err := saml.New(cfg)
	requireReason(t, saml.ReasonConfig, err)

	cfg.InsecureAllowHTTP = true
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	more := append(sp.ACS(), saml.Endpoint{URL: "http://sp.example.com/2"})
	for i := range more {
		more[i].Index = nil
	}
	require.NoError(t, sp.ReplaceACS(more))
	more[1].URL = "ftp://sp.example.com/2"
	requireReason(t, saml.ReasonConfig, sp.ReplaceACS(more))
}
