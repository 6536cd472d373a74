package main_test

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

var update = flag.Bool("update", false, "write the expected reports in testdata")

const metadataNow = "2026-11-28T12:00:00Z"

// federation returns the document of testdata: usable identity providers among others.
func federation(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "metadata", "federation.xml"))
	require.NoError(t, err)
	return string(raw)
}

// entityOf returns one entity of that document, as a document.
func entityOf(t testing.TB, id string) string {
	t.Helper()
	document := federation(t)
	head, _, _ := strings.Cut(document, "\nID=")
	declarations := head[strings.Index(head, " xmlns:md="):]
	_, rest, found := strings.Cut(document, `<md:EntityDescriptor entityID="`+id+`"`)
	require.True(t, found)
	body, _, _ := strings.Cut(rest, "</md:EntityDescriptor>")
	return `<md:EntityDescriptor` + declarations + ` entityID="` + id + `"` + body + "</md:EntityDescriptor>"
}

// The reports on a document of many entities are those in testdata, in each form.
func TestMetadataReports(t *testing.T) {
	for file, args := range map[string][]string{
		"summary.txt": nil,
		"verbose.txt": {"-v"},
		"one.txt":     {"-entity", "https://idp.one.example/shibboleth"},
		"report.json": {"-json"},
		"one.json":    {"-json", "-entity", "https://idp.one.example/shibboleth"},
	} {
		t.Run(file, func(t *testing.T) {
			args := append([]string{"metadata", "-now", metadataNow}, args...)
			code, stdout, stderr := run(t, []byte(federation(t)), args...)
			require.Empty(t, stderr)
			if path := filepath.Join("testdata", "metadata", file); *update {
				require.NoError(t, os.WriteFile(path, []byte(stdout), 0o644))
			} else {
				want, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Equal(t, string(want), stdout, "if it is meant to change: go test -update")
			}
			if strings.HasPrefix(file, "one.") {
				require.Equal(t, 0, code)
			} else {
				require.Equal(t, 1, code)
			}
		})
	}
}

// metadataReport has what the tests read of a report.
type metadataReport struct {
	Document *struct{ Verified bool }
	Entities []struct {
		ID       string `json:"entity_id"`
		Provider bool   `json:"identity_provider"`
		Usable   bool
		Problems []struct{ Reason, Detail string }
		Warnings []string
	}
	Usable   *bool
	Problems []struct{ Reason, Detail string }
}

// reasons returns the Reasons of the document, and those of its entities.
func (r *metadataReport) reasons() (document, entities []string) {
	for _, p := range r.Problems {
		document = append(document, p.Reason)
	}
	for _, e := range r.Entities {
		for _, p := range e.Problems {
			entities = append(entities, p.Reason)
		}
	}
	return document, entities
}

// checkMetadata runs samlcheck metadata in both forms, whose verdicts must agree.
func checkMetadata(t *testing.T, document string, args ...string) metadataReport {
	t.Helper()
	args = append([]string{"metadata"}, args...)
	code, stdout, stderr := run(t, []byte(document), append(args, "-json")...)
	require.Empty(t, stderr)
	var r metadataReport
	require.NoError(t, json.Unmarshal([]byte(stdout), &r), stdout)
	require.NotNil(t, r.Usable)
	require.Equal(t, *r.Usable, code == 0)
	if code != 0 {
		require.Equal(t, 1, code)
	}
	again, text, stderr := run(t, []byte(document), args...)
	require.Equal(t, code, again)
	require.Empty(t, stderr)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	verdict := "usable: "
	switch {
	case len(r.Problems) > 0:
		verdict = "refused: " + r.Problems[0].Reason + ": "
	case code != 0:
		verdict = "not usable: "
	}
	require.True(t, strings.HasPrefix(lines[len(lines)-1], verdict), "%s: %s", verdict, text)
	return r
}

// signedFederation signs the root with a key.
func signedFederation(t *testing.T, document string, key crypto.Signer) string {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(document))
	ctx, err := dsig.NewSigningContext(key, [][]byte{testkit.Certificate(key, time.Now()).Raw})
	require.NoError(t, err)
	ctx.Hash = crypto.SHA256
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signature, err := ctx.ConstructSignature(doc.Root(), true)
	require.NoError(t, err)
	doc.Root().InsertChildAt(0, signature)
	out, err := doc.WriteToString()
	require.NoError(t, err)
	return out
}

