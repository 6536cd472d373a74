package testserver

import (
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// NATS is one embedded nats-server with JetStream, or a cluster of them.
type NATS struct {
	Dir string // each server has a folder below it

	t       testing.TB
	options []*server.Options
	servers []*server.Server
}

// StartNATS starts so many servers, with empty folders.
func StartNATS(t testing.TB, servers int) *NATS {
	t.Helper()
	n := &NATS{Dir: t.TempDir(), t: t, servers: make([]*server.Server, servers)}
	var routes []*url.URL
	for range servers {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", freePort(t))})
	}
	for i := range servers {
		o := &server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: freePort(t), NoLog: true, NoSigs: true,
			JetStream: true, StoreDir: filepath.Join(n.Dir, fmt.Sprint(i)),
		}
		if servers > 1 {
			var port int
			if _, err := fmt.Sscanf(routes[i].Port(), "%d", &port); err != nil {
				t.Fatal(err)
			}
			o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}
			o.Routes = routes
		}
		n.options = append(n.options, o)
	}
	t.Cleanup(n.Stop)
	n.Start()
	return n
}

// Start starts all that are not running, with the same ports and folders.
func (n *NATS) Start() {
	n.t.Helper()
	for i := range n.servers {
		if n.servers[i] != nil {
			continue
		}
		s, err := server.NewServer(n.options[i].Clone())
		if err != nil {
			n.t.Fatalf("nats-server: %v", err)
		}
		s.Start()
		n.servers[i] = s
	}
	for limit := time.Now().Add(30 * time.Second); !n.ready(); {
		if time.Now().After(limit) {
			n.t.Fatal("nats-server is not ready")
		}
		<-time.After(10 * time.Millisecond) // then look again
	}
}

// ready is when a leader of JetStream is known, where one is needed.
func (n *NATS) ready() bool {
	leader := len(n.servers) == 1
	for _, s := range n.servers {
		if !s.ReadyForConnections(time.Second) || !s.JetStreamEnabled() {
			return false
		}
		leader = leader || s.JetStreamIsLeader()
	}
	if len(n.servers) == 1 {
		return true
	}
	for _, s := range n.servers {
		if len(s.JetStreamClusterPeers()) < len(n.servers) && s.JetStreamIsLeader() {
			return false
		}
	}
	return leader
}

// Stop stops all.
func (n *NATS) Stop() {
	for i := range n.servers {
		n.StopOne(i)
	}
}

// StopOne stops one.
func (n *NATS) StopOne(i int) {
	if s := n.servers[i]; s != nil {
		s.Shutdown()
		s.WaitForShutdown()
		n.servers[i] = nil
	}
}

// JetStream is a connection of its own, to server i first, which reconnects
// for as long as the test runs.
func (n *NATS) JetStream(i int) jetstream.JetStream {
	n.t.Helper()
	urls := ""
	for k := range n.options {
		urls += fmt.Sprintf(",nats://127.0.0.1:%d", n.options[(i+k)%len(n.options)].Port)
	}
	nc, err := nats.Connect(urls[1:], nats.DontRandomize(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0),
		nats.Timeout(time.Minute)) // a busy machine takes its time
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		n.t.Fatal(err)
	}
	return js
}

// Addr is where server i listens.
func (n *NATS) Addr(i int) string { return fmt.Sprintf("127.0.0.1:%d", n.options[i].Port) }
