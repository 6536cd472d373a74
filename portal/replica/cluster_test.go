package replica_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A cluster is a Region's own NATS servers, which belong to no Node.
type cluster struct {
	options []*server.Options
	servers []*server.Server
	urls    string
}

const nodePassword = "the password of the Region's own nodes"

func newCluster(t *testing.T, region string, size int) *cluster {
	t.Helper()
	c := &cluster{servers: make([]*server.Server, size)}
	c.options, c.urls = clusterSpec{region, t.TempDir(), freePorts(t, 2*size)}.options()
	t.Cleanup(func() {
		for i := range c.servers {
			c.stop(i)
		}
	})
	for i := range size {
		c.start(t, i)
	}
	c.await(t)
	return c
}

// A clusterSpec is what the servers of a cluster are made from. Half of the
// ports are for clients, half for the servers themselves.
type clusterSpec struct {
	Region, Dir string
	Ports       []int
}

func (c clusterSpec) options() (out []*server.Options, urls string) {
	publish, subscribe := replica.PeerPermissions(c.Region)
	users := []*server.User{
		{Username: "meridian", Password: nodePassword},
		{Username: "peer", Password: secret, Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: publish}, Subscribe: &server.SubjectPermission{Allow: subscribe},
		}},
	}
	size := len(c.Ports) / 2
	var routes []*url.URL
	var all []string
	for i := range size {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", c.Ports[size+i])})
		all = append(all, fmt.Sprintf("nats://127.0.0.1:%d", c.Ports[i]))
	}
	for i := range size {
		o := &server.Options{
			ServerName: fmt.Sprintf("%s-%d", c.Region,
				i), Host: "127.0.0.1", Port: c.Ports[i], NoLog: true, NoSigs: true, Users: users,
			JetStream: true, StoreDir: filepath.Join(c.Dir, fmt.Sprint(i)), SyncAlways: true, MaxPayload: 1 << 20,
		}
		if size > 1 {
			o.Cluster, o.Routes = server.ClusterOpts{Name: c.Region, Host: "127.0.0.1", Port: c.Ports[size+i]}, routes
		}
		out = append(out, o)
	}
	return out, strings.Join(all, ",")
}

// natsProcess is one server of a cluster, as a process that can be frozen. It
// ends with its standard input.
func natsProcess(spec string, in io.Reader) error {
	var which struct {
		clusterSpec
		Index int
	}
	if err := json.Unmarshal([]byte(spec), &which); err != nil {
		return err
	}
	all, _ := which.options()
	s, err := server.NewServer(all[which.Index])
	if err != nil {
		return err
	}
	s.Start()
	_, err = io.Copy(io.Discard, in)
	s.Shutdown()
	return err
}

// givenPorts are the ports that freePorts has returned.
var givenPorts sync.Map

// freePorts finds free ports, each for one test of this process. They are outside of the range that
// systems use for sockets that are bound to any port, so they stay free until a server uses them.
func freePorts(t *testing.T, count int) (out []int) {
	t.Helper()
	for range 100 {
		if len(out) == count {
			return out
		}
		port := 12000 + rand.N(18000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = l.Close()
			if _, given := givenPorts.LoadOrStore(port, true); !given {
				out = append(out, port)
			}
		}
	}
	require.FailNow(t, "no free ports on loopback")
	return nil
}

func (c *cluster) start(t *testing.T, i int) {
	t.Helper()
	s, err := server.NewServer(c.options[i].Clone())
	require.NoError(t, err)
	s.Start()
	c.servers[i] = s
}

func (c *cluster) stop(i int) {
	if s := c.servers[i]; s != nil {
		s.Shutdown()
		s.WaitForShutdown()
		c.servers[i] = nil
	}
}

