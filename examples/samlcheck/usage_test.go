package main_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func inPEM(blockType string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der})
}

// otherCertificate returns a certificate of another key.
func otherCertificate(t *testing.T) []byte {
	t.Helper()
	return inPEM("CERTIFICATE", testkit.Certificate(testkit.RSAKey("other"), time.Now()).Raw)
}

func TestHelp(t *testing.T) {
	for _, flag := range []string{"-h", "-help", "--help"} {
		code, stdout, stderr := run(t, nil, flag)
		require.Equal(t, 0, code)
		require.Empty(t, stderr)
		for _, name := range []string{
			"idp-metadata", "idp-entity-id", "idp-cert", "entity-id", "acs", "request-id", "unsolicited", "resolve-id", "now",
			"key",
			"allow-sha1", "allow-rsa1024", "allow-cbc", "allow-rsa15", "allow-missing-nameid", "allow-expired-metadata",
			"want-assertions-signed", "want-responses-signed",
			"max-age", "entry", "json",
		} {
			require.Contains(t, stdout, "\n  -"+name)
		}
		require.Contains(t, stdout, "-key for an encrypted response")
	}
}

// TestBadFlags changes a valid command line, in one place each.
func TestBadFlags(t *testing.T) {
	c, dir := named(t, "Google")
	good := c.args(dir)
	doc := c.document(t, dir)
	requireVerdict(t, "accepted", doc, good...)
	with := func(more ...string) []string { return append(more, good...) }
	noRequest := without(without(good, "-request-id", 1), "-request-id", 1)
	noIdP := without(good, "-idp-metadata", 1)
	// The usage is valid, and a value or a file is not.
	aboutValues := []string{
		"-acs is relative",
		"-acs has a fragment",
		"-acs has another scheme",
		"-entity-id is too long",
		"FILE is missing",
		"FILE is a folder",
	}
	for _, x := range []struct {
		name, want string
		args       []string
	}{
		{"nothing at all", "-idp-metadata", nil},
		{"unknown flag", "-frobnicate", with("-frobnicate")},
		{"unknown flag of two lines", "-frob nicate", with("-frob\nnicate")},
		{"flag without its value", "-max-age", append(good, "-max-age")},
		{"no -acs", "-acs is missing", without(good, "-acs", 1)},
		{"no -entity-id", "-entity-id is missing", without(good, "-entity-id", 1)},
		{"no identity provider", "identity provider is missing", noIdP},
		{"neither -request-id nor -unsolicited", "-request-id or -unsolicited", noRequest},
		{"both -request-id and -unsolicited", "exclude each other", with("-unsolicited")},
		{"empty -request-id", "is empty", with("-request-id", "")},
		{"-acs twice", "given twice", with("-acs", c.ACS)},
		{"-entity-id twice", "given twice", with("-entity-id", "x")},
		{"-idp-metadata twice", "given twice", with("-idp-metadata", "x")},
		{"-now twice", "given twice", with("-now", c.Now)},
		{"-now is no time", "-now", append(without(good, "-now", 1), "-now", "yesterday")},
		{"-now has no zone", "RFC 3339", append(without(good, "-now", 1), "-now", "2016-01-05T16:55:39")},
		{"-max-age is no duration", "-max-age", with("-max-age", "soon")},
		{"-max-age is zero", "-max-age", with("-max-age", "0s")},
		{"-max-age is negative", "-max-age", with("-max-age", "-5m")},
		{"-acs is relative", "-acs", append(without(good, "-acs", 1), "-acs", "/saml/acs")},
		{"-acs has a fragment", "-acs", append(without(good, "-acs", 1), "-acs", c.ACS+"#x")},
		{"-acs has another scheme", "-acs", append(without(good, "-acs", 1), "-acs", "ftp://sp.example.com/acs")},
		{"-entity-id is too long", "-entity-id",
			append(without(good, "-entity-id", 1), "-entity-id", strings.Repeat("x", 1025))},
		{"-idp-metadata and -idp-entity-id", "-idp-metadata excludes", with("-idp-entity-id", "x")},
		{"-idp-metadata and -idp-cert", "-idp-metadata excludes", with("-idp-cert", "x")},
		{"-idp-cert alone", "needs -idp-entity-id", append(noIdP, "-idp-cert", "x")},
		{"-idp-entity-id alone", "needs -idp-cert", append(noIdP, "-idp-entity-id", "x")},
		{"two files", "one FILE", append(good, "a", "b")},
		{"a flag after FILE", "one FILE", append(good, "a", "-json")},
		{"FILE is empty", "FILE", append(good, "")},
		{"-entry is no number", "-entry", with("-entry", "x")},
		{"-entry is zero", "from 1", with("-entry", "0")},
		{"-entry twice", "given twice", with("-entry", "1", "-entry", "1")},
		{"-entry without a HAR file", "-entry is for a HAR file", with("-entry", "1")},
		{"FILE is missing", "no-such-file", append(good, "no-such-file")},
		{"FILE is a folder", "directory", append(good, dir)},
	} {
		t.Run(x.name, func(t *testing.T) {
			requireUsageError(t, x.want, doc, x.args...)
			if !slices.Contains(aboutValues, x.name) {
				requireUsageError(t, "-h lists the flags", doc, x.args...)
			}
		})
	}
}

