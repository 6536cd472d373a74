package replica_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A disk is one of its own, small enough to be full.
type disk struct{ dir string }

func newDisk(t *testing.T) disk {
	t.Helper()
	d := disk{t.TempDir()}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", d.dir).CombinedOutput(); err != nil {
		if slices.Contains(strings.Split(os.Getenv("MERIDIAN_REQUIRE"), ","), "netns") {
			t.Fatalf("a tmpfs of its own is required by MERIDIAN_REQUIRE: %v %s", err, out)
		}
		t.Skipf("no tmpfs of its own, which takes root: %v %s", err, out)
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

// The primary's disk is full. What ends sessions does so here, nothing else is
// written, and when there is space again all goes on without a restart: what had
// ended is heard by the others, too.
func TestFullDiskOfThePrimary(t *testing.T) {
	d := newDisk(t)
	us := open(t, configOf(virginia, filepath.Join(d.dir, "node")))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	signedIn(t, us)
	require.NoError(t, us.Probe(background(t)))

	d.fill(t)
	eventually(t, "a write that is refused", func() bool {
		return us.Sessions().Create(background(t), "key-"+fmt.Sprint(time.Now().UnixNano()), at(us, session("u-2", "s", nil))) != nil
	})
	eventually(t, "a probe that fails", func() bool { return us.Probe(background(t)) != nil })
	for name, end := range ends {
		_ = end(background(t), us, "u-"+name, name) // an error, unless it fits into what is left of a page
		assert.False(t, alive(t, us, name), name)
	}
	assert.Error(t, us.Probe(background(t)))

	require.NoError(t, os.Remove(d.filler()))
	eventually(t, "writes", func() bool { return us.Probe(background(t)) == nil })
	eventually(t, "the update", func() bool { return ends["disabled"](background(t), us, "u-disabled", "") == nil })
	for name := range ends {
		eventually(t, name+" to be heard", func() bool { return !alive(t, eu, name) })
	}
	signIn(t, us, "u-2", "after")
	signIn(t, eu, "u-2", "there")
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	require.NoError(t, us.View().Update(putUser(center.User{ID: "new", UserName: "new@example.com", Active: true})))

	us.Close()
	us = open(t, configOf(virginia, filepath.Join(d.dir, "node")))
	assert.True(t, alive(t, us, "after"), "what was acknowledged is on disk")
	for name := range ends {
		assert.False(t, alive(t, us, name), name)
	}
}

// The disk of another Region is full. What the primary ends is over there too.
func TestFullDiskOfAnotherRegion(t *testing.T) {
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
