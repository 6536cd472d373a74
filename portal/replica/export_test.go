package replica

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// Held says how many messages the streams of a Node's own server hold.
func Held(t testing.TB, n *Node) map[string]uint64 {
	t.Helper()
	out := map[string]uint64{}
	list := n.js.ListStreams(context.Background())
	for info := range list.Info() {
		out[info.Config.Name] = info.State.Msgs
	}
	require.NoError(t, list.Err())
	return out
}

// A State is what a Node keeps in memory, without the Node.
type State struct {
	dir    *directory
	ledger *ledger
}

// NewState returns an empty State of an instance with this primary.
func NewState(primary string) *State {
	return &State{newDirectory(primary), newLedger(primary)}
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
	t := transaction{Stamp: stamp, Full: full}
	for _, c := range changes {
		r := record{Kind: c.Kind, Key: c.Key, Base: c.Base}
		if c.Value != "" {
			r.Value = json.RawMessage(c.Value)
		}
		t.Records = append(t.Records, r)
	}
	s.dir.changes(s.dir.fold(region, t))
	if region == s.dir.primary {
		s.ledger.enforce(region, t)
	}
}

// Message takes a message about sessions in, as it stands in the stream.
func (s *State) Message(region, stream, kind string, body entry) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return s.ledger.take(arrival{region: region, line: line(stream), subject: body.subject(kind), body: b})
}

// Entry makes the body of a message.
func Entry(key string, v *portal.Session, user, id string, epoch uint64, until time.Time) entry {
	return entry{Key: key, Session: v, User: user, ID: id, Epoch: epoch, Until: until}
}

// Shown is what the instance was told, change by change.
func (s *State) Shown() map[string]string { return texts(s.dir.shown) }

// Afresh is what it would be told by one who looks at everything.
func (s *State) Afresh() map[string]string {
	d := &directory{primary: s.dir.primary, estates: s.dir.estates, shown: map[name]json.RawMessage{}}
	var all []name
	for _, e := range d.estates {
		all = slices.AppendSeq(all, maps.Keys(e.cells))
	}
	d.changes(all)
	return texts(d.shown)
}

func texts(m map[name]json.RawMessage) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[string(k.kind)+" "+k.key] = string(v)
	}
	return out
}

// Digest is what the State comes to: what is kept, and what is shown of it.
func (s *State) Digest() map[string]Item {
	all := s.ledger.facts()
	for region, e := range s.dir.estates {
		all = append(all, e.facts(region)...)
	}
	for k, v := range s.dir.shown {
		all = append(all, fact{fmt.Sprintf("shown %s %s", k.kind, k.key), time.Time{}, string(v)})
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
	tx := transaction{Stamp: n.dir.of(n.cfg.Region).last + 1, First: n.log.read + 1, Of: 2}
	for i := range 2 {
		tx.Part, tx.Records = i, nil
		for j := range users {
			id := fmt.Sprintf("torn-%d-%d", i, j)
			v := fmt.Sprintf(`{"id":%q,"userName":%q,"active":true}`, id, id)
			tx.Records = append(tx.Records, record{Kind: center.KindUser, Key: id, Value: json.RawMessage(v)})
		}
		at := n.log.read + uint64(i)
		_, err := n.put(context.Background(), write{line: config, subject: fmt.Sprintf("tx.%d.%d", tx.First, i), body: tx, part: partHeader(tx, 2*users), last: &at})
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
	tx, err := n.writeLog(context.Background(), nil, true)
	require.NoError(t, err)
	n.fold(n.cfg.Region, tx)
	n.show()
}
