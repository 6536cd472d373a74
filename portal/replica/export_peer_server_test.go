package replica

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// MaxSealed and its like are bounds.
const (
	MaxSealed  = maxSealed
	MaxSubs    = maxSubs
	MaxReading = maxReading
	MaxPeers   = maxPeers
)

// lossy is a consumer that loses a message on its way.
type lossy struct{ at, end, lost uint64 }

type lossyBatch chan jetstream.Msg

func (b lossyBatch) Messages() <-chan jetstream.Msg { return b }
func (b lossyBatch) Error() error                   { return nil }

type lossyMsg struct {
	jetstream.Msg
	seq, pending uint64
}

func (m lossyMsg) Subject() string      { return "subject" }
func (m lossyMsg) Data() []byte         { return []byte("data") }
func (m lossyMsg) Headers() nats.Header { return nats.Header{} }
func (m lossyMsg) Metadata() (*jetstream.MsgMetadata, error) {
	return &jetstream.MsgMetadata{Sequence: jetstream.SequencePair{Consumer: m.seq, Stream: m.seq},
		NumPending: m.pending}, nil
}

func (l *lossy) Fetch(n int, _ ...jetstream.FetchOpt) (jetstream.MessageBatch, error) {
	b := make(lossyBatch, n)
	for range n {
		if l.at++; l.at <= l.end && l.at != l.lost {
			b <- lossyMsg{seq: l.at, pending: l.end - l.at}
		}
	}
	close(b)
	return b, nil
}

// Fill fills an answer from a stream of so many messages, of which one is lost
// on its way; 0: none. It returns how many there are in the answer.
func Fill(messages, lost uint64) (int, error) {
	a := answer{Pending: messages}
	err := a.fill(&lossy{end: messages, lost: lost})
	return len(a.Messages), err
}

// ErrGap is what fill says of a lost message.
var ErrGap = errGap

// Say writes a message to a Node's own streams, as a hostile Region may.
func Say(t testing.TB, n *Node, stream, kind string, e merge.Entry) {
	t.Helper()
	_, err := n.publish(context.Background(),
		write{kind: streamKind(stream), subject: n.subject(merge.EntryKind(kind), e), body: e})
	require.NoError(t, err)
}

// Seen makes the body of a message about when a session was used.
func Seen(key string, seen time.Time) merge.Entry { return merge.Entry{Key: key, Seen: seen} }

// Sweep forgets what may be forgotten.
func (s *State) Sweep(now time.Time, skew time.Duration) {
	s.ledger.update(func(m *merge.Sessions) { m.Sweep(now, skew) })
}

// Assemble gives an assembler these parts of a transaction, and says how often
// that completes it.
func Assemble(parts int, order ...int) (complete int) {
	var a merge.Assembler
	for _, p := range order {
		if _, ok := a.Add(uint64(10+p), merge.Transaction{Stamp: 1, Full: true, First: 10, Part: p, Of: parts}); ok {
			complete++
		}
	}
	return complete
}

// CopyFull copies an old message and then these parts of a full transaction
// from a Region's log, and returns the parts that are kept.
func CopyFull(t testing.TB, n *Node, region string, parts int, order ...int) (kept []string) {
	t.Helper()
	ctx := context.Background()
	c, err := n.copier(ctx, region, kindConfig)
	require.NoError(t, err)
	write := func(seq, part, of, full int) {
		p, err := json.Marshal(merge.Transaction{Stamp: uint64(seq), First: uint64(seq - part), Part: part, Of: of,
			Full: full == 1})
		require.NoError(t, err)
		require.NoError(t, c.copy(context.Background(), "store", message{
			Seq: uint64(seq), Subject: kindConfig.prefix(region) + fmt.Sprintf("tx.%d.%d", seq-part, part), At: "1",
			Part: fmt.Sprintf("%d/%d/0/0/%d", part, of, full), Data: p,
		}))
	}
	write(1, 0, 1, 0)
	for _, p := range order {
		write(10+p, p, parts, 1)
	}
	require.NoError(t, c.settle(ctx))
	s, err := n.js.Stream(ctx, kindConfig.stream(region))
	require.NoError(t, err)
	require.False(t, s.CachedInfo().Config.AllowDirect, "positions are read from the stream's leader")
	for seq := s.CachedInfo().State.FirstSeq; seq <= s.CachedInfo().State.LastSeq; seq++ {
		if m, err := s.GetMsg(ctx, seq); err == nil {
			kept = append(kept, m.Subject[len(kindConfig.prefix(region)):])
		}
	}
	return kept
}
