package replica_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
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

// dieBefore counts the writes to a process's log down to the one before which it dies; 0: it doesn't.
var dieBefore atomic.Int64

// mortalNow is the clock of a Region's process. Every write to the log asks it once, when all before it is on disk.
func mortalNow() time.Time {
	if dieBefore.Load() > 0 && writesLog() && dieBefore.Add(-1) == 0 {
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Kill()
		select {}
	}
	return time.Now()
}

// writesLog reports whether the caller of mortalNow is the function that writes the log.
func writesLog() bool {
	callers := make([]uintptr, 4)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if strings.HasSuffix(f.Function, ".(*Node).writeBy") {
			return true
		}
	}
	return false
}

// Rules 17 and 78: the primary is killed between each two writes to its log while a Region is added and removed, as
// many as the code makes: the last round is the one without a kill. It ends in one of two states: the step was not
// begun, or it goes on by itself until the Region is ACTIVE, or gone with its data. What was acknowledged has begun.
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
	us, kills := start(t, j), 0
	// say tells the primary what to do, and starts it again if it dies of that. Then there is no answer.
	say := func(what string) string {
		_, _ = fmt.Fprintln(us.in, what)
		answer, err := us.lines.ReadString('\n')
		if err == nil {
			return strings.TrimSuffix(answer, "\n")
		}
		us.kill()
		us = start(t, j)
		kills++
		return ""
	}
	status := func() (now string) {
		for now == "" {
			now = say("status " + frankfurt)
		}
		return now
	}
	var before [3]int // kills before a step was acknowledged: adding, replicating, removing
	round := 0
	for killed := true; killed; {
		round, kills = round+1, 0
		require.Equal(t, "none", status())
		require.Equal(t, "ok", say(fmt.Sprint("die ", round)))
		answer := say("add " + frankfurt)
		if status() == "none" {
			require.Empty(t, answer, "it was acknowledged, and is lost")
			require.Equal(t, "ADDING", say("add "+frankfurt))
		}
		adding := kills
		eu := openFrankfurt()
		eventually(t, "ACTIVE", func() bool { return status() == "ACTIVE" })
		require.NoError(t, eu.Ready(background(t)))
		putApplication(t, eu, fmt.Sprint("wiki-", round))
		replicating := kills - adding

		eventually(t, "the removal begins", func() bool { // it is refused while an application arrives
			answer := say("remove " + frankfurt)
			now := status()
			require.False(t, answer == "REMOVING" && now == "ACTIVE", "it was acknowledged, and is lost")
			return now != "ACTIVE"
		})
		eventually(t, "the removal", func() bool { return status() == "none" })
		erased(t, eu)
		eu.Close()
		assert.Empty(t, found(t, euDir, "alice@example.com"))
		say("die 0")
		killed = kills > 0
		for step, n := range []int{adding, replicating, kills - adding - replicating} {
			before[step] += n
		}
	}
	t.Logf("%d rounds; kills while the Region was added, replicated and removed: %v", round, before)
	assert.NotContains(t, before, 0)
	assert.Greater(t, round, 4, "ADDING, ACTIVE, REMOVING and the removal are a write each")
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
