package replica_test

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/keys"
	"github.com/meridian-saml/meridian/portal/replica"
)

// TestMain lets the test's own binary be a Region's process, which can then
// be killed.
func TestMain(m *testing.M) {
	if os.Getenv("MERIDIAN_NATS") != "" {
		if err := natsProcess(os.Getenv("MERIDIAN_NATS"), os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv("MERIDIAN_PROCESS") != "" {
		if err := process(os.Getenv("MERIDIAN_PROCESS"), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	testkit.MainLong(m, "they start servers and processes")
}

// A job is what a Region's process is given.
type job struct {
	Region      string // empty: the primary
	Dir, Listen string
	Peers       map[string]string
	Certificate []byte // PEM, with its key: for TLS, and trusted. Empty: none
	Round       int
	URL         string        // of NATS servers of its own; then Dir and Listen count for nothing
	Pace        time.Duration // between two writes of a writer
	Know        []string      // kinds of a later version, which it plays
	// Ring and Key are the file of a Ring, and the key in it: the Region is sealed. Empty: it isn't.
	Ring, Key string
	Backup    string   // the file of a backup to restore. Empty: none
	Recover   []string // with it; empty: Restored
	Alone     bool     // the primary begins without additional Regions
	Later     bool     // plays a version that speaks format 2 alone
	Audit     string   // directory of its events; empty: none
}

// process is a Region. It says "ready", then does as it is told: "write" makes
// it write until it dies or is told to "stop", saying what was acknowledged;
// "digest" makes it say what it knows, and "await" when it has replicated.
func process(spec string, in io.Reader, out io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(spec), &j); err != nil {
		return err
	}
	c, err := j.config()
	if err != nil {
		return err
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
	var stopped atomic.Bool
	var writers sync.WaitGroup
	for lines := bufio.NewScanner(in); lines.Scan(); {
		switch lines.Text() {
		case "await":
			if err := n.Ready(background(t)); err != nil {
				return err
			}
			say("replicated")
		case "write":
			for w := range 8 {
				writers.Go(func() {
					for i := 0; i == 0 || !stopped.Load(); i++ {
						id := fmt.Sprintf("%sr%d-w%d-%d", j.Region, j.Round, w, i)
						var slow *replica.Error
						// After Unavailable it may be written, and is not acknowledged.
						if err := act(n, w, id); err == nil {
							say("ack %d %s", w, id)
						} else if !errors.As(err, &slow) || slow.Reason != replica.ReasonUnavailable {
							say("error %s: %v", id, err)
							return
						}
						time.Sleep(j.Pace)
					}
				})
			}
		case "stop":
			stopped.Store(true)
			writers.Wait()
			say("stopped")
		case "digest":
			b, err := json.Marshal(n.Digest())
			if err != nil {
				return err
			}
			say("digest %s", b)
		default:
			say("%s", obey(n, lines.Text()))
		}
	}
	return nil
}

func (j job) config() (replica.Config, error) {
	c := configOf(cmp.Or(j.Region, virginia), j.Dir)
	c.Listen, c.Peers = j.Listen, map[string]replica.Peer{}
	if j.URL != "" {
		c.Dir, c.Listen, c.URL = "", "", j.URL
	}
	if j.Alone {
		a := alone(j.Dir)
		c.Seed, c.RemoveAfter = a.Seed, a.RemoveAfter
	}
	c.Now = mortalNow
	replica.Know(&c, j.Know...)
	if j.Later {
		replica.Understand(&c, 2, 2, 2)
	}
	if j.Audit != "" {
		var err error
		if c.Audit, err = audit.Open(auditConfig(c.Region, j.Audit)); err != nil {
			return c, err
		}
	}
	if j.Ring != "" {
		r, err := keys.OpenRing(keys.RingConfig{Path: j.Ring, Region: c.Region, Key: make([]byte, 32)})
		if err != nil {
			return c, err
		}
		s, err := keys.NewSealer(keys.Config{Key: r.Use(j.Key, "portal"), Instance: "ssoins-1"})
		if err != nil {
			return c, err
		}
		c.InsecurePlaintext, c.Sealer = false, s
	}
	if j.Backup != "" {
		b, err := os.ReadFile(j.Backup)
		if err != nil {
			return c, err
		}
		c.Backup, c.Recover, c.Restored, c.Seed = bytes.NewReader(b), j.Recover, len(j.Recover) == 0, center.Data{}
	}
	var trust *tls.Config
	if len(j.Certificate) > 0 {
		own, err := tls.X509KeyPair(j.Certificate, j.Certificate)
		if err != nil {
			return c, err
		}
		c.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
		trust = &tls.Config{RootCAs: x509.NewCertPool()}
		trust.RootCAs.AppendCertsFromPEM(j.Certificate)
	}
	for region, url := range j.Peers {
		c.Peers[region] = replica.Peer{URL: url, TLS: trust}
	}
	return c, nil
}

// act is one acknowledged write: configuration by two of the writers (of the
// primary users, of others their applications), sessions and what ends them
// by the others.
func act(n *replica.Node, w int, id string) error {
	t := &testing.T{}
	ctx := background(t)
	switch {
	case w < 2 && n.Region() != virginia:
		return n.View().Update(func(tx *center.Tx) error {
			return tx.PutApplication(center.Application{ID: id, Name: id, URL: "https://app.example", Region: n.Region()})
		})
	case w < 2:
		return n.View().Update(putUser(center.User{ID: id, UserName: id}))
	case w < 6:
		return n.Sessions().Create(ctx, "key-"+id, at(n, session("u-1", id, nil)))
	case w == 6:
		return n.Sessions().EndSignIn(ctx, "u-1", id, time.Now().Add(time.Hour))
	}
	return n.Sessions().RevokeUser(ctx, id)
}

// item is the item of an acknowledged write in a digest.
func item(region string, w int, id string) string {
	switch {
	case w < 2 && region != virginia:
		return "instance application " + id
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

// start starts a process, as an argument of the command before if there is one.
func start(t *testing.T, j job, before ...string) *child {
	t.Helper()
	return startOf(t, os.Args[0], j, before...)
}

// startOf starts a process of a version's program.
func startOf(t *testing.T, program string, j job, before ...string) *child {
	t.Helper()
	spec, err := json.Marshal(j)
	require.NoError(t, err)
	command := append(before, program)
	c := &child{cmd: exec.Command(command[0], command[1:]...)}
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

// parse gives what was acknowledged by a line of a Region's process.
func parse(t *testing.T, region, line string) string {
	t.Helper()
	var w int
	var id string
	_, err := fmt.Sscanf(line, "ack %d %s", &w, &id)
	require.NoError(t, err, line)
	return item(region, w, id)
}
