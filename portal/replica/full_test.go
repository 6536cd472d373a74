package replica_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/saml"
)

// A disk is one of its own, small enough to be full.
type disk struct{ dir string }

func newDisk(t *testing.T) disk {
	t.Helper()
	if raceDetector {
		testkit.Skip(t,
			"nats-server 2.15 has a race of its own where JetStream is enabled again while requests arrive (jsAPIRoutedReqs)")
	}
	d := disk{t.TempDir()}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", d.dir).CombinedOutput(); err != nil {
		testkit.Lacking(t, "netns", fmt.Sprintf("no tmpfs of its own, which takes root: %v %s", err, out))
	}
	t.Cleanup(func() { assert.NoError(t, exec.Command("umount", "-l", d.dir).Run()) })
	return d
}

func (d disk) filler() string { return filepath.Join(d.dir, "filler") }

// fill takes all space that is left.
func (d disk) fill(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	defer func() { _ = f.Close() }() // what isn't kept is what is wanted
	for n := 64 << 10; n > 0; {
		if _, err := f.Write(make([]byte, n)); err != nil {
			n /= 2
		}
	}
}

// free frees that much of it.
func (d disk) free(t *testing.T, bytes int64) {
	t.Helper()
	info, err := os.Stat(d.filler())
	require.NoError(t, err)
	require.NoError(t, os.Truncate(d.filler(), info.Size()-bytes))
}

// The server's default limit, three quarters of the free space at its start, does not apply: the
// stored data may exceed it.
func TestLittleSpaceIsEnough(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	cfg := configOf(virginia, filepath.Join(d.dir, "node"))
	us := open(t, cfg)
	for i := range 50 {
		s := at(us, session("u-1", fmt.Sprint(i), nil))
		s.UserName = strings.Repeat("x", 100<<10)
		require.NoError(t, us.Sessions().Create(background(t), fmt.Sprint("key-", i), s))
	}
	d.fill(t)
	eventually(t, "a write that is refused", func() bool {
		return us.Sessions().Create(background(t), "key-"+fmt.Sprint(time.Now().UnixNano()),
			at(us, session("u-2", "s", nil))) != nil
	})
	d.free(t, 3<<19)
	eventually(t, "writes", func() bool { return us.Probe(background(t)) == nil })

	us.Close()
	us = open(t, cfg)
	require.NoError(t, us.Probe(background(t)))
	signIn(t, us, "u-2", "after")
}

// healthOf opens a portal on a Node, and returns what asks for its health.
func healthOf(t *testing.T, n *replica.Node) func() int {
	t.Helper()
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	trusted, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: "sp",
		ACS: []saml.Endpoint{{URL: "https://portal.example/acs", Region: n.Region()}}, IdP: trusted})
	require.NoError(t, err)
	p, err := portal.New(portal.Config{
		Region: n.Region(), SP: sp, Directory: n.View(), Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		Sessions: n.Sessions(), Codes: n.Codes(), Replication: n,
		Context: t.Context(), ProbeEvery: 10 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return func() int {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://portal.example/health", nil))
		return w.Code
	}
}

// The primary's disk is full. Health reports it. What ends sessions takes effect here, nothing else
// is written, and when there is space again everything goes on without a restart: the others hear
// of the ends, too.
func TestFullDiskOfThePrimary(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	us := open(t, configOf(virginia, filepath.Join(d.dir, "node")))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	signedIn(t, us)
	health := healthOf(t, us)
	require.Equal(t, http.StatusOK, health())

	d.fill(t)
	eventually(t, "a write that is refused", func() bool {
		return us.Sessions().Create(background(t), "key-"+fmt.Sprint(time.Now().UnixNano()),
			at(us, session("u-2", "s", nil))) != nil
	})
	eventually(t, "health to say so", func() bool { return health() == http.StatusServiceUnavailable })
	for name, end := range ends {
		_ = end(background(t), us, "u-"+name, name) // an error, unless it fits into what is left of a page
		assert.False(t, alive(t, us, name), name)
	}
	assert.Equal(t, http.StatusServiceUnavailable, health())

	require.NoError(t, os.Remove(d.filler()))
	eventually(t, "health", func() bool { return health() == http.StatusOK })
	eventually(t, "the update", func() bool { return ends["disabled"](background(t), us, "u-disabled", "") == nil })
	for name := range ends {
		eventually(t, name+" to be heard", func() bool { return !alive(t, eu, name) })
	}
	signIn(t, us, "u-2", "after")
	signIn(t, eu, "u-2", "there")
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	require.NoError(t, us.View().Update(putUser(center.User{ID: "new", UserName: "new@example.com"})))

	us.Close()
	us = open(t, configOf(virginia, filepath.Join(d.dir, "node")))
	assert.True(t, alive(t, us, "after"), "what was acknowledged is on disk")
	for name := range ends {
		assert.False(t, alive(t, us, name), name)
	}
}

// The disk of another Region is full. What the primary ends also ends there.
func TestFullDiskOfAnotherRegion(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	us := open(t, configOf(virginia, t.TempDir()))
	eu := open(t, configOf(frankfurt, filepath.Join(d.dir, "node")))
	mesh(t, us, eu)
	signedIn(t, us)
	_, err := replica.Check(background(t), us, eu)
	require.NoError(t, err)

	d.fill(t)
	eventually(t, "a probe that fails", func() bool {
		signIn(t, us, "u-1", fmt.Sprint(time.Now().UnixNano())) // which eu is to copy
		ctx, cancel := context.WithTimeout(background(t), time.Second)
		defer cancel()
		return eu.Probe(ctx) != nil && len(eu.StalledStreams()) > 0
	})
	for name, end := range ends {
		require.NoError(t, end(background(t), us, "u-"+name, name))
	}
	for name := range ends {
		eventually(t, name+" to be heard", func() bool { return !alive(t, eu, name) })
	}

	require.NoError(t, os.Remove(d.filler()))
	eventually(t, "writes", func() bool { return eu.Probe(background(t)) == nil })
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	signIn(t, eu, "u-2", "after")
	eventually(t, "the session to be heard", func() bool { return alive(t, us, "after") })
}
