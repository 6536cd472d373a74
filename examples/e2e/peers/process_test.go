package peers_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// shellCommand returns a command that runs a program in a shell and ends it
// when standard input ends, so that it does not outlive this process. A signal
// to the shell ends the program too, even in another process group.
func shellCommand(program string, args ...string) *exec.Cmd {
	const script = `trap : HUP INT TERM; "$@" & peer=$!; cat >/dev/null; kill "$peer"; wait "$peer"`
	return exec.Command("sh", append([]string{"-c", script, "sh", program}, args...)...)
}

// noAuthorities is for the environment of programs that use OpenSSL. xmlsec reads
// the system's certificate authorities again for each message that it signs or
// verifies. That takes longer than everything else, and no host needs them.
const noAuthorities = "SSL_CERT_FILE=" + os.DevNull

// startPeer starts a program and waits until its output matches ready. It
// returns the first group. The program must end when its standard input is
// closed, which happens when the test ends. The output is logged if the test
// failed.
func startPeer(t *testing.T, cmd *exec.Cmd, ready *regexp.Regexp) string {
	t.Helper()
	said := &peerOutput{ready: ready, found: make(chan string, 1)}
	cmd.Stdout, cmd.Stderr = said, said
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = stdin.Close()
		select {
		case <-ended:
		case <-time.After(time.Minute):
			_ = cmd.Process.Kill()
			t.Errorf("%v did not end", cmd.Args)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), said)
		}
	})
	select {
	case found := <-said.found:
		return found
	case err := <-ended:
		ended <- err
		require.FailNow(t, "the peer ended before it was ready", "%v: %v\n%s", cmd.Args, err, said)
	case <-time.After(time.Minute):
		require.FailNow(t, "the peer is not ready after a minute", "%v\n%s", cmd.Args, said)
	}
	return ""
}

// peerOutput keeps a program's output, and finds the line that shows that it is
// ready.
type peerOutput struct {
	ready *regexp.Regexp
	found chan string

	mu   sync.Mutex
	text []byte // guarded by mu, as is
	seen bool
}

func (o *peerOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	if m := o.ready.FindSubmatch(o.text); m != nil && !o.seen {
		o.seen = true
		o.found <- string(m[1])
	}
	return len(p), nil
}

// String returns the output, with long lines cut.
func (o *peerOutput) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(longLine.ReplaceAll(o.text, []byte("$1...")))
}

var longLine = regexp.MustCompile(`(?m)^(.{200}).+$`)

// peerKey is an RSA key with a certificate. Generating one is slow, so each
// party has one for all tests.
type peerKey struct {
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

var (
	peerSPKey  = sync.OnceValue(func() peerKey { return newPeerKey("sp.example") })
	peerIdPKey = sync.OnceValue(func() peerKey { return newPeerKey("idp.example") })
	// peerEncryptionKey is the one that peers encrypt to; peerOtherKey another.
	peerEncryptionKey = sync.OnceValue(func() peerKey { return readPeerKey("decryption.pem", "sp.example") })
	peerOtherKey      = sync.OnceValue(func() peerKey { return readPeerKey("sp-rsa.pem", "sp.example") })
)

func newPeerKey(name string) peerKey {
	key := testkit.RSAKey(name)
	return peerKey{key, peerCertificate(key, name)}
}

// readPeerKey reads an existing key.
func readPeerKey(file, name string) peerKey {
	key := testkit.ReadKeys("../../../testdata/keys")[file].(*rsa.PrivateKey)
	return peerKey{key, peerCertificate(key, name)}
}

// peerCertificate makes a certificate that is valid for a day.
func peerCertificate(key crypto.Signer, names ...string) *x509.Certificate {
	return testkit.Certificate(key, time.Now(), names...)
}

// peerState makes a folder with what a peer needs: its key, its certificate and
// the metadata of the service providers that it trusts.
func peerState(t *testing.T, spMetadata [][]byte) (dir string, spFiles []string) {
	t.Helper()
	dir = t.TempDir()
	idp := peerIdPKey()
	der, err := x509.MarshalPKCS8PrivateKey(idp.key)
	require.NoError(t, err)
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	write("idp.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	write("idp.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: idp.cert.Raw}))
	for i, metadata := range spMetadata {
		spFiles = append(spFiles, write("sp-"+strconv.Itoa(i)+".xml", metadata))
	}
	return dir, spFiles
}

// peerTLS is the TLS key of our consumers, and of an identity provider behind a tlsFront.
var peerTLS = sync.OnceValues(func() (crypto.Signer, *x509.Certificate) {
	key := testkit.ECDSAKey("tls")
	return key, peerCertificate(key, homeRegion+".localhost", awayRegion+".localhost", "idp.localhost")
})

// peerBody reads a server's answer.
func peerBody(t *testing.T, body io.ReadCloser) string {
	t.Helper()
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 8<<20))
	require.NoError(t, err)
	return string(text)
}
