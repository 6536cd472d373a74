package replica_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/keys"
	"github.com/meridian-saml/meridian/portal/replica"
)

func peerAt(url string) func(*replica.Config) {
	return func(c *replica.Config) { c.Peers = map[string]replica.Peer{frankfurt: {URL: url}} }
}

func serversAt(url string, options ...nats.Option) func(*replica.Config) {
	return func(c *replica.Config) { c.Dir, c.Listen, c.URL, c.Options = "", "", url, options }
}

// noNetwork is a dialer that reaches nothing. It calls dialed, if there is one.
type noNetwork struct{ dialed func() }

func (n noNetwork) Dial(string, string) (net.Conn, error) {
	if n.dialed != nil {
		n.dialed()
	}
	return nil, errors.New("no network")
}

// A Region's own servers may be anywhere with TLS.
func TestServersThatAreSecure(t *testing.T) {
	soon := nats.Timeout(time.Millisecond)
	for url, options := range map[string][]nats.Option{
		"tls://10.0.0.1:1":   {nats.SetCustomDialer(noNetwork{})},
		"nats://10.0.0.1:1":  {nats.SetCustomDialer(noNetwork{})},
		"127.0.0.1:1":        {soon},
		"nats://localhost:1": {soon, nats.Secure(&tls.Config{})},
		"tls://192.0.2.1:1":  {soon},
		"nats://192.0.2.1:1": {soon, nats.Secure()},
		"192.0.2.1:1,nats://[::1]:1": {nats.ClientTLSConfig(func() (tls.Certificate, error) {
			return tls.Certificate{},
				nil
		}, nil), soon},
	} {
		c := configOf(virginia, "")
		serversAt(url, options...)(&c)
		_, err := replica.Open(background(t), c)
		var e *replica.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, replica.ReasonUnavailable, e.Reason, "%s: %v", url, err)
	}
}

// A directory that existed before is for its owner alone afterwards.
func TestDirIsPrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		testkit.Skip(t, "there are no such permissions there")
	}
	mode := func(dir string) os.FileMode {
		info, err := os.Stat(dir)
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	dir := t.TempDir()
	for range 2 { // new, and with what a Node has made in it
		require.NoError(t, os.Chmod(dir, 0o755))
		open(t, configOf(virginia, dir)).Close()
		assert.Equal(t, os.FileMode(0o700), mode(dir))
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 5)

	// So it is with the file that a Node writes after users were removed.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "meridian.erased"), []byte("1"), 0o600))
	require.NoError(t, os.Chmod(dir, 0o755))
	open(t, configOf(virginia, dir)).Close()
	assert.Equal(t, os.FileMode(0o700), mode(dir))

	// Not one that others use too.
	shared := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(shared, "other"), nil, 0o600))
	require.NoError(t, os.Chmod(shared, 0o755))
	open(t, configOf(virginia, shared)).Close()
	assert.Equal(t, os.FileMode(0o755), mode(shared))
	assert.Equal(t, os.FileMode(0o700), mode(filepath.Join(shared, "jetstream")))
}

