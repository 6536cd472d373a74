package saml_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/saml"
)

// TestVectors checks testdata/vectors by their content, without the code that made
// them. An unknown header or expectation is fatal: such a vector would check
// nothing.
func TestVectors(t *testing.T) {
	vectors := vectorsOf(t, "response")
	require.NotEmpty(t, vectors, "no vectors")
	generated := 0
	for _, v := range vectors {
		if v.one("body") == "generated" { // too big to store; TestAttacks makes it
			generated++
			require.True(
				t,
				slices.ContainsFunc(attack.Cases(), func(c attack.Case) bool { return c.ID == v.one("id") }),
				v.one("id"),
			)
			continue
		}
		t.Run(v.one("id"), func(t *testing.T) { v.verify(t) })
	}
	require.Less(t, generated, len(vectors)/10)
}

// TestVectorsDescribeTheirChange: each says in a comment what it changes, as no
// other of its row does, and names the accepted vector that it changes.
func TestVectorsDescribeTheirChange(t *testing.T) {
	for _, kind := range []string{"response", "metadata", "logout", "artifact", "attributes"} {
		byID, saying := make(map[string]*vector), make(map[string]string)
		vectors := vectorsOf(t, kind)
		for _, v := range vectors {
			byID[v.one("id")] = v
		}
		for _, v := range vectors {
			id := v.one("id")
			row, _, _ := strings.Cut(id, "/")
			said := row + ": " + v.one("comment")
			require.Empty(t, saying[said], "%s has the same comment", id)
			saying[said] = id
			if row == "good" {
				require.Empty(t, v.reasons, id)
				continue
			}
			twin := byID[v.one("twin")]
			require.NotNil(t, twin, "%s: twin %q", id, v.one("twin"))
			require.NotSame(t, v, twin, id)
			require.Empty(t, twin.reasons, "%s: its twin must be accepted", id)
		}
	}
}

// vectorsOf reads all vectors, and returns those of a kind.
func vectorsOf(t testing.TB, kind string) []*vector {
	t.Helper()
	files, err := filepath.Glob("../testdata/vectors/*.txt")
	require.NoError(t, err)
	var out []*vector
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		v, err := parseVector(string(text))
		require.NoError(t, err, file)
		require.Equal(t, strings.ReplaceAll(v.one("id"), "/", "-")+".txt", filepath.Base(file))
		if v.kind() == kind {
			out = append(out, v)
		}
	}
	return out
}

// vectorKind is what headers vectors of a kind have.
type vectorKind struct {
	headers                      map[string]bool // all that there are, and whether one may be repeated
	required, requiredIfAccepted []string
	bodies                       []string
}

var vectorKinds = map[string]vectorKind{
	"response": {
		vectorHeaders,
		[]string{"id", "name", "comment", "expect", "idp", "idp-key", "sp", "acs", "other-acs", "request-id", "now", "body"},
		[]string{"name-id", "until"},
		[]string{"xml", "posted", "generated"},
	},
	"metadata": {
		metadataHeaders,
		[]string{"id", "name", "comment", "expect", "now", "body"},
		[]string{"idp", "sso", "key"},
		[]string{"xml", "base64"},
	},
	"logout": {
		logoutHeaders,
		[]string{
			"id", "name", "comment", "expect", "binding", "parameter", "idp", "idp-key", "sp", "logout", "name-id",
			"session-index", "now", "body",
		},
		nil,
		[]string{"xml", "sent", "generated"},
	},
	"artifact": {
		artifactHeaders,
		[]string{
			"id", "name", "comment", "expect", "idp", "idp-key", "artifact-index", "sp", "acs", "other-acs", "request-id",
			"now", "body",
		},
		nil,
		[]string{"sent", "samlart"},
	},
	"attributes": {
		attributeHeaders,
		[]string{
			"id", "name", "comment", "expect", "idp", "idp-key", "sp", "query-id", "asked-subject", "now", "body",
		},
		nil,
		[]string{"sent"},
	},
}

