package replica_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// delays are when a process is killed after a step has begun: before, in the middle of it, and after.
var delays = []time.Duration{0, 300 * time.Microsecond, time.Millisecond, 3 * time.Millisecond,
	10 * time.Millisecond, 30 * time.Millisecond}

// ask makes a process obey, and returns its answer.
func (c *child) ask(t *testing.T, what string) string {
	t.Helper()
	c.tell(t, what)
	return c.line(t)
}

// killed tells a process to begin a step, kills it after a delay, and returns what it still answered, or "".
func (c *child) killed(t *testing.T, what string, after time.Duration) string {
	t.Helper()
	c.tell(t, what)
	time.Sleep(after) // not a wait for a condition: it chooses the instant of the crash
	_ = c.cmd.Process.Kill()
	answer, _ := c.lines.ReadString('\n')
	c.kill()
	return strings.TrimSuffix(answer, "\n")
}

// Rules 17 and 78: the primary is killed in the middle of each step of adding and removing a Region. It ends in one of
// two states: the step was not begun, or it goes on by itself until the Region is ACTIVE, or gone with its data. What
// was acknowledged has begun.
func TestRule78PrimaryKilledInEveryStep(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 2)
	url := func(i int) string { return fmt.Sprintf("nats://127.0.0.1:%d", ports[i]) }
	j := job{Dir: t.TempDir(), Listen: fmt.Sprintf("127.0.0.1:%d", ports[0]), Alone: true,
		Peers: map[string]string{frankfurt: url(1)}}
	euDir := t.TempDir()
	openFrankfurt := func() *replica.Node {
		c := configOf(frankfurt, euDir)
		c.Listen = fmt.Sprintf("127.0.0.1:%d", ports[1])
		c.Peers = map[string]replica.Peer{virginia: {URL: url(0)}}
		n, err := replica.Open(background(t), c)
		require.NoError(t, err)
		t.Cleanup(n.Close)
		return n
	}
	us := start(t, j)
	begun := map[bool]int{}
	status := func(want string) func() bool {
		return func() bool { return us.ask(t, "status "+frankfurt) == want }
	}
	for _, delay := range delays {
		require.Equal(t, "none", us.ask(t, "status "+frankfurt))
		answer := us.killed(t, "add "+frankfurt, delay)
		us = start(t, j)
		now := us.ask(t, "status "+frankfurt)
		begun[now == "ADDING"]++
		switch now {
		case "none":
			require.Empty(t, answer, "it was acknowledged, and is lost")
			require.Equal(t, "ADDING", us.ask(t, "add "+frankfurt))
		default:
			require.Equal(t, "ADDING", now)
		}
		eu := openFrankfurt()
		us.killed(t, "status "+frankfurt, delay) // while it replicates
		us = start(t, j)
		eventually(t, "ACTIVE", status("ACTIVE"))
		require.NoError(t, eu.Ready(background(t)))
		putApplication(t, eu, fmt.Sprint("wiki-", delay))

		answer = us.killed(t, "remove "+frankfurt, delay)
		us = start(t, j)
		now = us.ask(t, "status "+frankfurt)
		begun[now != "ACTIVE"]++
		if now == "ACTIVE" {
			require.NotEqual(t, "REMOVING", answer, "it was acknowledged, and is lost")
			// It is refused while an application arrives that it didn't accept.
			eventually(t, "the removal begins", func() bool { return us.ask(t, "remove "+frankfurt) == "REMOVING" })
		}
		eventually(t, "the removal", status("none"))
		erased(t, eu)
		eu.Close()
		assert.Empty(t, found(t, euDir, "alice@example.com"))
	}
	t.Logf("%d steps had not begun when the primary was killed, and %d had", begun[false], begun[true])
}

// Rules 19 and 72: an additional Region is killed while it is added, and while it is removed. It ends as ACTIVE, or
// without any identity data on its disk.
func TestRule72RegionKilledInEveryStep(t *testing.T) {
	t.Parallel()
	us := open(t, alone(t.TempDir()))
	j := job{Region: frankfurt, Dir: t.TempDir(), Listen: fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0]),
		Peers: map[string]string{virginia: us.Addr()}}
	for _, delay := range delays {
		_, err := obeyControl(us, []string{"add", frankfurt})
		require.NoError(t, err)
		if delay == delays[0] {
			require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: "nats://" + j.Listen}))
		}
		start(t, j).killed(t, "probe", delay)
		eu := start(t, j)
		require.Equal(t, "replicated", eu.ask(t, "await"))
		isActive(t, us, frankfurt)
		require.NotEmpty(t, found(t, j.Dir, "alice@example.com"))

		_, err = obeyControl(us, []string{"remove", frankfurt})
		require.NoError(t, err)
		eu.killed(t, "probe", delay)
		eventually(t, "the removal", func() bool { _, ok := us.View().Snapshot().Region(frankfurt); return !ok })
		c, err := j.config()
		require.NoError(t, err)
		n, err := replica.Open(background(t), c) // it may have heard of its removal, and may not
		if err == nil {
			erased(t, n)
			n.Close()
		} else {
			require.True(t, refusedWith(err, replica.ReasonRemoved), "%v", err)
		}
		assert.Empty(t, found(t, j.Dir, "alice@example.com"))
	}
}
