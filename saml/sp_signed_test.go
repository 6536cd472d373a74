package saml_test

import (
	"crypto"
	"crypto/elliptic"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

func signMetadata(c *saml.Config) { c.SignMetadata = true }

// Our own verifier of metadata accepts it, with this key only, and without any change.
// Obligations: SDP-MD04.
func TestSignedMetadata(t *testing.T) {
	for name, key := range map[string]crypto.Signer{
		"RSA": keys().other, "P-256": ecKey(t, elliptic.P256()), "P-521": ecKey(t, elliptic.P521()),
	} {
		t.Run(name, func(t *testing.T) {
			sp := newSP(t, describe, signingConfig(t, key), signMetadata)
			metadata, err := sp.Metadata()
			require.NoError(t, err)
			_, err = saml.VerifyAggregate(metadata, []crypto.PublicKey{key.Public()})
			require.NoError(t, err)

			_, err = saml.VerifyAggregate(metadata, []crypto.PublicKey{keys().idp.Public()})
			requireReason(t, saml.ReasonMetadataSignature, err)
			for _, change := range [][2]string{
				{spEntity, spEntity + "x"}, {euACS, "https://evil.example/acs"}, {"security@", "evil@"}, {"\n  <md:", " <md:"},
			} {
				changed := strings.Replace(string(metadata), change[0], change[1], 1)
				require.NotEqual(t, string(metadata), changed)
				_, err = saml.VerifyAggregate([]byte(changed), []crypto.PublicKey{key.Public()})
				requireReason(t, saml.ReasonMetadataSignature, err)
			}
			root := etreeOf(t, sp).Root()
			require.Equal(t, "Signature", root.ChildElements()[0].Tag, "the schema has it first")
			require.Equal(t, "#"+attr(root, "ID"), attr(root.FindElement("//Reference"), "URI"))
		})
	}
	unsigned := etreeOf(t, newSP(t, signingConfig(t, keys().other))).Root()
	require.Nil(t, unsigned.FindElement("//Signature"))
	require.Empty(t, attr(unsigned, "ID"))
}

// signerCount counts its signatures.
type signerCount struct {
	crypto.Signer
	used atomic.Int32
}

func (k *signerCount) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.used.Add(1)
	return k.Signer.Sign(r, digest, opts)
}

// Metadata is public, so requests for it must not each cost a signature.
func TestMetadataIsSignedOnce(t *testing.T) {
	key, clock := &signerCount{Signer: keys().other}, &atomic.Int64{}
	sp := newSP(t, signingConfig(t, keys().other), signMetadata, func(c *saml.Config) {
		c.Key = key
		c.MetadataValidity = time.Hour
		c.Now = func() time.Time { return now.Add(time.Duration(clock.Load())) }
	})
	get := func() string {
		metadata, err := sp.Metadata()
		require.NoError(t, err)
		_, err = saml.VerifyAggregate(metadata, []crypto.PublicKey{key.Public()})
		require.NoError(t, err)
		return string(metadata)
	}
	first := get()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { _, _ = sp.Metadata() })
	}
	all.Wait()
	clock.Store(int64(59 * time.Second))
	require.Equal(t, first, get())
	require.EqualValues(t, 1, key.used.Load())

	clock.Store(int64(time.Minute))
	second := get()
	require.NotEqual(t, first, second, "its validUntil is later")
	require.EqualValues(t, 2, key.used.Load())
	clock.Store(0) // a clock that is set back
	require.Equal(t, first, get())
	require.NoError(t, sp.AppendACS(saml.Endpoint{URL: "https://ap-south-1.signin.example/acs", Region: "ap-south-1"}))
	require.Contains(t, get(), "ap-south-1")
	require.EqualValues(t, 4, key.used.Load())
}

// failingKey is a key in hardware that is away.
type failingKey struct{ crypto.Signer }

func (failingKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, io.ErrUnexpectedEOF
}

func TestMetadataThatCannotBeSigned(t *testing.T) {
	sp := newSP(t, signingConfig(t, keys().other), signMetadata, func(c *saml.Config) {
		c.Key = failingKey{c.Key}
	})
	metadata, err := sp.Metadata()
	requireReason(t, saml.ReasonKey, err)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Nil(t, metadata)
}

// Another program verifies our signature.
func TestXmlsecVerifiesMetadata(t *testing.T) {
	xmlsec := testkit.RequireProgram(t, "peers", "xmlsec1")
	for name, key := range map[string]crypto.Signer{"RSA": keys().other, "P-384": ecKey(t, elliptic.P384())} {
		t.Run(name, func(t *testing.T) {
			sp := newSP(t, describe, signingConfig(t, key), signMetadata)
			metadata, err := sp.Metadata()
			require.NoError(t, err)
			dir := t.TempDir()
			cert := filepath.Join(dir, "sp.pem")
			require.NoError(t, os.WriteFile(cert,
				pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificateIn(t, sp).Raw}), 0o600))
			verify := func(text string) (string, error) {
				file := filepath.Join(dir, "metadata.xml")
				require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
				out, err := exec.Command(xmlsec, "--verify", "--enabled-key-data", "key-name", "--pubkey-cert-pem", cert,
					"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor", file).CombinedOutput()
				return string(out), err
			}
			out, err := verify(string(metadata))
			require.NoError(t, err, out)
			_, err = verify(strings.Replace(string(metadata), "security@", "evil@", 1))
			require.Error(t, err)
		})
	}
}