// attributeHeaders are those of answers to attribute queries.
var attributeHeaders = map[string]bool{
	"kind": false, "id": false, "name": false, "what": false, "reference": false, "comment": false, "twin": false,
	"expect": false, "idp": false, "idp-key": false, "sp": false, "query-id": false, "asked-subject": false, "now": false,
	"body": false,
}

// artifactHeaders are those of artifacts and of answers to an ArtifactResolve.
var artifactHeaders = map[string]bool{
	"kind": false, "id": false, "name": false, "what": false, "reference": false, "comment": false, "twin": false,
	"expect": false, "name-id": false, "idp": false, "idp-key": false, "other-idp": false, "other-idp-key": false,
	"artifact-index": false, "sp": false, "acs": false, "other-acs": false, "sp-key": false, "request-id": false,
	"resolve-id": false, "now": false, "body": false,
}

// logoutHeaders are those of logout messages.
var logoutHeaders = map[string]bool{
	"kind": false, "id": false, "name": false, "what": false, "reference": false, "comment": false, "twin": false,
	"expect": false, "ends": false, "sessions": false, "binding": false, "parameter": false, "relay-state": false,
	"idp": false, "idp-key": false, "other-idp": false, "other-idp-key": false, "sp": false, "logout": false,
	"sp-key": false, "name-id": false, "session-index": false, "request-id": false, "now": false, "body": false,
}

// metadataHeaders are those of documents about an identity provider.
var metadataHeaders = map[string]bool{
	"kind": false, "id": false, "name": false, "what": false, "reference": false, "comment": false, "twin": false,
	"expect":    false,
	"asked-idp": false, "now": false, "body": false,
	"idp": false, "sso": true, "key": true, "valid-until": false, "passed-over": false, "publisher-key": true,
}

var vectorHeaders = map[string]bool{
	"kind": false, "id": false, "name": false, "what": false, "reference": false, "comment": false, "twin": false,
	"expect":  false,
	"name-id": false, "attribute": true, "until": false,
	"signed": false, "idp": false, "idp-key": false, "idp-encryption-key": false, "sp": false, "acs": false,
	"other-acs": false,
	"sp-key":    false, "request-id": false, "now": false, "allow": true, "max-authn-age": false, "over": true,
	"asked-force-authn": false, "asked-authn-context": false, "asked-name-id-format": false, "body": false,
	"asked-subject": false, "other-idp": false, "other-idp-key": false, "unsolicited": false, "scope": false, "scope-pattern": false,
}

type vector struct {
	headers map[string][]string
	body    string
	reasons []string // empty: accepted
}

func (v *vector) one(key string) string {
	if len(v.headers[key]) == 0 {
		return ""
	}
	return v.headers[key][0]
}

func (v *vector) kind() string { return cmp.Or(v.one("kind"), "response") }

func parseVector(text string) (*vector, error) {
	head, body, ok := strings.Cut(text, "\n\n")
	if !ok {
		return nil, fmt.Errorf("no empty line after the headers")
	}
	v := &vector{headers: make(map[string][]string), body: strings.TrimSuffix(body, "\n")}
	for _, line := range strings.Split(head, "\n") {
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			return nil, fmt.Errorf("not a header: %q", line)
		}
		v.headers[key] = append(v.headers[key], value)
	}
	kind, known := vectorKinds[v.kind()]
	if !known || !slices.Contains(kind.bodies, v.one("body")) {
		return nil, fmt.Errorf("unknown kind %q, or body %q", v.kind(), v.one("body"))
	}
	for key, values := range v.headers {
		switch repeats, known := kind.headers[key]; {
		case !known:
			return nil, fmt.Errorf("unknown header %q", key)
		case len(values) > 1 && !repeats:
			return nil, fmt.Errorf("duplicate header %q", key)
		}
	}
	if err := v.parseExpectation(); err != nil {
		return nil, err
	}
	required := kind.required
	if len(v.reasons) == 0 {
		required = slices.Concat(required, kind.requiredIfAccepted)
	}
	for _, key := range required {
		if v.one(key) == "" {
			return nil, fmt.Errorf("no header %q", key)
		}
	}
	return v, nil
}

