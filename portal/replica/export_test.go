package replica

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Lock is the descriptor of the file that locks a Node's directory.
func Lock(n *Node) int { return int(n.lock.Fd()) }

// EndShortcuts does what the maintenance does every minute.
func EndShortcuts(t testing.TB, n *Node) {
	t.Helper()
	require.NoError(t, n.endShortcuts(n.ctx))
}

// Held says how many messages the streams of a Node's own server hold.
func Held(t testing.TB, n *Node) map[string]uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // without it: five seconds
	defer cancel()
	out := map[string]uint64{}
	list := n.js.ListStreams(ctx)
	for info := range list.Info() {
		out[info.Config.Name] = info.State.Msgs
	}
	require.NoError(t, list.Err())
	return out
}

// Refusals are the streams that the embedded server refuses.
func (n *Node) StalledStreams() map[string]string { return *n.refused.Load() }

// CopiesApplied says what Probe would say of copies at that time.
func (n *Node) CopiesApplied(at time.Time) error { return n.copiesApplied(at) }

// Count is what a Node knows of its Region's component of a user's epoch.
func Count(n *Node, user string) (count uint64) {
	n.ledger.read(func(s *merge.Sessions) { count = s.Epoch(user)[n.cfg.Region] })
	return count
}

// MakeDurable does what Epoch does with the count that it read.
func MakeDurable(ctx context.Context, n *Node, user string, count uint64) error {
	return n.durableEpoch(ctx, user, count)
}

// A State is what a Node keeps in memory, without the Node.
type State struct {
	primary string
	dir     *merge.Directory
	ledger  *ledger
	heard   []heard // whole transactions
}

type heard struct {
	region string
	merge.Transaction
}

// NewState returns an empty State of an instance with this primary.
func NewState(primary string) *State {
	return &State{primary: primary, dir: merge.NewDirectory(primary), ledger: newLedger(primary, primary)}
}

// A Change is one record of a transaction.
type Change struct {
	Kind  center.Kind
	Key   string
	Value string // JSON; "" is gone
	Base  uint64
}

// Transaction takes a whole transaction in.
func (s *State) Transaction(region string, stamp uint64, full bool, changes []Change) {
	t := merge.Transaction{Stamp: stamp, Full: full}
	for _, c := range changes {
		r := merge.Record{Kind: c.Kind, Key: c.Key, Base: c.Base}
		if c.Value != "" {
			r.Value = json.RawMessage(c.Value)
		}
		t.Records = append(t.Records, r)
	}
	s.dir.Changes(s.dir.Fold(region, t))
	s.ledger.update(func(m *merge.Sessions) { m.Enforce(region, t) })
	s.heard = append(s.heard, heard{region, t})
}

// Message takes a message about sessions in, as it is in the stream.
func (s *State) Message(region, stream, kind string, body merge.Entry) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return s.ledger.take(arrival{region: region, kind: streamKind(stream),
		subject: subject(nil, merge.EntryKind(kind), body), body: b})
}

// Entry makes the body of a message.
func Entry(key string, v *sessions.Session, user, id string, epoch uint64, until time.Time) merge.Entry {
	return merge.Entry{Key: key, Session: v, User: user, ID: id, Epoch: epoch, Until: until}
}

// Shown is what the instance was told, change by change.
func (s *State) Shown() map[string]string { return texts(s.dir) }

// Afresh is what the instance would be told if everything were looked at.
func (s *State) Afresh() map[string]string {
	d := merge.NewDirectory(s.primary)
	var all []merge.Name
	for _, t := range s.heard {
		all = append(all, d.Fold(t.region, t.Transaction)...)
	}
	d.Changes(all)
	return texts(d)
}

func texts(d *merge.Directory) map[string]string {
	out := map[string]string{}
	for _, r := range d.Records() {
		out[string(r.Kind)+" "+r.Key] = string(r.Value)
	}
	return out
}

// Digest is the result of the State: what is kept, and what is shown of it.
func (s *State) Digest() map[string]Item {
	all := s.dir.Facts()
	s.ledger.read(func(m *merge.Sessions) { all = append(all, m.Facts()...) })
	for _, r := range s.dir.Records() {
		all = append(all, merge.Fact{Key: fmt.Sprintf("shown %s %s", r.Kind, r.Key), Value: string(r.Value)})
	}
	return items(all)
}

// Tear writes the beginning of a transaction to a Node's log and no more, as
// a process does that is killed between two messages. whole says to write all
// of it, but to do nothing after that.
func Tear(t testing.TB, n *Node, users int, whole bool) {
	t.Helper()
	n.applying.Lock()
	defer n.applying.Unlock()
	tx := merge.Transaction{Stamp: n.dir.Last(n.cfg.Region) + 1, First: n.log.read + 1, Of: 2}
	for i := range 2 {
		tx.Part, tx.Records = i, nil
		for j := range users {
			id := fmt.Sprintf("torn-%d-%d", i, j)
			v := fmt.Sprintf(`{"id":%q,"userName":%q,"active":true}`, id, id)
			tx.Records = append(tx.Records, merge.Record{Kind: center.KindUser, Key: id, Value: json.RawMessage(v)})
		}
		at := n.log.read + uint64(i)
		_, err := n.publish(context.Background(), write{kind: kindConfig, subject: fmt.Sprintf("tx.%d.%d", tx.First, i),
			body: tx, part: partHeader(tx, 2*users), last: &at})
		require.NoError(t, err)
		if !whole {
			return
		}
	}
}

// Full writes a full transaction to a Node's log, and is killed before what it
// replaces is removed.
func Full(t testing.TB, n *Node) {
	t.Helper()
	n.applying.Lock()
	defer n.applying.Unlock()
	require.NoError(t, n.writeLog(context.Background(), nil, true))
	n.apply()
}

// Inspect has a Node compare all messages of a peer's copy of one of its streams.
func Inspect(ctx context.Context, n *Node, peer, kind string) error {
	_, err := n.inspect(ctx, n.follower(peer), streamKind(kind))
	return err
}

// ForgetRead has a Node forget what it has read of one of its streams.
func ForgetRead(n *Node, kind string) { n.contents.drop(streamKind(kind).stream(n.cfg.Region)) }

// ReadUpTo is how far it has read that stream since.
func ReadUpTo(n *Node, kind string) (last uint64) {
	n.contents.with(streamKind(kind).stream(n.cfg.Region), func(c *integrity.Content) { _, last = c.At() })
	return last
}

// DropMessage removes the first message of a stream of a Node's own server, as
// a damaged disk may, and waits for nothing.
func DropMessage(t testing.TB, n *Node, stream string) {
	t.Helper()
	s, err := n.js.Stream(context.Background(), stream)
	require.NoError(t, err)
	require.NotZero(t, s.CachedInfo().State.Msgs)
	require.NoError(t, s.Purge(context.Background(), jetstream.WithPurgeSequence(s.CachedInfo().State.FirstSeq+1)))
}
