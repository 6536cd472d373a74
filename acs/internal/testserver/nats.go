package testserver

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// natsOptions is the environment variable that makes a test binary a nats-server.
const natsOptions = "MERIDIAN_TEST_NATS"

// Main runs a package's tests, or the nats-server as which a test started this binary. TestMain calls it.
func Main(m *testing.M) {
	options := os.Getenv(natsOptions)
	if options == "" {
		testkit.Main(m)
		return
	}
	if err := serve(options); err != nil {
		fmt.Fprintln(os.Stderr, "nats-server:", err)
		os.Exit(1)
	}
}

// serve runs a server until its standard input ends.
func serve(options string) error {
	var p process
	if err := json.Unmarshal([]byte(options), &p); err != nil {
		return err
	}
	o := &server.Options{
		ServerName: p.Name, Host: "127.0.0.1", Port: p.Port, NoLog: true, NoSigs: true, JetStream: true, StoreDir: p.Dir,
	}
	if len(p.RoutePorts) > 1 {
		o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: p.Route}
		for _, port := range p.RoutePorts {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: address(port)})
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(30*time.Second) || len(p.RoutePorts) > 1 && s.ClusterAddr() == nil {
		return fmt.Errorf("port %d or %d is in use", p.Port, p.Route)
	}
	fmt.Println("up")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// NATS is a nats-server with JetStream, or a cluster of them, each a process of
// its own. TestMain of the package must call Main.
type NATS struct {
	Dir string // has a directory for each server, named by its number

	t         testing.TB
	processes []*process
}

// process is one server. Its exported fields are the server's options.
type process struct {
	Name, Dir   string
	Port, Route int
	RoutePorts  []int // of all servers of the cluster

	cmd *exec.Cmd // nil: not running
}

// StartNATS starts servers with empty directories, and waits until they form a cluster.
func StartNATS(t testing.TB, servers int) *NATS {
	t.Helper()
	testkit.Long(t, "nats", "it starts servers")
	n := &NATS{Dir: t.TempDir(), t: t}
	var routes []int
	for i := range servers {
		routes = append(routes, freePort(t))
		n.processes = append(n.processes, &process{
			Name: fmt.Sprint("n", i), Dir: filepath.Join(n.Dir, strconv.Itoa(i)), Port: freePort(t), Route: routes[i],
		})
	}
	for _, p := range n.processes {
		p.RoutePorts = routes
	}
	t.Cleanup(n.KillAll)
	n.Start()
	js := n.JetStream(0)
	probe := jetstream.StreamConfig{Name: "probe", Replicas: servers, Storage: jetstream.MemoryStorage}
	for deadline := time.Now().Add(time.Minute); ; {
		_, err := js.CreateStream(t.Context(), probe)
		if err == nil {
			err = js.DeleteStream(t.Context(), probe.Name)
		}
		if err == nil {
			return n
		}
		if time.Now().After(deadline) {
			t.Fatalf("nats-server: %v", err)
		}
		<-time.After(20 * time.Millisecond) // then look again
	}
}

// Addr returns the address of server i.
func (n *NATS) Addr(i int) string { return address(n.processes[i].Port) }

// Start starts every server that is not running, with the port and the directory that it had.
func (n *NATS) Start() {
	n.t.Helper()
	for _, p := range n.processes {
		if p.cmd == nil {
			p.start(n.t)
		}
	}
}

func (p *process) start(t testing.TB) {
	t.Helper()
	options, err := json.Marshal(p)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), natsOptions+"="+string(options))
	cmd.Stderr = os.Stderr
	_, noIn := cmd.StdinPipe() // it ends with this process at the latest
	out, noOut := cmd.StdoutPipe()
	if err := errors.Join(err, noIn, noOut, cmd.Start()); err != nil {
		t.Fatalf("nats-server: %v", err)
	}
	p.cmd = cmd
	if _, err = bufio.NewReader(out).ReadString('\n'); err != nil { // "up"
		t.Fatalf("nats-server: %v", err)
	}
}

// KillAll kills every server.
func (n *NATS) KillAll() {
	for i := range n.processes {
		n.Kill(i)
	}
}

// Kill kills server i. It may have ended already.
func (n *NATS) Kill(i int) {
	if p := n.processes[i]; p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait() // how it ended is known
		p.cmd = nil
	}
}

// JetStream opens a connection to server i, and to the others where it is down.
// It reconnects for as long as the test runs.
func (n *NATS) JetStream(i int) jetstream.JetStream {
	n.t.Helper()
	var urls []string
	for k := range n.processes {
		urls = append(urls, "nats://"+n.Addr((i+k)%len(n.processes)))
	}
	nc, err := nats.Connect(strings.Join(urls, ","), nats.DontRandomize(), nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0),
		nats.Timeout(time.Minute))
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

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
