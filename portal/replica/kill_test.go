package replica_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// TestMain lets the test's own binary be a Region's process, which can then
// be killed.
func TestMain(m *testing.M) {
	if os.Getenv("MERIDIAN_PROCESS") != "" {
		if err := process(os.Getenv("MERIDIAN_PROCESS"), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// A job is what a process of the primary is given.
type job struct {
	Dir, Listen string
	Peers       map[string]string
	Round       int
}

// process is the primary. It says "ready", then does as it is told: "write"
// makes it write until it dies, saying what was acknowledged; "digest" makes
// it say what it knows.
func process(spec string, in io.Reader, out io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(spec), &j); err != nil {
		return err
	}
	c := configOf(virginia, j.Dir)
	c.Listen, c.Peers = j.Listen, map[string]replica.Peer{}
	for region, url := range j.Peers {
		c.Peers[region] = replica.Peer{URL: url}
	}
	t := &testing.T{} // for a context; nothing fails through it
	n, err := replica.Open(background(t), c)
	if err != nil {
		return err
	}
	defer n.Close()
	var mu sync.Mutex
	say := func(format string, v ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, format+"\n", v...)
	}
	say("ready")
	for lines := bufio.NewScanner(in); lines.Scan(); {
		switch lines.Text() {
		case "write":
			for w := range 8 {
				go func() {
					for i := 0; ; i++ {
						id := fmt.Sprintf("r%d-w%d-%d", j.Round, w, i)
						if err := act(n, w, id); err != nil {
							say("error %s: %v", id, err)
							return
						}
						say("ack %d %s", w, id)
					}
				}()
			}
		case "digest":
			b, err := json.Marshal(n.Digest())
			if err != nil {
				return err
			}
			say("digest %s", b)
		}
	}
	return nil
}

// act is one acknowledged write: configuration by two of the writers, sessions
// and what ends them by the others.
func act(n *replica.Node, w int, id string) error {
	t := &testing.T{}
	ctx := background(t)
	switch {
	case w < 2:
		return n.View().Update(putUser(center.User{ID: id, UserName: id, Active: true}))
	case w < 6:
		return n.Sessions().Create(ctx, "key-"+id, at(n, session("u-1", id, nil)))
	case w == 6:
		return n.Sessions().EndSignIn(ctx, "u-1", id, time.Now().Add(time.Hour))
	}
	return n.Sessions().RevokeUser(ctx, id)
}

// item is where what was acknowledged stands in a digest.
func item(region string, w int, id string) string {
	switch {
	case w < 2:
		return "instance user " + id
	case w < 6:
		return "session " + region + " key-" + id
	case w == 6:
		return fmt.Sprintf("signed out %q %q", "u-1", id)
	}
	return fmt.Sprintf("epoch %q", id)
}

type child struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
}

func start(t *testing.T, j job) *child {
	t.Helper()
	spec, err := json.Marshal(j)
	require.NoError(t, err)
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), "MERIDIAN_PROCESS="+string(spec))
	c.cmd.Stderr = os.Stderr
	c.in, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.lines = bufio.NewReaderSize(out, 1<<20)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(c.kill)
	require.Equal(t, "ready", c.line(t))
	return c
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	s, err := c.lines.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(s, "\n")
}

func (c *child) tell(t *testing.T, what string) {
	t.Helper()
	_, err := io.WriteString(c.in, what+"\n")
	require.NoError(t, err)
}

// kill is SIGKILL, by the process's own ID.
func (c *child) kill() {
	if c.cmd.ProcessState == nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	}
}

func (c *child) digest(t *testing.T) (d replica.Digest) {
	t.Helper()
	c.tell(t, "digest")
	text, ok := strings.CutPrefix(c.line(t), "digest ")
	require.True(t, ok)
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	return d
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// The primary is killed in the middle of its work, again and again. Nothing
// that it acknowledged is missing anywhere, and the other Regions serve and
// write throughout.
func TestKilledPrimaryLosesNothingAcknowledged(t *testing.T) {
	eu := open(t, configOf(frankfurt, t.TempDir()))
	ap := open(t, configOf(mumbai, t.TempDir()))
	j := job{Dir: t.TempDir(), Listen: freePort(t), Peers: map[string]string{frankfurt: eu.Addr(), mumbai: ap.Addr()}}
	for _, n := range []*replica.Node{eu, ap} {
		require.NoError(t, n.AddPeer(virginia, replica.Peer{URL: "nats://" + j.Listen}))
	}
	require.NoError(t, eu.AddPeer(mumbai, replica.Peer{URL: ap.Addr()}))
	require.NoError(t, ap.AddPeer(frankfurt, replica.Peer{URL: eu.Addr()}))

	acked := map[string]bool{}
	for j.Round = range 4 {
		primary := start(t, j)
		require.NoError(t, eu.Ready(background(t)))
		require.NoError(t, ap.Ready(background(t)))
		primary.tell(t, "write")
		for range 50 + rand.N(400) {
			acked[parse(t, primary.line(t))] = true
		}
		require.NoError(t, primary.cmd.Process.Kill())
		for { // what it still said before it died
			s, err := primary.lines.ReadString('\n')
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			acked[parse(t, strings.TrimSuffix(s, "\n"))] = true
		}
		primary.kill()
		for _, n := range []*replica.Node{eu, ap} {
			id := fmt.Sprintf("%s-%d", n.Region(), j.Round)
			require.NoError(t, act(n, 2, id))
			require.NoError(t, act(n, 7, id))
			acked[item(n.Region(), 2, id)], acked[item(n.Region(), 7, id)] = true, true
		}
	}
	primary := start(t, j)
	var r replica.Report
	eventually(t, "zero differences", func() bool {
		r = replica.Compare(primary.digest(t), eu.Digest(), ap.Digest())
		return len(r.Differences) == 0
	})
	d := primary.digest(t)
	for what := range acked {
		assert.Contains(t, d.Items, what, "acknowledged, and missing")
	}
	t.Logf("%d acknowledged; %s", len(acked), r)
}

func parse(t *testing.T, line string) string {
	t.Helper()
	var w int
	var id string
	_, err := fmt.Sscanf(line, "ack %d %s", &w, &id)
	require.NoError(t, err, line)
	return item(virginia, w, id)
}
