package main

import (
	"context"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/portal/failover"
)

// The primary's process is killed during 200 sign-ins at the same time. All of
// those at the other Regions succeed, and after the restart nothing is missing
// anywhere that was acknowledged.
//
// Rule 75.
func TestPrimaryKilledDuring200SignIns(t *testing.T) {
	w := newTestWorld(t, worldConfig{})
	k := newWalker(background(t), w, 200)
	for _, s := range []step{oneMetadata, signInAt(0), primaryKilled, redirected, primaryBack} {
		line, held := check.Take(k, s)
		require.True(t, held, line)
		t.Log(line)
	}
	assert.GreaterOrEqual(t, len(w.kept.all()), 201)
	report, err := w.differences(background(t))
	require.NoError(t, err)
	assert.Empty(t, report.Differences)
	assert.Greater(t, report.Items, 200)
}

// A walk that can't fail shows nothing. In one world, what each step looks at
// is broken for as long as the step takes.
func TestStepsCanFail(t *testing.T) {
	w := newTestWorld(t, worldConfig{})
	k := newWalker(background(t), w, 4)
	for _, s := range steps[:4] {
		line, held := check.Take(k, s)
		require.True(t, held, line)
	}
	swap := func(i, j int) func() {
		do := func() { w.sites[i], w.sites[j] = w.sites[j], w.sites[i] }
		do()
		return do
	}
	off := func(i int) func() {
		require.NoError(t, w.rd.Set(w.sites[i].Name, failover.Off))
		return func() { require.NoError(t, w.rd.Set(w.sites[i].Name, failover.Auto)) }
	}
	elsewhere := func(i, j int) func() { // a Region that another stands in for
		before := w.sites[i].spot
		w.sites[i].Portal = w.sites[j].Portal
		return func() { w.sites[i].spot = before }
	}
	for _, c := range []struct {
		step  int
		spoil func() (mend func())
		says  string
	}{
		{1, func() func() { return elsewhere(1, 2) }, "how often it lists"},
		{2, func() func() { return elsewhere(0, 1) }, "where the browser posted"},
		{5, func() func() { return off(0) }, "where the redirector leads"},
		{6, func() func() { return elsewhere(2, 1) }, "the page in the end"},
		{8, func() func() { return func() {} }, "where the redirector leads"}, // the primary lives
		{9, func() func() { w.plan.IdP++; return func() { w.plan.IdP-- } }, "the page that asks for a password"},
		{10, func() func() { w.plan.IdP++; return func() { w.plan.IdP-- } }, "the page that asks for a password"},
		{11, func() func() { return swap(0, 1) }, `want "NotPrimary", got ""`},
		{13, func() func() { return swap(0, 1) }, "where the redirector leads"},
	} {
		mend := c.spoil()
		hurried := newWalker(background(t), w, 4)
		hurried.patience = time.Second
		line, held := check.Take(hurried, steps[c.step-1])
		mend()
		assert.False(t, held, "%d: %s", c.step, line)
		assert.Regexp(t, `^FAIL  \S.*: want .+, got .+$`, line)
		assert.Contains(t, line, c.says, "%d", c.step)
	}

	// A session that ended is missed.
	w.kept.add(w.sites[1], k.browser())
	line, held := check.Take(k, primaryBack)
	assert.False(t, held)
	assert.Contains(t, line, "whether a session that eu-central-1 gave opens its portal: want true, got false")

	// A Region that is dead too fails its people.
	w.sites[2].process.kill()
	line, held = check.Take(k, primaryKilled)
	assert.False(t, held)
	assert.Contains(t, line, "connection refused")
}

// The doors are for the parent alone.
func TestDoorNeedsTheToken(t *testing.T) {
	w := newTestWorld(t, worldConfig{})
	for _, path := range []string{pathDigest, pathState, pathAssign, "/"} {
		for _, token := range []string{"", "Bearer ", "Bearer " + w.token[1:], w.token} {
			req, err := http.NewRequestWithContext(background(t), http.MethodPost, "http://"+loopback.Address(w.sites[0].Control)+path, nil)
			require.NoError(t, err)
			req.Header.Set("Authorization", token)
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			res.Body.Close()
			assert.Equal(t, http.StatusUnauthorized, res.StatusCode, "%s with %q", path, token)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	info, err := os.Stat(w.dir)
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077, "others can't read the directories")
}

// lines is an io.Writer that can be read meanwhile.
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

// A Region that somebody kills comes back.
func TestKilledRegionComesBack(t *testing.T) {
	w := newTestWorld(t, worldConfig{ComesBackAfter: time.Millisecond})
	ctx, cancel := context.WithCancel(background(t))
	var out lines
	ended := make(chan struct{})
	s := w.sites[1]
	victim := s.process
	go func() { defer close(ended); w.supervise(ctx, &out) }()
	victim.kill()
	k := newWalker(background(t), w, 1)
	require.NoError(t, k.until(func() error {
		return check.That("what is said", strings.Contains(out.String(), "eu-central-1 is back"), "that it is back", out.String())
	}))
	cancel()
	<-ended
	assert.Contains(t, out.String(), "eu-central-1 is lost.")
	line, held := check.Take(k, signInAt(1))
	assert.True(t, held, line)
}
