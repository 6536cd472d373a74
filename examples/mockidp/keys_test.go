package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// certificateOf returns the only certificate in a program's metadata.
func certificateOf(t *testing.T, args ...string) string {
	t.Helper()
	found, stop := running(t, os.Interrupt, args...)
	defer stop()
	parts := strings.Split(get(t, found["Metadata"][0], 200), "X509Certificate>")
	require.Len(t, parts, 3)
	return parts[1]
}

// fails runs the program, which must say why it can't start.
func fails(t *testing.T, want string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args = append([]string{"-listen", "127.0.0.1:0"}, args...)
	out, err := exec.CommandContext(ctx, binary(t), args...).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	assert.Equal(t, 2, exit.ExitCode())
	assert.Contains(t, string(out), want)
}

func TestStateKeepsTheKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first := certificateOf(t, "-state", dir)
	assert.Equal(t, first, certificateOf(t, "-state", dir))
	file := filepath.Join(dir, "signing.pem")
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{dir: 0o700, file: 0o600} {
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Equal(t, want, info.Mode().Perm(), path)
		}
		_, stop := running(t, os.Interrupt, "-state", dir)
		fails(t, "another process", "-state", dir)
		stop()
	}
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, list, 3, "no temporary file stays")
	federation := func() string {
		found, stop := running(t, os.Interrupt, "-state", dir)
		defer stop()
		return read(t, strings.Replace(found["Federation"][0], "metadata.xml", "certificate.pem", 1))
	}
	kept := federation()
	assert.Equal(t, kept, federation())
	assert.NotEqual(t, first, kept, "another key")

	good, err := os.ReadFile(file)
	require.NoError(t, err)
	other, err := configfile.FormatKey(testkit.RSAKey("another"))
	require.NoError(t, err)
	certificate := string(good[strings.Index(string(good), "-----BEGIN CERTIFICATE"):])
	for name, text := range map[string]string{"empty": "", "cut": string(good[:len(good)/2]), "no key": certificate,
		"another key": string(other) + certificate} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		fails(t, "mockidp: -state: "+file+": damaged: ", "-state", dir)
		now, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, text, string(now), "%s: the file stays as it is", name)
	}
	require.NoError(t, os.WriteFile(file, good, 0o600))
	assert.Equal(t, first, certificateOf(t, "-state", dir))
	fails(t, "-state and -key exclude each other", "-state", dir, "-key", file)
	fails(t, "mockidp: -state: ", "-state", file)
}

func TestKeyFiles(t *testing.T) {
	idp, err := mockidp.Open(mockidp.Config{Key: testkit.ECDSAKey("mine")})
	require.NoError(t, err)
	text, err := configfile.FormatKey(testkit.ECDSAKey("mine"))
	require.NoError(t, err)
	key, cert := write(t, string(text)), write(t, string(configfile.FormatCertificate(idp.Certificate())))
	assert.Equal(t, certificateOf(t, "-key", key, "-cert", cert), certificateOf(t, "-key", key, "-cert", cert))
	assert.NotEqual(t, certificateOf(t, "-key", key), certificateOf(t, "-key", key), "self-signed at each start")
	fails(t, "-cert requires -key", "-cert", cert)
	fails(t, "mockidp: -key "+cert+": want a private key in PEM", "-key", cert)
	fails(t, "mockidp: -cert "+key+": want a certificate in PEM", "-key", key, "-cert", key)
	fails(t, "for another key", "-key", write(t, string(mustKey(t))), "-cert", cert)
}

func mustKey(t *testing.T) []byte {
	text, err := configfile.FormatKey(testkit.RSAKey("another"))
	require.NoError(t, err)
	return text
}

func TestThePublishedKeyIsForLoopback(t *testing.T) {
	published := certificateOf(t)
	assert.Equal(t, published, certificateOf(t))
	elsewhere := certificateOf(t, "-listen", "0.0.0.0:0", "-allow-non-loopback", "-base-url", "http://127.0.0.1:0")
	assert.NotEqual(t, published, elsewhere)
	out, err := exec.Command(binary(t), "-print-config").Output()
	require.NoError(t, err)
	assert.NotContains(t, string(out), "PRIVATE KEY")
}
