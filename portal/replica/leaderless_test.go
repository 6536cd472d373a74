package replica_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A cluster without a leader, or with two, loses requests, and gives outdated answers.

// A loser loses, on a link from a Node to its server, the answer to the first
// request to a subject that begins with prefix: it redirects it to a subject
// without a listener. The length of the request stays.
type loser struct {
	prefix string
	lost   atomic.Bool
}

func (l *loser) change(b []byte) []byte {
	_, request, found := bytes.Cut(b, []byte(" "+l.prefix))
	if inbox := bytes.IndexByte(request, ' '); found && inbox >= 0 && l.lost.CompareAndSwap(false, true) {
		b = bytes.Clone(b)
		b[len(b)-len(request)+inbox+1] = 'x'
	}
	return b
}

// Any request of a Node that starts may be lost once. The Node repeats it.
func TestOpenAsksAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 1)
	c.node(t, virginia).Close() // so that the streams are there
	for _, api := range []string{"STREAM.NAMES", "STREAM.INFO.KV_config_", "STREAM.INFO.revoked_",
		"STREAM.MSG.GET.KV_config_"} {
		t.Run(api, func(t *testing.T) {
			t.Parallel() // each waits for an answer that doesn't come
			l := &loser{prefix: "$JS.API." + api}
			cfg := c.config(virginia)
			cfg.URL = "nats://" + newLink(t, c.address(0), l.change).Addr().String()
			cfg.Options = append(cfg.Options, nats.IgnoreDiscoveredServers())
			n := open(t, cfg)
			assert.True(t, l.lost.Load())
			assert.Len(t, n.View().Snapshot().Data().Users, 2)
		})
	}
}

// A follower that claims to know more of a stream than the server says there is
// gets no answer. In a cluster it may have met a leader that was deposed and
// hasn't noticed, so it is not reported at once.
func TestFollowersAheadOfACluster(t *testing.T) {
	t.Parallel()
	const ahead = "the follower is ahead in this stream"
	const claims = "which has no proof"
	for _, test := range []struct {
		servers int
		refusal string
		reports int
	}{{1, claims, 1}, {3, ahead, 0}} {
		t.Run(fmt.Sprint(test.servers), func(t *testing.T) {
			c := newCluster(t, virginia, test.servers)
			cfg := c.config(virginia)
			var log logged
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			n := open(t, cfg)
			signIn(t, n, "u-1", "s-1")
			nc := c.peer(t)
			ask := func(store string, after uint64) (a struct {
				Store, Error string
				After, Last  uint64
				Messages     []struct{ Seq uint64 }
			}) {
				t.Helper()
				eventually(t, "an answer", func() bool { // a leader may take its time, or change
					m, err := nc.Request("meridian.follow."+virginia,
						fmt.Appendf(nil, `{"line":"sessions","from":"eu-central-1","store":%q,"after":%d,"nonce":"n",`+
							`"format":1,"reads":1}`, store, after), hang)
					require.NoError(t, err)
					a.Messages, a.Error = nil, ""
					require.NoError(t, json.Unmarshal(m.Data, &a))
					return a.Error == "" || strings.Contains(a.Error, test.refusal)
				})
				return a
			}
			first := ask("", 0)
			require.Empty(t, first.Error)
			require.Len(t, first.Messages, 1)
			more := ask(first.Store, first.Last+100)
			assert.Contains(t, more.Error, test.refusal)
			assert.Empty(t, more.Messages)
			assert.Equal(t, test.reports, log.count("makes a claim without a proof"))
			assert.Empty(t, ask(first.Store, first.Last).Error, "one that is not ahead is answered")
		})
	}
}

// peer is a connection with what a follower may do.
func (c *cluster) peer(t *testing.T) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(c.urls, nats.UserInfo("peer", secret), nats.CustomInboxPrefix("_PEER"))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	return nc
}

func (c *cluster) address(i int) string { return fmt.Sprintf("127.0.0.1:%d", c.options[i].Port) }
