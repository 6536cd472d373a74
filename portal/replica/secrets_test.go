package replica_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A record of what a Node logged.
type record struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(b)
}

func (r *record) count(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Count(r.buf.String(), text)
}

func (r *record) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// silent keeps that many idle sockets open at an address, and replaces each that is closed.
func silent(t testing.TB, addr string, sockets int) (opened func() int) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		made int
		all  = map[net.Conn]bool{}
		over bool
	)
	for range sockets {
		wg.Go(func() {
			for {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					return
				}
				mu.Lock()
				all[c] = true
				made++
				stop := over
				mu.Unlock()
				if stop {
					_ = c.Close()
					return
				}
				_, _ = io.Copy(io.Discard, c) // until it is closed
				_ = c.Close()
				mu.Lock()
				delete(all, c)
				stop = over
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	t.Cleanup(func() {
		mu.Lock()
		over = true
		for c := range all {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return func() int { mu.Lock(); defer mu.Unlock(); return len(all) }
}

// Limits count after authentication: unauthenticated sockets take no peer's place.
func TestSilentSocketsKeepNoPeerOut(t *testing.T) {
	for _, secure := range []bool{false, true} {
		c := configOf(virginia, t.TempDir())
		p := replica.Peer{}
		if secure {
			c.TLS, p.TLS = selfSigned(t)
		}
		us := open(t, c)
		p.URL = us.Addr()
		eu := open(t, configOf(frankfurt, t.TempDir()))
		require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
		_, hostport, _ := strings.Cut(us.Addr(), "://")
		opened := silent(t, hostport, 1000)
		eventually(t, "more sockets than peers may have", func() bool { return opened() > 900 })
		require.NoError(t, eu.AddPeer(background(t), virginia, p))
		require.NoError(t, eu.Ready(background(t)), "TLS: %v", secure)
		eventually(t, "as many: each that is closed is made again", func() bool { return opened() > 900 })
		us.Close()
		eu.Close()
	}
}

// Authenticated peers are bounded, and one that left makes room.
func TestPeersAreCounted(t *testing.T) {
	us := open(t, configOf(virginia, t.TempDir()))
	dial := func() (*nats.Conn, error) {
		return nats.Connect(us.Addr(), nats.UserInfo("peer", secret), nats.Timeout(hang), nats.NoReconnect())
	}
	var all []*nats.Conn
	for range replica.MaxPeers {
		nc, err := dial()
		require.NoError(t, err)
		t.Cleanup(nc.Close)
		all = append(all, nc)
	}
	_, err := dial()
	require.ErrorIs(t, err, nats.ErrAuthorization)
	all[7].Close()
	eventually(t, "room", func() bool {
		nc, err := dial()
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
}

// Secret is changed Region by Region, each restarted once for the new one and
// once without the old one. At every step the Regions connect.
func TestSecretIsChangedRegionByRegion(t *testing.T) {
	t.Parallel()
	const next = "the next secret of the Regions"
	usDir, euDir := t.TempDir(), t.TempDir()
	start := func(region, dir, now string, old ...string) *replica.Node {
		c := configOf(region, dir)
		c.Secret, c.OldSecrets = now, old
		return open(t, c)
	}
	us, eu := start(virginia, usDir, secret), start(frankfurt, euDir, secret)
	mesh(t, us, eu)
	meet := func() {
		t.Helper()
		mesh(t, us, eu)
		for _, n := range []*replica.Node{us, eu} {
			since := time.Now()
			eventually(t, "word of the other", func() bool { return n.Peers()[0].Heard.After(since) })
		}
	}
	meet()
	us.Close()
	us = start(virginia, usDir, next, secret)
	meet()
	eu.Close()
	eu = start(frankfurt, euDir, next, secret)
	meet()
	us.Close()
	us = start(virginia, usDir, next)
	meet()
	eu.Close()
	eu = start(frankfurt, euDir, next)
	meet()
	_, err := nats.Connect(us.Addr(), nats.UserInfo("peer", secret))
	require.ErrorIs(t, err, nats.ErrAuthorization, "the old one is worth nothing any more")
}

// A refused Secret is logged on both sides, and not with each attempt.
func TestARefusedSecretIsLogged(t *testing.T) {
	t.Parallel()
	var here, there record
	c := configOf(virginia, t.TempDir())
	c.Logger = there.logger()
	us := open(t, c)
	c = configOf(frankfurt, t.TempDir())
	c.Logger, c.Secret = here.logger(), "another secret, of no Region"
	w := &watch{}
	eu := open(t, c)
	require.NoError(t,
		eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr(), Options: []nats.Option{nats.SetCustomDialer(w)}}))
	eventually(t, "several attempts", func() bool { return len(w.seen()) > 3 })
	assert.Equal(t, 1, here.count("a peer refuses the credentials"))
	assert.Equal(t, 1, there.count("a client sent no valid Secret"))
	assert.Zero(t, here.count(secret)+there.count("of no Region"), "no secret is logged")
}

func selfSigned(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	cert, roots := certificate(t)
	return &tls.Config{Certificates: []tls.Certificate{cert}}, &tls.Config{RootCAs: roots}
}