// TestBadFiles: invalid keys, certificates and metadata.
func TestBadFiles(t *testing.T) {
	c, dir := named(t, "Google")
	good := c.args(dir)
	noIdP := without(good, "-idp-metadata", 1)
	doc := c.document(t, dir)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	edPrivate, err := x509.MarshalPKCS8PrivateKey(ed)
	require.NoError(t, err)
	edPublic, err := x509.MarshalPKIXPublicKey(ed.Public())
	require.NoError(t, err)
	ecPrivate, err := x509.MarshalPKCS8PrivateKey(testkit.ECDSAKey("other"))
	require.NoError(t, err)
	cert := otherCertificate(t)

	for _, x := range []struct {
		name, flag, want string
		content          []byte
	}{
		{"empty", "-idp-cert", "not in PEM", nil},
		{"no PEM", "-idp-cert", "not in PEM", []byte("-----BEGIN CERTIFICATE-----\nMIIC")},
		{"not a certificate", "-idp-cert", "-idp-cert", inPEM("CERTIFICATE", []byte("x"))},
		{"not a key", "-idp-cert", "-idp-cert", inPEM("PUBLIC KEY", []byte("x"))},
		{"not an RSA key", "-idp-cert", "-idp-cert", inPEM("RSA PUBLIC KEY", []byte("x"))},
		{"a private key", "-idp-cert", "PRIVATE KEY", inPEM("PRIVATE KEY", ecPrivate)},
		{"Ed25519", "-idp-cert", "RSA or ECDSA", inPEM("PUBLIC KEY", edPublic)},
		{"a chain", "-idp-cert", "got several", append(bytes.Clone(cert), cert...)},
		{"too long", "-idp-cert", "longer than", bytes.Repeat([]byte("x"), 2<<20)},

		{"no PEM", "-key", "not in PEM", []byte("secret")},
		{"a certificate", "-key", "RSA PRIVATE KEY", cert},
		{"encrypted", "-key", "not encrypted", inPEM("ENCRYPTED PRIVATE KEY", []byte("x"))},
		{"ECDSA", "-key", "want an RSA key", inPEM("PRIVATE KEY", ecPrivate)},
		{"Ed25519", "-key", "want an RSA key", inPEM("PRIVATE KEY", edPrivate)},
		{"broken", "-key", "-key", inPEM("RSA PRIVATE KEY", []byte("x"))},

		{"empty", "-idp-metadata", "-idp-metadata", nil},
		{"not XML", "-idp-metadata", "-idp-metadata", []byte("hello")},
		{"other XML", "-idp-metadata", "EntityDescriptor", []byte("<a/>")},
		{"cut short", "-idp-metadata", "-idp-metadata", []byte(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">`)},
		{"a response", "-idp-metadata", "EntityDescriptor", doc},
	} {
		t.Run(x.flag+" "+x.name, func(t *testing.T) {
			file := write(t, "file", x.content)
			args := append([]string{x.flag, file}, good...)
			switch x.flag {
			case "-idp-cert":
				args = append([]string{x.flag, file, "-idp-entity-id", "https://idp.example.com"}, noIdP...)
			case "-idp-metadata":
				args = append([]string{x.flag, file}, noIdP...)
			}
			requireUsageError(t, x.want, doc, args...)
		})
	}
	for _, flag := range []string{"-idp-cert", "-key", "-idp-metadata"} {
		args := append([]string{flag, filepath.Join(dir, "no-such-file")}, good...)
		switch flag {
		case "-idp-cert":
			args = append(args[:2:2], append([]string{"-idp-entity-id", "x"}, noIdP...)...)
		case "-idp-metadata":
			args = append(args[:2:2], noIdP...)
		}
		requireUsageError(t, "no-such-file", doc, args...)
	}
	spMetadata := append(
		[]string{"-idp-metadata", filepath.Join(dir, "testdata", "TestCanParseMetadata_metadata.xml")},
		noIdP...)
	requireUsageError(t, "identity provider in it", doc, spMetadata...)
}

// Errors name flags and not fields of package saml, without repetition.
func TestErrorsNameFlags(t *testing.T) {
	c, dir := named(t, "Google")
	good := c.args(dir)
	for _, args := range [][]string{
		append(without(good, "-acs", 1), "-acs", "/saml/acs"),
		append(without(good, "-entity-id", 1), "-entity-id", strings.Repeat("x", 1025)),
		append(without(good, "-idp-metadata", 1), "-idp-metadata", write(t, "a.xml", []byte("hello"))),
		append(without(good, "-idp-metadata", 1), "-idp-metadata", write(t, "b.xml", []byte("<a/>"))),
	} {
		_, _, stderr := run(t, nil, args...)
		require.Regexp(t, `\Asamlcheck: -(acs|entity-id|idp-metadata [^ ]+): `, stderr)
		require.NotContains(t, stderr, "Config.")
		require.NotContains(t, stderr, "Metadata: ")
		require.NotContains(t, stderr, "xmltree")
	}
}

func TestGoodKeysAreRead(t *testing.T) {
	c, dir := named(t, "Google")
	key := testkit.RSAKey("other")
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	args := append([]string{
		"-key", write(t, "1.pem", inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))),
		"-key", write(t, "2.pem", inPEM("PRIVATE KEY", pkcs8)),
	}, c.args(dir)...)
	requireVerdict(t, "accepted", c.document(t, dir), args...)
}