// knownReasons are saml's Reasons for messages. A vector can expect no other.
var knownReasons = []saml.Reason{
	saml.ReasonMetadata, saml.ReasonMetadataExpired, saml.ReasonMetadataUnsigned, saml.ReasonMetadataSignature,
	saml.ReasonMetadataEntity, saml.ReasonMetadataDuplicate,
	saml.ReasonBase64, saml.ReasonXML, saml.ReasonText, saml.ReasonLimit, saml.ReasonNotResponse,
	saml.ReasonVersion,
	saml.ReasonID, saml.ReasonStatus, saml.ReasonUnsigned, saml.ReasonSignatureShape, saml.ReasonAlgorithm, saml.ReasonKey,
	saml.ReasonSignature,
	saml.ReasonEncrypted, saml.ReasonSchema, saml.ReasonAssertionCount, saml.ReasonIssuer, saml.ReasonRecipient,
	saml.ReasonDestination, saml.ReasonSubjectConfirmation,
	saml.ReasonNameID, saml.ReasonInResponseTo, saml.ReasonWrongRegion, saml.ReasonUnsolicited, saml.ReasonExpired,
	saml.ReasonNotYetValid,
	saml.ReasonTime, saml.ReasonSchema, saml.ReasonAudience, saml.ReasonCondition, saml.ReasonSession, saml.ReasonAuthn,
	saml.ReasonIdP, saml.ReasonScope, saml.ReasonSubject, saml.ReasonForm, saml.ReasonNotLogout,
	saml.ReasonArtifactFormat, saml.ReasonArtifactSource,
}

func (v *vector) parseExpectation() error {
	expect := v.one("expect")
	if expect == "accepted" {
		return nil
	}
	list, ok := strings.CutPrefix(expect, "refused ")
	v.reasons = strings.Split(list, " or ")
	for _, reason := range v.reasons {
		if !ok || !slices.Contains(knownReasons, saml.Reason(reason)) {
			return fmt.Errorf("unknown expectation %q", expect)
		}
	}
	return nil
}

