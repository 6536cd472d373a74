package replica_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// The primary is killed in the middle of its work, again and again. Nothing
// that it acknowledged is missing anywhere, and the other Regions serve and
// write throughout.
func TestKilledPrimaryLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	eu := open(t, configOf(frankfurt, t.TempDir()))
	ap := open(t, configOf(mumbai, t.TempDir()))
	j := job{Dir: t.TempDir(), Listen: fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0]),
		Peers: map[string]string{frankfurt: eu.Addr(), mumbai: ap.Addr()}}
	for _, n := range []*replica.Node{eu, ap} {
		require.NoError(t, n.AddPeer(background(t), virginia, replica.Peer{URL: "nats://" + j.Listen}))
	}
	require.NoError(t, eu.AddPeer(background(t), mumbai, replica.Peer{URL: ap.Addr()}))
	require.NoError(t, ap.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))

	acked := map[string]bool{}
	for j.Round = range 4 {
		primary := start(t, j)
		require.NoError(t, eu.Ready(background(t)))
		require.NoError(t, ap.Ready(background(t)))
		primary.tell(t, "write")
		for range 50 + rand.N(400) {
			acked[parse(t, virginia, primary.line(t))] = true
		}
		require.NoError(t, primary.cmd.Process.Kill())
		for { // what it still said before it died
			s, err := primary.lines.ReadString('\n')
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			acked[parse(t, virginia, strings.TrimSuffix(s, "\n"))] = true
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
	holds(t, primary.digest(t), acked)
	t.Logf("%d acknowledged; %s", len(acked), r)
}
