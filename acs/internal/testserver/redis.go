package testserver

import (
	"context"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// Redis is a redis-server or valkey-server process.
type Redis struct {
	Addr string

	t       testing.TB
	program string
	args    []string
	cmd     *exec.Cmd // nil: not running
}

// StartRedis starts a redis-server with an empty directory; args are more settings.
func StartRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	return StartLikeRedis(t, "redis", args...)
}

// StartLikeRedis is StartRedis for another kind of server, "valkey" (testkit.RequireProgram).
func StartLikeRedis(t testing.TB, kind string, args ...string) *Redis {
	t.Helper()
	program := testkit.RequireProgram(t, kind, kind+"-server")
	port := freePort(t)
	r := &Redis{
		Addr: address(port), t: t, program: program,
		args: append([]string{
			"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", t.TempDir(),
			"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
		}, args...),
	}
	t.Cleanup(r.Kill)
	r.Start()
	return r
}

// Start starts the server again after Kill, in the same directory.
func (r *Redis) Start() {
	r.t.Helper()
	cmd := exec.Command(r.program, r.args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		r.t.Fatalf("redis-server: %v", err)
	}
	r.cmd = cmd
	c := redis.NewClient(&redis.Options{Addr: r.Addr, MaxRetries: -1})
	defer c.Close()
	for deadline := time.Now().Add(20 * time.Second); ; {
		if c.Ping(context.Background()).Err() == nil {
			return
		}
		if time.Now().After(deadline) {
			r.Kill()
			r.t.Fatalf("redis-server does not answer: %s", out.String())
		}
		<-time.After(10 * time.Millisecond) // then look again
	}
}

// Kill kills the server. It may have ended already.
func (r *Redis) Kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait() // how it ended is known
		r.cmd = nil
	}
}

// Client opens a connection, which is closed when the test ends. Its timeouts are long enough for slow machines.
func (r *Redis) Client() *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: r.Addr, ReadTimeout: time.Minute, WriteTimeout: time.Minute, PoolTimeout: time.Minute,
	})
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// OrElse dials this server, or the other one if this one is down: a failover as clients see it.
func (r *Redis) OrElse(other *Redis) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		if c, err := d.DialContext(ctx, "tcp", r.Addr); err == nil {
			return c, nil
		}
		return d.DialContext(ctx, "tcp", other.Addr)
	}
}

// givenPorts holds the ports that freePort has returned: each is for one server alone.
var givenPorts sync.Map

// freePort returns a port that was free a moment ago. It is below the range of ephemeral ports, so
// that it is likely to be free still when a server starts, or starts again. A node of a Redis cluster
// takes a second port 10,000 above, and refuses to start with one over 55,535.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 12000 + rand.IntN(10000)
		if l, err := net.Listen("tcp", address(port)); err == nil {
			_ = l.Close()
			if _, given := givenPorts.LoadOrStore(port, true); !given {
				return port
			}
		}
	}
	t.Fatal("no free port on loopback")
	return 0
}