func (v *vector) verify(t *testing.T) {
	now, err := time.Parse(time.RFC3339, v.one("now"))
	require.NoError(t, err)
	settings := v.settings(t)
	key := attackKeys()[v.one("idp-key")]
	require.NotNil(t, key, "idp-key")
	cfg := attackConfig(
		t,
		key,
		attackCertificates()[v.one("idp-key")],
		attackKeys()[v.one("idp-encryption-key")],
		settings,
		v.one("idp"),
	)
	cfg.EntityID, cfg.Now = v.one("sp"), func() time.Time { return now }
	cfg.ACS = []saml.Endpoint{{URL: v.one("acs"), Region: "here"}, {URL: v.one("other-acs"), Region: "there"}}
	if settings.OtherIdP {
		other := attackKeys()[v.one("other-idp-key")]
		require.NotNil(t, other, "other-idp-key")
		cfg = withOtherIdP(t, cfg, settings, v.one("other-idp"), other)
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	posted := v.body
	if v.one("body") == "xml" {
		posted = base64.StdEncoding.EncodeToString([]byte(v.body))
	}
	a, err := sp.Verify([]byte(posted), saml.VerifyOptions{
		ACS: v.one("acs"), RequestIDs: []string{v.one("request-id")}, Unsolicited: settings.Unsolicited,
	})
	if err == nil && a.InResponseTo() != "" {
		err = a.CheckRequest(askedBy(settings, v.one("request-id"), v.one("idp"), v.one("acs"), now))
	}
	if len(v.reasons) > 0 {
		var e *saml.Error
		require.ErrorAs(t, err, &e, "accepted, must be %s", v.one("expect"))
		require.Contains(t, v.reasons, string(e.Reason), "%v", err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, v.one("name-id"), strconv.Quote(a.NameID().Value))
	until, err := time.ParseDuration(v.one("until"))
	require.NoError(t, err)
	require.Equal(t, now.Add(until), a.NotOnOrAfter())
	for _, line := range v.headers["attribute"] {
		words := unquoteAll(t, line)
		require.Equal(t, words[1:], append([]string{}, a.Values(words[0])...), words[0])
	}
}

func (v *vector) settings(t *testing.T) attack.Settings {
	t.Helper()
	s := attack.Settings{
		EncryptionKeyListed: v.one("idp-encryption-key") != "", ForceAuthn: v.one("asked-force-authn") == "true",
		AuthnContext: v.one("asked-authn-context"), NameIDFormat: v.one("asked-name-id-format"),
		Subject: v.one("asked-subject") != "", OtherIdP: v.one("other-idp") != "",
		Unsolicited: v.one("unsolicited") == "true",
		Scope:       v.one("scope"), ScopePattern: v.one("scope-pattern"),
	}
	if age := v.one("max-authn-age"); age != "" {
		var err error
		s.MaxAuthnAge, err = time.ParseDuration(age)
		require.NoError(t, err)
	}
	flags := map[string]*bool{
		"allow sha1": &s.AllowSHA1, "allow rsa1024": &s.AllowRSA1024, "allow cbc": &s.AllowCBC, "allow rsa15": &s.AllowRSA15,
		"over metadata": &s.MetadataOver, "over certificate": &s.CertificateOver,
	}
	for _, key := range []string{"allow", "over"} {
		for _, value := range v.headers[key] {
			flag := flags[key+" "+value]
			require.NotNil(t, flag, "unknown value %q of %q", value, key)
			*flag = true
		}
	}
	return s
}

// unquoteAll reads Go string literals with one space between them.
func unquoteAll(t *testing.T, line string) []string {
	t.Helper()
	var out []string
	for line != "" {
		prefix, err := strconv.QuotedPrefix(line)
		require.NoError(t, err, line)
		word, err := strconv.Unquote(prefix)
		require.NoError(t, err, line)
		out = append(out, word)
		line = strings.TrimPrefix(line[len(prefix):], " ")
	}
	return out
}

// A lenient reader of vectors would check nothing.
func TestVectorReaderIsStrict(t *testing.T) {
	text, err := os.ReadFile("../testdata/vectors/A03-assertion.txt")
	require.NoError(t, err)
	good := string(text)
	_, err = parseVector(good)
	require.NoError(t, err)
	for name, bad := range map[string]string{
		"unknown header":  strings.Replace(good, "signed:", "signd:", 1),
		"header twice":    "id: A03/assertion\n" + good,
		"unknown Reason":  strings.Replace(good, "refused AssertionCount", "refused Whatever", 1),
		"not a verdict":   strings.Replace(good, "refused AssertionCount", "AssertionCount", 1),
		"accepted as who": strings.Replace(good, "refused AssertionCount", "accepted", 1),
		"no comment":      regexp.MustCompile("(?m)^comment: .*\n").ReplaceAllString(good, ""),
		"no key":          strings.Replace(good, "idp-key: idp-rsa.pem\n", "", 1),
		"unknown kind":    "kind: metadat\n" + good,
		"another kind":    "kind: metadata\n" + good,
		"unknown body":    strings.Replace(good, "body: xml", "body: yaml", 1),
		"no body":         strings.ReplaceAll(good, "\n\n", "\n"),
	} {
		require.NotEqual(t, good, bad, name)
		_, err := parseVector(bad)
		require.Error(t, err, name)
	}
}

// askedBy is the request that a message is to answer.
func askedBy(s attack.Settings, id, idp, acs string, at time.Time) saml.RequestRecord {
	asked := saml.RequestRecord{ID: id, IdP: idp, ACS: acs, At: at, ForceAuthn: s.ForceAuthn, NameIDFormat: s.NameIDFormat}
	if s.Subject {
		asked.Subject = &saml.NameID{
			Value: "alice@example.com", Format: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
		}
	}
	if s.AuthnContext != "" {
		asked.AuthnContext = &saml.RequestedAuthnContext{ClassRefs: []string{s.AuthnContext}}
	}
	return asked
}
