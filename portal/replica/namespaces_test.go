package replica_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A network is a namespace for each Region, and a cable between any two of
// them. Nothing leads out of it.
type network struct {
	regions []string
	prefix  string // of the namespaces' names
}

func newNetwork(t *testing.T, regions ...string) *network {
	t.Helper()
	w := &network{regions, fmt.Sprintf("meridian-%d-", os.Getpid())}
	if out, err := exec.Command("ip", "netns", "add", w.prefix+regions[0]).CombinedOutput(); err != nil {
		testkit.Lacking(t, "netns", fmt.Sprintf("no network namespaces, which take root and iproute2: %v %s", err, out))
	}
	t.Cleanup(func() {
		for _, r := range regions {
			_ = exec.Command("ip", "netns", "del", w.prefix+r).Run()
		}
	})
	for _, r := range regions[1:] {
		w.ip(t, "netns", "add", w.prefix+r)
	}
	for i, a := range regions {
		w.ip(t, "-n", w.prefix+a, "link", "set", "lo", "up")
		for j, b := range regions[:i] {
			w.ip(t, "-n", w.prefix+a, "link", "add", cable(j), "type", "veth", "peer", "name", cable(i), "netns", w.prefix+b)
			w.end(t, i, j)
			w.end(t, j, i)
		}
	}
	return w
}

// cable is the name, in a namespace, of the cable that leads to another one.
func cable(to int) string { return fmt.Sprintf("to-%d", to) }

// address is where a Region is reached from another.
func address(of, from int) string {
	return fmt.Sprintf("10.77.%d.%d", min(of, from)*16+max(of, from), of+1)
}

func (w *network) end(t *testing.T, of, from int) {
	t.Helper()
	name := w.prefix + w.regions[of]
	w.ip(t, "-n", name, "addr", "add", address(of, from)+"/24", "dev", cable(from))
	w.ip(t, "-n", name, "link", "set", cable(from), "up")
}

func (w *network) ip(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("ip", args...).CombinedOutput()
	require.NoError(t, err, "ip %v: %s", args, out)
}

// plug pulls all cables of the first Region, or puts them back.
func (w *network) plug(t *testing.T, state string) {
	t.Helper()
	for i := range w.regions[1:] {
		w.ip(t, "-n", w.prefix+w.regions[0], "link", "set", cable(i+1), state)
	}
}

// start starts a Region's process in its namespace.
func (w *network) start(t *testing.T, i int, certificate []byte) *child {
	t.Helper()
	j := job{Region: w.regions[i], Dir: t.TempDir(), Listen: "0.0.0.0:4222", Certificate: certificate,
		Peers: map[string]string{}, Pace: 20 * time.Millisecond}
	for k, other := range w.regions {
		if k != i {
			j.Peers[other] = "tls://" + address(k, i) + ":4222"
		}
	}
	return start(t, j, "ip", "netns", "exec", w.prefix+w.regions[i])
}

// certificate is one for all addresses of the network, with its key.
func (w *network) certificate(t *testing.T) []byte {
	t.Helper()
	var hosts []string
	for i := range w.regions {
		for j := range w.regions {
			hosts = append(hosts, address(i, j))
		}
	}
	key := testkit.ECDSAKey("tls")
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t,
		pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: testkit.Certificate(key, time.Now(), hosts...).Raw}))
	require.NoError(t, pem.Encode(&out, &pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return out.Bytes()
}

// Three processes in three network namespaces: the primary's cables are pulled
// while all of them write. What any of them acknowledged is known to all in the
// end. It lasts as long as [partitionLasts] says.
func TestPartitionOfNamespaces(t *testing.T) {
	w := newNetwork(t, virginia, frankfurt, mumbai)
	certificate := w.certificate(t)
	var all []*child
	for i := range w.regions {
		all = append(all, w.start(t, i, certificate))
	}
	for _, c := range all {
		c.tell(t, "await")
		require.Equal(t, "replicated", c.line(t))
	}
	agree := func(of ...*child) replica.Report {
		var digests []replica.Digest
		for _, c := range of {
			digests = append(digests, c.digest(t))
		}
		return replica.Compare(digests...)
	}
	w.plug(t, "down")
	acked := writeFor(t, w.regions, all, partitionLasts(t))
	eventually(t, "those who still hear each other to agree",
		func() bool { return len(agree(all[1:]...).Differences) == 0 })
	assert.NotEmpty(t, agree(all...).Differences, "the network is cut")

	w.plug(t, "up")
	healing := time.Now()
	var r replica.Report
	eventually(t, "zero differences", func() bool {
		r = agree(all...)
		return len(r.Differences) == 0
	})
	healed := time.Since(healing)
	holds(t, all[0].digest(t), acked)
	t.Logf("partition of %v; %d acknowledged; healed in %v; %s", partitionLasts(t), len(acked),
		healed.Round(time.Millisecond), r)
}

// writeFor has every process write for that long, and gives what they
// acknowledged.
func writeFor(t *testing.T, regions []string, all []*child, long time.Duration) map[string]bool {
	t.Helper()
	var mu sync.Mutex
	var reading sync.WaitGroup
	acked, count := map[string]bool{}, make([]int, len(all))
	for i, c := range all {
		c.tell(t, "write")
		reading.Go(func() {
			for {
				line, err := c.lines.ReadString('\n')
				line = strings.TrimSuffix(line, "\n")
				if err != nil || line == "stopped" {
					assert.True(t, err == nil || err == io.EOF, "%v", err)
					return
				}
				if assert.True(t, strings.HasPrefix(line, "ack "), line) {
					mu.Lock()
					acked[parse(t, regions[i], line)] = true
					count[i]++
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(long) // what is tested takes time
	for _, c := range all {
		c.tell(t, "stop")
	}
	reading.Wait()
	for i, k := range count {
		assert.Positive(t, k, "writes of %s", regions[i])
	}
	return acked
}
