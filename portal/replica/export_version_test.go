package replica

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Understand makes a Node speak and read these formats, and write the third, as another version
// may.
func Understand(c *Config, speaks, reads, writes int) {
	c.formats, c.writes = merge.Formats{Speaks: speaks, Reads: reads}, writes
}

// Headers returns the headers of the last message of a Region's stream, as a
// Node's own server has it.
func Headers(t testing.TB, n *Node, l, region string) map[string][]string {
	t.Helper()
	s, err := n.js.Stream(context.Background(), streamKind(l).stream(region))
	require.NoError(t, err)
	m, err := s.GetLastMsgForSubject(context.Background(), streamKind(l).prefix(region)+">")
	require.NoError(t, err)
	return m.Header
}

// LastBody returns the body of the last message of a Node's own stream.
func LastBody(t testing.TB, n *Node, l string) string {
	t.Helper()
	s, err := n.js.Stream(context.Background(), streamKind(l).stream(n.cfg.Region))
	require.NoError(t, err)
	m, err := s.GetLastMsgForSubject(context.Background(), streamKind(l).prefix(n.cfg.Region)+">")
	require.NoError(t, err)
	return string(m.Data)
}

// CopyWith copies a message with these headers into a Node's copy of a Region's
// sessions.
func CopyWith(t testing.TB, n *Node, region string, headers map[string]string) {
	t.Helper()
	c, err := n.copier(context.Background(), region, kindSessions)
	require.NoError(t, err)
	require.NoError(t, c.copy(context.Background(), "store",
		message{Seq: 1, Subject: kindSessions.prefix(region) + "later.x", At: "1", Data: []byte("{}"), More: headers}))
	require.NoError(t, c.settle(context.Background()))
}

// WriteWith writes an entry to a Node's own stream with a header of its own.
func WriteWith(t testing.TB, n *Node, kind string, e merge.Entry, header, value string) {
	t.Helper()
	msg, opts, err := n.message(n.entryWrite(merge.EntryKind(kind), e, e.Until))
	require.NoError(t, err)
	msg.Header.Set(header, value)
	_, err = n.js.PublishMsg(context.Background(), msg, opts...)
	require.NoError(t, err)
}

// Unmarked takes the format from a Node's own streams, as if it had been
// written before there were formats.
func Unmarked(t testing.TB, n *Node) {
	t.Helper()
	for _, k := range streamKinds {
		s, err := n.js.Stream(context.Background(), k.stream(n.cfg.Region))
		require.NoError(t, err)
		c := s.CachedInfo().Config
		delete(c.Metadata, formatID)
		_, err = n.js.UpdateStream(context.Background(), c)
		require.NoError(t, err)
	}
}

// Formats returns the formats of a Node's own streams.
func Formats(t testing.TB, n *Node) (out []string) {
	t.Helper()
	for _, k := range streamKinds {
		s, err := n.js.Stream(context.Background(), k.stream(n.cfg.Region))
		require.NoError(t, err)
		out = append(out, s.CachedInfo().Config.Metadata[formatID])
	}
	return out
}

// Know makes a Node know kinds of record and entry that this version doesn't,
// as a later one may.
func Know(c *Config, kinds ...string) {
	for _, k := range kinds {
		c.kinds, c.entries = append(c.kinds, center.Kind(k)), append(c.entries, merge.EntryKind(k))
	}
}

// Unknown returns the kinds of entry that this version writes and doesn't know.
func Unknown() (out []string) {
	for kind := range entryStream {
		s := merge.NewSessions("us-east-1", "us-east-1")
		_ = s.Take("us-east-1", kind, merge.Entry{Session: &merge.Session{Region: "us-east-1"}})
		if _, _, unread := s.Unread(); unread {
			out = append(out, string(kind))
		}
	}
	return out
}

// WriteKind writes a record of a kind to a Node's log, with others in the same
// transaction, as a later version may. Without a value it is gone.
func WriteKind(n *Node, kind, key, value string, optional bool, others ...Change) error {
	r := merge.Record{Kind: center.Kind(kind), Key: key, Optional: optional}
	if value != "" {
		r.Value = json.RawMessage(value)
	}
	records := []merge.Record{r}
	for _, c := range others {
		records = append(records, merge.Record{Kind: c.Kind, Key: c.Key, Value: json.RawMessage(c.Value)})
	}
	n.applying.Lock()
	defer n.applying.Unlock()
	if err := n.writeLog(context.Background(), records, false); err != nil {
		return err
	}
	n.apply()
	return nil
}

// WriteEntry writes an entry of a kind to one of a Node's own streams, as a
// later version may.
func WriteEntry(n *Node, stream, kind, key string, until time.Time, optional bool) error {
	e := merge.Entry{Key: key, Until: until, Optional: optional}
	w := write{kind: streamKind(stream), subject: n.subject(merge.EntryKind(kind), e), body: e, until: until}
	_, err := n.publish(context.Background(), w)
	return err
}

// WriteFull writes a full transaction without these kinds of record, as a later
// version does that no longer wants them.
func WriteFull(n *Node, without string) error {
	n.applying.Lock()
	defer n.applying.Unlock()
	t := n.dir.Compose(n.cfg.Region, uint64(n.cfg.Now().UnixMicro()), nil, true)
	var gone []merge.Record
	for _, r := range t.Records {
		if string(r.Kind) == without {
			gone = append(gone, merge.Record{Kind: r.Kind, Key: r.Key})
		}
	}
	if err := n.writeLog(context.Background(), gone, true); err != nil {
		return err
	}
	n.apply()
	return nil
}

// Written returns the value of a record in the primary's log, as a Node knows it.
func Written(n *Node, kind center.Kind, key string) string {
	n.applying.Lock()
	defer n.applying.Unlock()
	for _, r := range n.dir.Records() {
		if r.Kind == kind && r.Key == key {
			return string(r.Value)
		}
	}
	return ""
}

// WriteStamped writes a record to a Node's log with any stamp, as a Region does whose clock is wrong.
func WriteStamped(n *Node, stamp uint64, kind, key, value string) error {
	n.applying.Lock()
	defer n.applying.Unlock()
	at := n.log.read
	t := merge.Transaction{Stamp: stamp, First: at + 1, Of: 1, Records: []merge.Record{
		{Kind: center.Kind(kind), Key: key, Value: json.RawMessage(value)},
	}}
	_, err := n.publish(context.Background(), write{kind: kindConfig, subject: fmt.Sprintf("tx.%d.0", t.First), body: t,
		part: partHeader(t, 1), last: &at})
	return err
}