// TestUnreadableMessages: input that could be read and is no response is rejected.
func TestUnreadableMessages(t *testing.T) {
	c, dir := named(t, "Google")
	doc := c.document(t, dir)
	packed := base64.StdEncoding.EncodeToString(doc)
	for _, x := range []struct{ name, want, message string }{
		{"empty", "XML", ""},
		{"white space", "XML", " \r\n\t"},
		{"not base64", "Base64", "hello, world"},
		{"base64 that was cut", "Base64", packed[:len(packed)-7]},
		{"base64 that was percent-encoded twice", "Base64", url.QueryEscape(url.QueryEscape(packed))},
		{"broken percent-encoding", "Base64", packed + "%3"},
		{"broken JSON", "Base64", `{"log": `},
		{"base64 of something else", "XML", base64.StdEncoding.EncodeToString([]byte("hello"))},
		{"XML that was cut", "XML", string(doc[:len(doc)-20])},
		{"HTML", "XML", "<!DOCTYPE html><p>hello"},
		{"other XML", "NotResponse", "  <a/>"},
		{"zeros", "Base64", strings.Repeat("\x00", 1000)},
		{"long base64", "Limit", strings.Repeat("QUJD", 3<<20)},
		{"long XML", "Limit", "<a>" + strings.Repeat("x", 10<<20) + "</a>"},
		{"deep XML", "Limit", `<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol">` + strings.Repeat("<a>", 1000) + strings.Repeat("</a>", 1000) + "</p:Response>"},
	} {
		t.Run(x.name, func(t *testing.T) {
			requireVerdict(t, x.want, []byte(x.message), c.args(dir)...)
			code, stdout, stderr := run(t, []byte(x.message), c.args(dir)...)
			require.Equal(t, 1, code)
			require.Empty(t, stderr)
			require.Contains(t, stdout, "\nrejected: "+x.want+": ")
		})
	}
}