// await waits until all servers are up and one of them leads the others.
func (c *cluster) await(t *testing.T) {
	t.Helper()
	eventually(t, "a cluster with a leader", func() bool {
		leader := false
		for _, s := range c.servers {
			if !s.ReadyForConnections(time.Second) || !s.JetStreamIsCurrent() {
				return false
			}
			leader = leader || len(c.servers) == 1 || s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == len(c.servers)
		}
		return leader
	})
}

// config is that of a Node of the Region; several share the cluster.
func (c *cluster) config(region string) replica.Config {
	return clusterConfig(region, c.urls, len(c.servers))
}

func clusterConfig(region, urls string, replicas int) replica.Config {
	cfg := configOf(region, "")
	cfg.Listen, cfg.URL, cfg.Replicas = "", urls, replicas
	cfg.Options = []nats.Option{nats.UserInfo("meridian", nodePassword), nats.ReconnectWait(20 * time.Millisecond),
		nats.ReconnectJitter(0, 0)}
	return cfg
}

func (c *cluster) node(t *testing.T, region string) *replica.Node {
	t.Helper()
	return open(t, c.config(region))
}

// streams is what the operator of the servers can reach.
func (c *cluster) streams(t *testing.T) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(c.urls, nats.UserInfo("meridian", nodePassword), nats.Timeout(hang))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return js
}

// A Region of two nodes has a cluster of three servers. Both nodes write, and
// another Region follows and writes too, while one server after the other is
// stopped and started again. Nothing that was acknowledged is missing anywhere,
// and a node that comes later knows it too.
func TestServersOfAClusterStopInTurn(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 3)
	one := c.node(t, virginia)
	two := c.node(t, virginia)
	eu := open(t, configOf(frankfurt, t.TempDir()))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: c.urls}))
	for _, n := range []*replica.Node{one, two} {
		require.NoError(t, n.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
		require.NoError(t, n.Ready(background(t)))
	}
	require.NoError(t, eu.Ready(background(t)))

	w := newWriters(one, two, eu)
	for i := range c.servers {
		w.await(t, 30)
		c.stop(i)
		w.await(t, 30)
		c.start(t, i)
		c.await(t)
	}
	three := c.node(t, virginia) // while the others write
	w.end()
	require.NoError(t, three.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))

	for _, n := range []*replica.Node{one, two, three} {
		r, err := replica.Check(background(t), n, eu)
		require.NoError(t, err, r.String())
		holds(t, n.Digest(), w.acked)
	}
	t.Logf("%d acknowledged, %d refused", len(w.acked), w.refused)
}

// writers write in every Node until they are told to stop, and record what was acknowledged.
type writers struct {
	mu      sync.Mutex
	acked   map[string]bool
	by      []int // by Node
	refused int
	stop    chan struct{}
	writing sync.WaitGroup
}

func newWriters(nodes ...*replica.Node) *writers {
	w := &writers{acked: map[string]bool{}, by: make([]int, len(nodes)), stop: make(chan struct{})}
	for k, n := range nodes {
		w.writing.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-w.stop:
					return
				case <-time.After(5 * time.Millisecond): // the pace of the load
				}
				kind, id := []int{0, 2, 6, 7}[i%4], fmt.Sprintf("w%d-%d", k, i)
				err := act(n, kind, id)
				w.mu.Lock()
				if err == nil {
					w.acked[item(n.Region(), kind, id)] = true
					w.by[k]++
				} else {
					w.refused++
				}
				w.mu.Unlock()
			}
		})
	}
	return w
}

// await waits until every Node has had so many more writes acknowledged.
func (w *writers) await(t *testing.T, more int) {
	t.Helper()
	w.mu.Lock()
	goal := make([]int, len(w.by))
	for k := range w.by {
		goal[k] = w.by[k] + more
	}
	w.mu.Unlock()
	eventually(t, "writes of all nodes", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for k := range w.by {
			if w.by[k] < goal[k] {
				return false
			}
		}
		return true
	})
}

func (w *writers) end() {
	close(w.stop)
	w.writing.Wait()
}