// Addresses beyond loopback are fine with TLS.
func TestPeersThatAreSecure(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	for _, p := range []replica.Peer{
		{URL: "127.0.0.1:1,nats://[::1]:1,nats://localhost:1"},
		{URL: "tls://eu-central-1.invalid:1, wss://eu-central-1.invalid:1"},
		{URL: "eu-central-1.invalid:1", TLS: &tls.Config{}},
	} {
		require.NoError(t, us.AddPeer(background(t), frankfurt, p), p.URL)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*replica.Config){
		"no Region":           func(c *replica.Config) { c.Region = "" },
		"odd Region":          func(c *replica.Config) { c.Region = "us.east.1" },
		"odd primary":         func(c *replica.Config) { c.Primary = "*" },
		"neither Dir nor URL": func(c *replica.Config) { c.Dir = "" },
		"both":                func(c *replica.Config) { c.URL = "nats://127.0.0.1:1" },
		"short secret":        func(c *replica.Config) { c.Secret = "short" },
		"short old secret":    func(c *replica.Config) { c.OldSecrets = []string{secret, "short"} },
		"old secret alone":    func(c *replica.Config) { c.Listen, c.Secret, c.OldSecrets = "", "", []string{secret} },
		"open to the world":   func(c *replica.Config) { c.Listen = "0.0.0.0:0" },
		"open by name":        func(c *replica.Config) { c.Listen = "us-east-1.example:4222" },
		"no port":             func(c *replica.Config) { c.Listen = "127.0.0.1" },
		"no sealer":           func(c *replica.Config) { c.InsecurePlaintext = false },
		"sealed and not":      func(c *replica.Config) { c.Sealer = &keys.Sealer{} },
		"opens and seals not": func(c *replica.Config) { c.InsecureOpenPlaintext = true },
		"negative skew":       func(c *replica.Config) { c.Skew = -1 },
		"peer that is itself": func(c *replica.Config) {
			c.Peers = map[string]replica.Peer{virginia: {URL: "nats://127.0.0.1:1"}}
		},
		"peer without address": func(c *replica.Config) { c.Peers = map[string]replica.Peer{frankfurt: {}} },
		"peer in the clear":    peerAt("nats://10.0.0.1:4222"),
		"peer by name":         peerAt("eu-central-1.example"),
		"second address":       peerAt("nats://127.0.0.1:1,tls://10.0.0.1:1, ws://10.0.0.2:1"),
		"odd address":          peerAt("tls://%"),
		"servers in the clear": serversAt("nats://10.0.0.1:4222"),
		"server by name":       serversAt("nats.example"),
		"second server":        serversAt("nats://127.0.0.1:1, tls://10.0.0.1:1,ws://10.0.0.2:1"),
		"odd server":           serversAt("tls://%"),
		"half options":         serversAt("nats://10.0.0.1:4222", nats.Name("x"), nil),
		"another's seed":       func(c *replica.Config) { c.Seed = seed(frankfurt, virginia) },
	} {
		c := configOf(virginia, t.TempDir())
		change(&c)
		n, err := replica.Open(background(t), c)
		var e *replica.Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, replica.ReasonConfig, e.Reason, name)
		assert.True(t, strings.HasPrefix(e.Error(), "replica: Config: "), "%v", e)
		assert.Nil(t, n)
	}
	c := configOf(virginia, t.TempDir())
	c.Seed = center.Data{}
	_, err := replica.Open(background(t), c)
	var e *center.Error
	require.ErrorAs(t, err, &e, "a primary needs a seed")
	c = configOf(virginia, "")
	c.Listen, c.URL = "", "nats://127.0.0.1:1"
	_, err = replica.Open(background(t), c)
	var r *replica.Error
	require.ErrorAs(t, err, &r)
	assert.Equal(t, replica.ReasonUnavailable, r.Reason)
}

// A directory is one Node's: two embedded servers would write over each other.
func TestADirectoryBelongsToOneNode(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		testkit.Skip(t, "there are no locks on files there that the standard library knows")
	}
	c := configOf(virginia, t.TempDir())
	first := open(t, c)
	_, err := replica.Open(background(t), c)
	var e *replica.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, replica.ReasonConfig, e.Reason)
	assert.Contains(t, e.Error(), "another Node has this directory")
	require.NoError(t, act(first, 0, "u-3"), "and the first one goes on")
	first.Close()
	open(t, c)
}

// Beyond loopback Regions read from each other over TLS, and authenticate the peer.
func TestPeersOverTLS(t *testing.T) {
	t.Parallel()
	cert, roots := certificate(t)
	c := configOf(virginia, t.TempDir())
	c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	us := open(t, c)
	eu := open(t, configOf(frankfurt, t.TempDir()))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	ctx, cancel := context.WithTimeout(background(t), 500*time.Millisecond)
	defer cancel()
	require.Error(t, eu.Ready(ctx), "an unknown certificate")
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr(), TLS: &tls.Config{RootCAs: roots}}))
	require.NoError(t, eu.Ready(background(t)))
}

// certificate makes one for 127.0.0.1, and the roots that vouch for it.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key := testkit.ECDSAKey("tls")
	cert := testkit.Certificate(key, time.Now(), "127.0.0.1")
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}, roots
}

// Nothing runs after Close, and what is asked then fails and does not hang.
func TestCloseLeavesNothingBehind(t *testing.T) {
	us, eu, ap := three(t)
	signIn(t, eu, "u-1", "s-1")
	for _, n := range []*replica.Node{us, eu, ap} {
		n.Close()
		n.Close()
	}
	require.Error(t, eu.Sessions().RevokeUser(background(t), "u-1"))
	require.Error(t, us.View().Update(putUser(center.User{UserName: "x@example.com", Inactive: true})))
	require.Error(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: "nats://127.0.0.1:1"}))
	buf := make([]byte, 4<<20)
	eventually(t, "no goroutine of ours", func() bool {
		all := string(buf[:runtime.Stack(buf, true)])
		return !strings.Contains(all, "meridian/portal/replica.") && !strings.Contains(all,
			"nats-server/v2/server.(*Server)") && !strings.Contains(all, "nats.go.(*Conn)")
	})
}
