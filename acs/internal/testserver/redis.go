package testserver

import (
	"context"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// Redis is a redis-server process of the test's own.
type Redis struct {
	Addr string

	t       testing.TB
	program string
	args    []string
	cmd     *exec.Cmd
}

// StartRedis starts one with an empty folder; args are more of its settings.
// The kind of the program is "redis" (testkit.RequireProgram).
func StartRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	return startRedis(t, "redis-server", "redis", args)
}

// StartValkey is StartRedis for valkey-server, whose kind is "valkey".
func StartValkey(t testing.TB, args ...string) *Redis {
	t.Helper()
	return startRedis(t, "valkey-server", "valkey", args)
}

func startRedis(t testing.TB, name, kind string, args []string) *Redis {
	t.Helper()
	program := testkit.RequireProgram(t, kind, name)
	port := freePort(t)
	r := &Redis{
		Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), t: t, program: program,
		args: append([]string{
			"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", t.TempDir(),
			"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
		}, args...),
	}
	t.Cleanup(r.Kill)
	r.Start()
	return r
}

// Start starts it again, after Stop or Kill, in the same folder.
func (r *Redis) Start() {
	r.t.Helper()
	r.cmd = exec.Command(r.program, r.args...)
	var out strings.Builder
	r.cmd.Stdout, r.cmd.Stderr = &out, &out
	if err := r.cmd.Start(); err != nil {
		r.t.Fatalf("redis-server: %v", err)
	}
	c := redis.NewClient(&redis.Options{Addr: r.Addr, MaxRetries: -1})
	defer c.Close()
	for limit := time.Now().Add(20 * time.Second); ; {
		if c.Ping(context.Background()).Err() == nil {
			return
		}
		if time.Now().After(limit) {
			r.Kill()
			r.t.Fatalf("redis-server does not answer: %s", out.String())
		}
		<-time.After(10 * time.Millisecond) // then look again
	}
}

// Stop ends it as an operator would: what its settings say is saved.
func (r *Redis) Stop() { r.end(os.Interrupt) }

// Kill ends it at once. It may have ended already.
func (r *Redis) Kill() { r.end(os.Kill) }

func (r *Redis) end(how os.Signal) {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Signal(how)
	_ = r.cmd.Wait() // it says how it ended, which is known
	r.cmd = nil
}

// Client is a connection of its own, closed when the test ends. It is patient:
// a busy machine may keep an answer for longer than the client's defaults.
func (r *Redis) Client() *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: r.Addr, ReadTimeout: time.Minute, WriteTimeout: time.Minute, PoolTimeout: time.Minute})
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// OrElse dials this server, or the other one when this one is down: a
// failover as the clients see it.
func (r *Redis) OrElse(other *Redis) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		if c, err := d.DialContext(ctx, "tcp", r.Addr); err == nil {
			return c, nil
		}
		return d.DialContext(ctx, "tcp", other.Addr)
	}
}

// givenPorts are the ports that freePort has returned: each is for one server alone.
var givenPorts sync.Map

// freePort is one that was free a moment ago. It is outside of what systems
// give to whoever asks for any port, so it is likely to be free still when a
// server comes to it, or comes back; and a Redis cluster's node, which takes a
// second port 10,000 above, refuses to start with one over 55,535.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 12000 + rand.IntN(10000)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = l.Close()
			if _, given := givenPorts.LoadOrStore(port, true); !given {
				return port
			}
		}
	}
	t.Fatal("no free port on loopback")
	return 0
}
