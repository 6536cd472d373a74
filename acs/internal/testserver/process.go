package testserver

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// spec is the environment variable that makes a test's binary a nats-server.
const spec = "MERIDIAN_TEST_NATS"

// Main runs a package's tests. Where the binary is a server that a test started,
// as a process that can be killed, it is that. TestMain calls it.
func Main(m *testing.M) {
	text := os.Getenv(spec)
	if text == "" {
		testkit.Main(m)
		return
	}
	if err := serve(text); err != nil {
		fmt.Fprintln(os.Stderr, "nats-server:", err)
		os.Exit(1)
	}
}

// serve is a server until its standard input ends, as it does with the test.
func serve(text string) error {
	var p process
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	s, err := server.NewServer(p.options())
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(30*time.Second) || len(p.RoutePorts) > 1 && s.ClusterAddr() == nil {
		return fmt.Errorf("port %d or %d is taken", p.Port, p.Route)
	}
	fmt.Println("up")
	_, err = io.Copy(io.Discard, os.Stdin)
	s.Shutdown()
	return err
}

// process is a nats-server in a process of its own.
type process struct {
	Name, Dir  string
	Port       int
	Route      int
	RoutePorts []int // of all servers of the cluster

	cmd *exec.Cmd
	in  io.Closer
}

func (p *process) options() *server.Options {
	o := &server.Options{ServerName: p.Name, Host: "127.0.0.1", Port: p.Port, NoLog: true, NoSigs: true, JetStream: true, StoreDir: p.Dir}
	if len(p.RoutePorts) > 1 {
		o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: p.Route}
		for _, port := range p.RoutePorts {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
		}
	}
	return o
}

// NATSProcesses is a nats-server, or a cluster of them, each a process that can
// be killed. The package's TestMain has to call Main.
type NATSProcesses struct {
	t   testing.TB
	all []*process
}

// StartNATSProcesses starts so many servers, with empty folders.
func StartNATSProcesses(t testing.TB, servers int) *NATSProcesses {
	t.Helper()
	n := &NATSProcesses{t: t}
	dir := t.TempDir()
	var routes []int
	for i := range servers {
		routes = append(routes, freePort(t))
		n.all = append(n.all, &process{Name: fmt.Sprint("n", i), Dir: filepath.Join(dir, fmt.Sprint(i)), Port: freePort(t), Route: routes[i]})
	}
	t.Cleanup(func() {
		for i := range n.all {
			n.Kill(i)
		}
	})
	for i, p := range n.all {
		p.RoutePorts = routes
		n.Start(i)
	}
	js := n.JetStream()
	for limit := time.Now().Add(time.Minute); ; {
		if _, err := js.AccountInfo(t.Context()); err == nil {
			return n
		} else if time.Now().After(limit) {
			t.Fatalf("nats-server: %v", err)
		}
		<-time.After(20 * time.Millisecond) // then look again
	}
}

// Len is how many servers there are.
func (n *NATSProcesses) Len() int { return len(n.all) }

// Start starts server i, with the port and the folder that it had.
func (n *NATSProcesses) Start(i int) {
	n.t.Helper()
	p := n.all[i]
	text, err := json.Marshal(p)
	if err != nil {
		n.t.Fatal(err)
	}
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), spec+"="+string(text))
	p.cmd.Stderr = os.Stderr
	var out io.Reader
	if p.in, err = p.cmd.StdinPipe(); err == nil {
		if out, err = p.cmd.StdoutPipe(); err == nil {
			err = p.cmd.Start()
		}
	}
	if err == nil {
		_, err = bufio.NewReader(out).ReadString('\n') // "up"
	}
	if err != nil {
		n.t.Fatalf("nats-server: %v", err)
	}
}

// Kill ends server i at once. It may have ended already.
func (n *NATSProcesses) Kill(i int) {
	if p := n.all[i]; p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait() // it says how it ended, which is known
		p.cmd = nil
	}
}

// JetStream is a connection of its own, which reconnects for as long as the test
// runs.
func (n *NATSProcesses) JetStream() jetstream.JetStream {
	n.t.Helper()
	var urls []string
	for _, p := range n.all {
		urls = append(urls, fmt.Sprintf("nats://127.0.0.1:%d", p.Port))
	}
	nc, err := nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true),
		nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0), nats.Timeout(time.Minute))
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