// TestForms: base64 in lines, a byte order mark, and standard input by name.
func TestForms(t *testing.T) {
	c, dir := named(t, "Google")
	doc := c.document(t, dir)
	packed := base64.StdEncoding.EncodeToString(doc)
	var lines strings.Builder
	for ; len(packed) > 76; packed = packed[76:] {
		lines.WriteString(packed[:76] + "\r\n")
	}
	lines.WriteString(packed + "\r\n")
	requireVerdict(t, "accepted", []byte(lines.String()), c.args(dir)...)
	requireVerdict(t, "accepted", []byte(lines.String()), append(c.args(dir), "-")...)
	requireVerdict(t, "accepted", append([]byte("\xef\xbb\xbf"), doc...), c.args(dir)...)
	requireVerdict(t, "accepted", append(bytes.Clone(doc), '\n'), c.args(dir)...)
}

func TestTextReport(t *testing.T) {
	c, dir := named(t, "OneLogin sample")
	doc := c.document(t, dir)
	code, stdout, stderr := run(t, doc, append(c.allowing(dir), c.args(dir)...)...)
	require.Equal(t, 0, code, stdout)
	require.Empty(t, stderr)
	require.Contains(t, stdout, "ok    Recipient (Profiles 4.1.4.2)\n")
	require.NotContains(t, stdout, "FAIL")
	require.Contains(t, stdout, "not enforced: the signing certificate's own dates are 2014-07-17T14:12:56Z")
	_, content, found := strings.Cut(stdout, "\naccepted\n")
	require.True(t, found, stdout)
	for _, want := range []string{
		`"http://idp.example.com/metadata.php"`, `"_ce3d2948b4cf20146dee0a0b3dd6f69b6cf86f62d7"`,
		`"eduPersonAffiliation" = "users", "examplerole1"`, `"_be9967abd904ddcae3c0eb4189adbe3f71e327cf93"`,
	} {
		require.Contains(t, content, want)
	}

	code, stdout, stderr = run(t, doc, c.args(dir)...)
	require.Equal(t, 1, code)
	require.Empty(t, stderr)
	require.Regexp(t, `(?m)^FAIL  Shape of signatures .*rsa-sha1`, stdout)
	require.Regexp(t, `(?m)^rejected: Algorithm: .*rsa-sha1`, stdout)
	require.NotContains(t, stdout, "\naccepted")
}

// TestTextReportIsHarmless: a message's values can't control a terminal.
func TestTextReportIsHarmless(t *testing.T) {
	c, dir := named(t, "Google")
	doc := strings.Replace(string(c.document(t, dir)), "status:Success", "status:\u009b2J\u202eFailure&#10;accepted", 1)
	code, stdout, _ := run(t, []byte(doc), c.args(dir)...)
	require.Equal(t, 1, code)
	require.Contains(t, stdout, "rejected: Status: ")
	require.NotContains(t, stdout, "\u009b")
	require.NotContains(t, stdout, "\u202e")
	require.NotContains(t, stdout, "\naccepted")
}

// The same holds for the JSON, whose values stay the same.
func TestJSONReportIsHarmless(t *testing.T) {
	c, dir := named(t, "Google")
	doc := strings.Replace(string(c.document(t, dir)), "status:Success", "status:\u009b2J\u202eFailure\U000e0041", 1)
	code, stdout, _ := run(t, []byte(doc), append(c.args(dir), "-json")...)
	require.Equal(t, 1, code)
	for _, bad := range []string{"\u009b", "\u202e", "\U000e0041"} {
		require.NotContains(t, stdout, bad)
	}
	requireVerdict(t, "Status", []byte(doc), c.args(dir)...)
}
