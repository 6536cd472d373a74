package replica_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A link is a TCP connection's way that can be cut. A cut link accepts nothing
// and passes nothing on, in silence, as a broken network does; resets come
// when it heals.
type link struct {
	net.Listener
	to     string
	change func([]byte) []byte // of what goes there; nil: nothing

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func newLink(t *testing.T, to string, change func([]byte) []byte) *link {
	t.Helper()
	in, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &link{Listener: in, to: to, change: change}
	t.Cleanup(func() { in.Close(); l.set(false) })
	go func() {
		for {
			a, err := in.Accept()
			if err != nil {
				return
			}
			go l.pass(a)
		}
	}()
	return l
}

func (l *link) pass(a net.Conn) {
	l.mu.Lock()
	l.conns = append(l.conns, a)
	cut := l.cut
	l.mu.Unlock()
	if cut {
		return
	}
	b, err := net.Dial("tcp", l.to)
	if err != nil {
		a.Close()
		return
	}
	l.mu.Lock()
	l.conns = append(l.conns, b)
	l.mu.Unlock()
	go l.pipe(a, b, l.change)
	l.pipe(b, a, nil)
}

func (l *link) pipe(from, to net.Conn, change func([]byte) []byte) {
	buf := make([]byte, 32<<10)
	for {
		k, err := from.Read(buf)
		l.mu.Lock()
		cut := l.cut
		l.mu.Unlock()
		if cut {
			_, _ = io.Copy(io.Discard, from) // swallowed until it heals
			return
		}
		if err == nil {
			out := buf[:k]
			if change != nil {
				out = change(out)
			}
			_, err = to.Write(out)
		}
		if err != nil {
			from.Close()
			to.Close()
			return
		}
	}
}

func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if !cut {
		for _, c := range l.conns {
			c.Close()
		}
		l.conns = nil
	}
}

// partitionLasts is two seconds, or as long as MERIDIAN_PARTITION says, such as
// 1m.
func partitionLasts(t *testing.T) time.Duration {
	t.Helper()
	s := os.Getenv("MERIDIAN_PARTITION")
	if s == "" {
		return 2 * time.Second
	}
	last, err := time.ParseDuration(s)
	require.NoError(t, err)
	return last
}

// The primary is cut off from the others while all of them write what they
// may. When the network is whole again, all Regions know the same. It lasts as
// long as [partitionLasts] says.
func TestPartitionHealsWithoutDifferences(t *testing.T) {
	t.Parallel()
	last := partitionLasts(t)
	us := open(t, configOf(virginia, t.TempDir()))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	ap := open(t, configOf(mumbai, t.TempDir()))
	nodes := []*replica.Node{us, eu, ap}
	var links []*link
	for _, a := range nodes {
		for _, b := range nodes {
			if a == b {
				continue
			}
			url := b.Addr()
			if a == us || b == us {
				l := newLink(t, url[len("nats://"):], nil)
				links = append(links, l)
				url = "nats://" + l.Addr().String()
			}
			require.NoError(t, a.AddPeer(background(t), b.Region(), replica.Peer{URL: url}))
		}
	}
	for _, n := range nodes {
		require.NoError(t, n.Ready(background(t)))
	}
	signIn(t, us, "u-1", "before")
	signIn(t, eu, "u-2", "mine")
	r, err := replica.Check(background(t), nodes...)
	require.NoError(t, err, r.String())

	for _, l := range links {
		l.set(true)
	}
	began := time.Now()
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() {
			for i := 0; i == 0 || time.Since(began) < last; i++ {
				id := fmt.Sprintf("%s-%d", n.Region(), i)
				signIn(t, n, "u-1", id)
				assert.NoError(t, act(n, 6+i%2, id))
				assert.NoError(t, n.View().Update(func(tx *center.Tx) error {
					if n == us {
						return tx.PutUser(center.User{ID: id, UserName: id})
					}
					return tx.PutApplication(center.Application{ID: id, Name: id, URL: "https://app.example", Region: n.Region(),
						AssignedTo: []center.Principal{center.UserPrincipal("u-2")}})
				}))
				time.Sleep(5 * time.Millisecond) // the pace of the load
			}
		})
	}
	wg.Wait()
	eventually(t, "the loss to be noticed", func() bool {
		p := eu.Peers()
		return p[0].State == portal.PeerReplicated && p[1].State == portal.PeerUnreachable &&
			us.Peers()[0].State == portal.PeerUnreachable
	})
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-2") }),
		"whose applications grow elsewhere")
	require.NoError(t, eu.Sessions().RevokeUser(background(t), "u-1"))
	assert.True(t, alive(t, us, "before"), "it can't know")
	eventually(t, "the revocation", func() bool { return !alive(t, ap, "before") })
	assert.NotEmpty(t, replica.Compare(us.Digest(), eu.Digest()).Differences)

	for _, l := range links {
		l.set(false)
	}
	r, err = replica.Check(background(t), nodes...)
	require.NoError(t, err, r.String())
	assert.False(t, alive(t, us, "before"))
	assert.False(t, alive(t, eu, "mine"))
	assert.Empty(t, eu.View().Applications("u-2"))
	assert.NotEmpty(t, us.View().Snapshot().Data().Applications)
	t.Logf("partition of %v; %s; peers of %s: %+v", last, r, eu.Region(), eu.Peers())
}
