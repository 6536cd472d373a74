package dsig_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml/internal/dsig"
)

// pemFile writes a key for xmlsec1.
func pemFile(t *testing.T, kind string, der []byte, err error) string {
	t.Helper()
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return name
}

func xmlsecCount(t *testing.T) int {
	count := 60
	if asked := os.Getenv("MERIDIAN_XMLSEC"); asked != "" {
		var err error
		count, err = strconv.Atoi(asked)
		require.NoError(t, err)
	}
	return count
}

// byKey sorts the ways to sign by their key, for xmlsec1 takes one at a time.
// xmlsec1 1.2 has no RSA-PSS.
func byKey() map[crypto.Signer][]signer {
	out := map[crypto.Signer][]signer{}
	for _, s := range signers() {
		if !strings.HasPrefix(s.method, more2007) {
			out[s.key] = append(out[s.key], s)
		}
	}
	return out
}

// lists has no two blanks in a row: xmlsec1 cuts a PrefixList at each single
// blank, and takes the empty word between two for #default. A list of NMTOKENS
// has no empty words (XML Schema, part 2, 3.3.4.1), so we see none.
var lists = []string{"", "", "saml", "#default", "o a b", "a unknown #default saml xs", "ds a"}

// variants of exclusive canonicalisation: without comments, and with.
var variants = []string{"", withComments}

// TestXmlsec1AcceptsWhatWeSign and what follows run over 60 documents, or as
// many as MERIDIAN_XMLSEC says.
func TestXmlsec1AcceptsWhatWeSign(t *testing.T) {
	testkit.RequireSuccess(t, "peers", "xmlsec1", "--version")
	g := &generator{Rand: rand.New(rand.NewPCG(7, 0))}
	count, done := xmlsecCount(t), 0
	for key, ways := range byKey() {
		public, err := x509.MarshalPKIXPublicKey(key.Public())
		args := []string{
			"--verify",
			"--id-attr:ID",
			"urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
			"--enabled-key-data",
			"key-name",
			"--pubkey-pem",
			pemFile(t, "PUBLIC KEY", public, err),
		}
		dir := t.TempDir()
		for i := range count / len(byKey()) {
			s := ways[i%len(ways)]
			s.list, s.infoList = g.of(lists), g.of(lists)
			doc := g.signable("_1")
			if !strings.Contains(doc, "<!--") {
				s.comments, s.infoComments = g.of(variants), g.of(variants)
			}
			doc = s.sign(t, doc, "_1")
			_, err := verify(t, doc, strict, key.Public())
			require.NoError(t, err, "%s", doc)
			args = append(args, filepath.Join(dir, fmt.Sprintf("%d.xml", i)))
			require.NoError(t, os.WriteFile(args[len(args)-1], []byte(doc), 0o600))
			done++
		}
		out, err := exec.Command("xmlsec1", args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Equal(t, count/len(byKey()), strings.Count(string(out), "\nSignedInfo References (ok/all): 1/1"), "%s", out)
		require.NotContains(t, string(out), "FAIL")
	}
	t.Logf("%d documents", done)
}

func TestWeAcceptWhatXmlsec1Signs(t *testing.T) {
	testkit.RequireSuccess(t, "peers", "xmlsec1", "--version")
	g := &generator{Rand: rand.New(rand.NewPCG(8, 0))}
	count, done, refused := xmlsecCount(t), 0, 0
	for key, ways := range byKey() {
		kind, der, err := "PRIVATE KEY", []byte(nil), error(nil)
		if ec, ok := key.(*ecdsa.PrivateKey); ok {
			kind = "EC PRIVATE KEY"
			der, err = x509.MarshalECPrivateKey(ec)
		} else {
			der, err = x509.MarshalPKCS8PrivateKey(key)
		}
		args := []string{
			"--sign",
			"--id-attr:ID",
			"urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
			"--privkey-pem",
			pemFile(t, kind, der, err),
		}
		dir := t.TempDir()
		for i := range count / len(byKey()) {
			s := ways[i%len(ways)]
			s.list, s.infoList = g.of(lists), g.of(lists)
			s.comments, s.infoComments = g.of(variants), g.of(variants)
			args = append(args, filepath.Join(dir, fmt.Sprintf("%d.xml", i)))
			doc := strings.Replace(g.signable("_1"), here, s.template("_1"), 1)
			require.NoError(t, os.WriteFile(args[len(args)-1], []byte(doc), 0o600))
		}
		var stderr bytes.Buffer
		cmd := exec.Command("xmlsec1", args...)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, "%s", &stderr)
		docs := strings.Split(string(out), "<?xml version=\"1.0\"?>\n")[1:]
		require.Len(t, docs, count/len(byKey()))
		for _, doc := range docs {
			_, err := verify(t, doc, strict, key.Public())
			done++
			if strings.Contains(doc, "<!--") && strings.Contains(doc, exclusive+withComments) {
				requireKind(t, dsig.Algorithm, err)
				refused++
				continue
			}
			require.NoError(t, err, "%s", doc)
		}
	}
	t.Logf("%d documents, %d of them refused for a comment in what is signed", done, refused)
}
