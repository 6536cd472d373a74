package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/program"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/portal/failover"
)

func background(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	t.Cleanup(cancel)
	return ctx
}

// newProcesses starts a world with a process for each Region.
func newProcesses(t *testing.T) *world {
	t.Helper()
	w, err := newWorld(background(t), worldConfig{Program: command(t).Path, Record: true})
	require.NoError(t, err)
	t.Cleanup(w.close)
	return w
}

// newCrowd returns a walker with that many users who sign in at once.
func newCrowd(t *testing.T, w *world, users int) *walker {
	k := newWalker(background(t), w)
	k.users = users
	return k
}

// The primary's process is killed during 200 sign-ins at the same time. All of
// those at the other Regions succeed, and after the restart no Region lacks
// anything that was acknowledged.
//
// Rule 75.
func TestPrimaryKilledDuring200SignIns(t *testing.T) {
	w := newProcesses(t)
	k := newCrowd(t, w, 200)
	for _, s := range []step{oneMetadata, signInAt(0), primaryKilled, secondNearest, primaryBack} {
		line, held := check.Take(k, s)
		require.True(t, held, line)
		t.Log(line)
	}
	assert.GreaterOrEqual(t, len(w.kept.all()), 201)
	report, err := k.agree()
	require.NoError(t, err)
	assert.Greater(t, report.Items, 200)
}

// Each step fails if what it checks is broken.
func TestEveryStepOfProcessesCanFail(t *testing.T) {
	w := newProcesses(t)
	k := newCrowd(t, w, 4)
	for _, s := range processSteps[:4] {
		line, held := check.Take(k, s)
		require.True(t, held, line)
	}
	swap := func(*walker) func() {
		do := func() { w.sites[0], w.sites[1] = w.sites[1], w.sites[0] }
		do()
		return do
	}
	off := func(*walker) func() {
		require.NoError(t, w.redirector.Set(w.sites[0].Name, failover.Off))
		return func() { require.NoError(t, w.redirector.Set(w.sites[0].Name, failover.Auto)) }
	}
	elsewhere := func(i, j int) func(*walker) func() { // Region i has the address of j
		return func(*walker) func() {
			s, url, acs := w.sites[i], w.sites[i].url, w.sites[i].acs
			s.url = strings.Replace(w.sites[j].url, w.sites[j].Name, s.Name, 1)
			s.acs = region.ACS(s.url)
			return func() { s.url, s.acs = url, acs }
		}
	}
	carol := func(k *walker) func() { k.who = corp.Carol; return func() {} } // no portal knows her
	for _, c := range []struct {
		step  int
		spoil func(*walker) (mend func())
		says  string
	}{
		{1, elsewhere(1, 2), "ACS URL 2"},
		{2, elsewhere(0, 1), "where the browser posted"},
		{5, off, "where the redirector leads"},
		{6, elsewhere(2, 1), "the page in the end"},
		{8, func(*walker) func() { return func() {} }, "where the redirector leads"}, // the primary runs
		{9, carol, "Open ap-southeast-2"},
		{10, carol, "the question before Bob's sessions end"},
		{11, swap, `want "NotPrimary", got ""`},
		{13, swap, "where the redirector leads"},
		{15, func(*walker) func() {
			name := filepath.Join(w.sites[2].wire, "sent-0")
			require.NoError(t, os.WriteFile(name, []byte("connection of "+corp.Bob), 0o600))
			return func() { require.NoError(t, os.Remove(name)) }
		}, "their connections say"},
	} {
		hurried := newCrowd(t, w, 4)
		hurried.patience = time.Second
		mend := c.spoil(hurried)
		line, held := check.Take(hurried, processSteps[c.step-1])
		mend()
		assert.False(t, held, "%d: %s", c.step, line)
		assert.Regexp(t, `^FAIL  \S.*: want .+, got .+$`, line)
		assert.Contains(t, line, c.says, "%d", c.step)
	}

	// A session that has ended makes a step fail.
	w.kept.add(w.sites[1], k.browser())
	line, held := check.Take(k, primaryBack)
	assert.False(t, held)
	assert.Contains(t, line, "whether a session that eu-central-1 gave opens its portal: want true, got false")

	line, held = check.Take(k, primaryRestored)
	assert.False(t, held)
	assert.Contains(t, line, "whether a session that eu-central-1 gave opens its portal: want true, got false")

	// So does a second Region that is down.
	w.sites[2].process.kill()
	line, held = check.Take(k, primaryKilled)
	assert.False(t, held)
	assert.Contains(t, line, "connection refused")
}

// Other users of the machine can't read the Regions' data.
func TestDirectoriesArePrivate(t *testing.T) {
	w, err := newWorld(background(t), worldConfig{})
	require.NoError(t, err)
	defer w.close()
	info, err := os.Stat(w.dir)
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077)
}

// lines is an io.Writer that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A Region whose process is killed is restarted.
func TestKilledRegionComesBack(t *testing.T) {
	w := newProcesses(t)
	ctx, cancel := context.WithCancel(background(t))
	var out lines
	ended := make(chan struct{})
	s := w.sites[1]
	victim := s.process
	go func() { defer close(ended); w.supervise(ctx, time.Millisecond, &out) }()
	victim.kill()
	k := newCrowd(t, w, 1)
	require.NoError(t, k.until(func() error {
		back := strings.Contains(out.String(), "eu-central-1 has restarted")
		return check.That("the output", back, "that it has restarted", out.String())
	}))
	cancel()
	<-ended
	assert.Contains(t, out.String(), "eu-central-1 has ended.")
	line, held := check.Take(k, signInAt(1))
	assert.True(t, held, line)
}

// An interrupt during the start is the error that is returned.
func TestInterruptedStart(t *testing.T) {
	ctx, end := context.WithCancelCause(background(t))
	end(errors.New("interrupted"))
	_, err := newWorld(ctx, worldConfig{Program: "never started"})
	assert.EqualError(t, err, "the process of the identity provider: interrupted")
}

// An interrupt during the start is not an error of the program. A walk that did
// not run did not succeed.
func TestEndedWhileStarting(t *testing.T) {
	ctx, end := context.WithCancelCause(background(t))
	end(errors.New("terminated signal received"))
	var out bytes.Buffer
	code, err := run(ctx, []string{"-processes"}, nil, &out, &out)
	assert.NoError(t, err)
	assert.Equal(t, program.OK, code)
	assert.Empty(t, out.String())
	code, err = run(ctx, []string{"-processes", "-walk"}, nil, &out, &out)
	assert.NoError(t, err)
	assert.Equal(t, program.Failed, code)
}