func TestMetadataVerdicts(t *testing.T) {
	const good = "https://idp.two.example"
	whole, one := federation(t), entityOf(t, good)
	pin := func(name string) string {
		return write(t, name+".pem", inPEM("CERTIFICATE", testkit.Certificate(testkit.RSAKey(name), time.Now()).Raw))
	}
	signed := signedFederation(t, whole, testkit.RSAKey("publisher"))
	publisher, other := pin("publisher"), pin("other")
	rename := func(document string) string { return strings.ReplaceAll(document, good, "https://copy.example") }
	until := func(document, at string) string {
		return strings.Replace(document, ` entityID=`, ` validUntil="`+at+`" entityID=`, 1)
	}
	list := func(reasons ...string) []string { return reasons }
	inOrder := list("Metadata", "MetadataExpired", "Algorithm", "Metadata", "MetadataDuplicate", "MetadataDuplicate",
		"Key")
	for _, c := range []struct {
		name, document    string
		args              []string
		refused, unusable []string // Reasons: of the document, of its entities
	}{
		{"good", one, nil, nil, nil},
		{"bad ones among good ones", whole, nil, nil, inOrder},
		{"-entity, a good one among bad ones", whole, list("-entity", good), nil, nil},
		{"-entity, a bad one", whole, list("-entity", "https://broken.example"), nil, list("Metadata")},
		{"-entity, a name that is there twice", whole, list("-entity", "https://twice.example"), nil,
			list("MetadataDuplicate", "MetadataDuplicate")},
		{"-entity, missing", whole, list("-entity", good+"/"), list("MetadataEntity"), nil},
		{"-entity, a service provider", whole, list("-entity", "https://sp.example"), list("MetadataEntity"), nil},

		{"signed", signed, list("-key", publisher, "-entity", good), nil, nil},
		{"signed, one key of two", signed, list("-key", other, "-key", publisher, "-entity", good), nil, nil},
		{"F02 wrong key", signed, list("-key", other, "-entity", good), list("MetadataSignature"), nil},
		{"F01 not signed", whole, list("-key", publisher), list("MetadataUnsigned"), nil},
		{"changed after signing", strings.Replace(signed, "http://idp.two.example", "https://evil.example", 1),
			list("-key", publisher), list("MetadataSignature"), nil},

		{"F12 expired", until(one, "2026-11-28T11:56:00Z"), nil, list("MetadataExpired"), list("MetadataExpired")},
		{"expired within the skew", until(one, "2026-11-28T11:58:00Z"), nil, nil, nil},
		{"-allow-expired-metadata", until(one, "2026-11-01T00:00:00Z"), list("-allow-expired-metadata"), nil, nil},
		{"F14 -require-valid-until", one, list("-require-valid-until"), list("MetadataValidity"), nil},
		{"-require-valid-until, given", until(one, "2026-12-01T00:00:00Z"), list("-require-valid-until"), nil, nil},
		{"F14 -max-validity without validUntil", one, list("-max-validity", "672h"), list("MetadataValidity"), nil},
		{"F15 beyond -max-validity", until(one, "2026-12-26T12:04:00Z"), list("-max-validity", "672h"),
			list("MetadataValidity"), nil},
		{"within -max-validity", until(one, "2026-12-26T12:02:00Z"), list("-max-validity", "672h"), nil, nil},

		{"-allow-rsa1024", entityOf(t, "https://weak.example"), list("-allow-rsa1024"), nil, nil},
		{"K13", entityOf(t, "https://sha1.example"), nil, nil, list("Algorithm")},
		{"-unsigned-requests", entityOf(t, "https://sha1.example"), list("-unsigned-requests"), nil, nil},
		{"-unsigned-requests, where it wants them signed", strings.Replace(entityOf(t, "https://sha1.example"),
			"<md:IDPSSODescriptor", `<md:IDPSSODescriptor WantAuthnRequestsSigned="1"`, 1), list("-unsigned-requests"), nil,
			list("Algorithm")},

		{"no identity provider", entityOf(t, "https://sp.example"), nil, list("Metadata"), nil},
		{"SAML 1.1 only", entityOf(t, "https://saml1.example"), nil, list("Metadata"), nil},
		{"nothing", "", nil, list("Metadata"), nil},
		{"F20 HTML", "<html><body>Sign in to the network</body></html>", nil, list("Metadata"), nil},
		{"F23 a DOCTYPE", "<!DOCTYPE x>" + one, nil, list("Metadata"), nil},
		{"cut short", whole[:len(whole)/2], nil, list("Metadata"), nil},
		{"too long", strings.Repeat(" ", 64<<20) + one, nil, list("Limit"), nil},
		{"an ID twice", strings.Replace(whole, `<md:EntitiesDescriptor Name="inner"`,
			`<md:EntitiesDescriptor ID="_federation" Name="inner"`, 1), nil, list("ID"), nil},
		{"UTF-16", "\xff\xfe" + utf16LE(rename(one)), nil, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := checkMetadata(t, c.document, append([]string{"-now", metadataNow}, c.args...)...)
			ofDocument, ofEntities := r.reasons()
			require.Equal(t, c.refused, ofDocument)
			require.Equal(t, c.unusable, ofEntities)
			if len(c.args) > 0 && c.args[0] == "-key" && c.refused == nil {
				require.True(t, r.Document.Verified)
			}
		})
	}
}

func utf16LE(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}

// A document of an expired federation doesn't list each of its entities.
func TestMetadataOfAnExpiredDocument(t *testing.T) {
	var b strings.Builder
	one := entityOf(t, "https://idp.two.example")
	for i := range 20 {
		b.WriteString(strings.Replace(one, "idp.two", "idp"+string(rune('a'+i)), 1))
	}
	b.WriteString(entityOf(t, "https://broken.example"))
	earlier := strings.Replace(one, "idp.two", "earlier", 1)
	b.WriteString(strings.Replace(earlier, " entityID=", ` validUntil="2026-10-01T00:00:00Z" entityID=`, 1))
	group := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="2026-11-01T00:00:00Z">` +
		b.String() + `</md:EntitiesDescriptor>`
	r := checkMetadata(t, group, "-now", metadataNow)
	require.Len(t, r.Entities, 22)
	_, stdout, _ := run(t, []byte(group), "metadata", "-now", metadataNow)
	require.NotContains(t, stdout, "https://idpa.example")
	require.Contains(t, stdout, `"https://broken.example"`)
	require.Contains(t, stdout, `"https://earlier.example"`)
	require.Contains(t, stdout, "20 identity providers ended with the document\n")
	require.Contains(t, stdout, "\nrefused: MetadataExpired: ")
}

// A document's values can't control a terminal, in any form of the report.
func TestMetadataReportIsHarmless(t *testing.T) {
	const evil = "x\u009b2J\u202e&#10;usable: 1\u0085\U000e0041"
	document := entityOf(t, "https://idp.one.example/shibboleth")
	for _, value := range []string{
		"https://idp.one.example/shibboleth", "https://federation.example", "one.example<", "(unclosed",
		"University One", "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
		"nameid-format:transient", "https://refeds.org/sirtfi", "bindings:SOAP", "https://idp.one.example/post",
		"assurance-certification", "http://idp.one.example/plain", "Desk", "+49 30",
	} {
		require.Contains(t, document, value)
		document = strings.Replace(document, value, strings.TrimSuffix(value, "<")+evil+value[len(strings.TrimSuffix(value,
			"<")):], 1)
	}
	group := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" Name="` + evil +
		`" validUntil="2030-01-01T00:00:00Z">` + document + `<md:` + "Odd\u0345Descriptor/>" +
		`<md:EntityDescriptor entityID="` + evil + `"/></md:EntitiesDescriptor>`
	for _, args := range [][]string{{"-v"}, {"-json"}, {}} {
		code, stdout, stderr := run(t, []byte(group), append([]string{"metadata", "-now", metadataNow}, args...)...)
		require.Equal(t, 0, code, stdout)
		require.Empty(t, stderr)
		for _, bad := range []string{"\u009b", "\u202e", "\u0085", "\U000e0041", "\r"} {
			require.NotContains(t, stdout, bad, args)
		}
		require.LessOrEqual(t, strings.Count(stdout, "\nusable: "), 1)
	}
	_, stdout, _ := run(t, []byte(group), "metadata", "-json")
	var report struct {
		Entities []struct {
			EntityID string `json:"entity_id"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.Contains(t, report.Entities[0].EntityID, "\u009b2J\u202e", "the value is the same")
	require.Contains(t, report.Entities[0].EntityID, "\U000e0041")
	_, _, stderr := run(t, nil, "metadata", "no\u009bsuch\nfile")
	require.NotContains(t, stderr, "\u009b")
	require.Equal(t, 1, strings.Count(stderr, "\n"))
}

// The usage text names every key of the report, and no other.
func TestMetadataUsageDocumentsTheReport(t *testing.T) {
	code, usage, _ := run(t, nil, "metadata", "-h")
	require.Equal(t, 0, code)
	_, documented, _ := strings.Cut(usage, "With -json the report is\n")
	documented, _, _ = strings.Cut(documented, "\nflags:")
	raw, err := os.ReadFile(filepath.Join("testdata", "metadata", "report.json"))
	require.NoError(t, err)
	keys := map[string]bool{}
	for _, m := range regexp.MustCompile(`"(\w+)": `).FindAllStringSubmatch(string(raw), -1) {
		keys[m[1]] = true
	}
	require.Greater(t, len(keys), 40)
	for key := range keys {
		require.Regexp(t, `\b`+key+`\b`, documented)
	}
	for _, name := range regexp.MustCompile(`(?m)^ {2}(?:  )?([a-z_]+)`).FindAllStringSubmatch(documented, -1) {
		require.True(t, keys[name[1]], name[1])
	}
	for _, flag := range []string{"key", "entity", "now", "max-validity", "require-valid-until", "unsigned-requests",
		"allow-expired-metadata", "allow-rsa1024", "v", "json", "version"} {
		require.Contains(t, usage, "\n  -"+flag)
	}
}

func TestMetadataBadUsage(t *testing.T) {
	one := []byte(entityOf(t, "https://idp.two.example"))
	weak := inPEM("CERTIFICATE", decodeBase64(t, regexp.MustCompile(`(?s)<ds:X509Certificate>(.*?)</`).
		FindStringSubmatch(entityOf(t, "https://weak.example"))[1]))
	signed := signedFederation(t, federation(t), testkit.RSAKey("publisher"))
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"unknown flag", "-frobnicate", []string{"-frobnicate"}},
		{"a flag of responses", "-acs", []string{"-acs", "x"}},
		{"two files", "one FILE", []string{"a", "b"}},
		{"FILE is empty", "FILE", []string{""}},
		{"FILE is missing", "no-such-file", []string{"no-such-file"}},
		{"FILE is a folder", "directory", []string{"."}},
		{"-key is missing", "no-such-key", []string{"-key", "no-such-key"}},
		{"-key is no PEM", "not in PEM", []string{"-key", write(t, "k", one)}},
		{"-key is a private key", "PRIVATE KEY", []string{"-key", write(t, "k", inPEM("PRIVATE KEY", []byte("x")))}},
		{"-entity is empty", "is empty", []string{"-entity", ""}},
		{"-entity twice", "given twice", []string{"-entity", "a", "-entity", "b"}},
		{"-now is no time", "RFC 3339", []string{"-now", "today"}},
		{"-max-validity is no duration", "-max-validity", []string{"-max-validity", "28 days"}},
		{"-max-validity is zero", "above zero", []string{"-max-validity", "0s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			requireUsageError(t, c.want, one, append([]string{"metadata"}, c.args...)...)
		})
	}
	requireUsageError(t, "-key: ", []byte(signed), "metadata", "-key", write(t, "weak.pem", weak))
	require.Contains(t, signed, "SignatureValue")
	path := write(t, "metadata", one)
	code, stdout, _ := run(t, nil, "metadata", path)
	require.Equal(t, 0, code, stdout)
	code, stdout, _ = run(t, one, "metadata", "-")
	require.Equal(t, 0, code, stdout)
}

func decodeBase64(t *testing.T, text string) []byte {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	require.NoError(t, err)
	return der
}
