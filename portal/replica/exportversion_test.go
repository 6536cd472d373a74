package replica

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Understand makes a Node understand these formats, and write what can be read
// by the one that understands the third, as another version may.
func Understand(c *Config, speaks, reads, writes int) {
	c.formats, c.writes = merge.Formats{Speaks: speaks, Reads: reads}, writes
}

// Headers returns the headers of the last message of a Region's stream, as a
// Node's own server has it.
func Headers(t testing.TB, n *Node, l, region string) map[string][]string {
	t.Helper()
	s, err := n.js.Stream(context.Background(), line(l).stream(region))
	require.NoError(t, err)
	m, err := s.GetLastMsgForSubject(context.Background(), line(l).prefix(region)+">")
	require.NoError(t, err)
	return m.Header
}

// CopyWith copies a message with these headers into a Node's copy of a Region's
// sessions.
func CopyWith(t testing.TB, n *Node, region string, headers map[string]string) {
	t.Helper()
	c, err := n.copier(context.Background(), region, sessions)
	require.NoError(t, err)
	require.NoError(t, c.copy(context.Background(), "store", message{Seq: 1, Subject: sessions.prefix(region) + "later.x", At: "1", Data: []byte("{}"), More: headers}))
	require.NoError(t, c.settle(context.Background()))
}

// WriteWith writes an entry to a Node's own stream with a header of its own.
func WriteWith(t testing.TB, n *Node, kind string, e merge.Entry, header, value string) {
	t.Helper()
	msg, opts, err := n.message(entryWrite(merge.EntryKind(kind), e, e.Until))
	require.NoError(t, err)
	msg.Header.Set(header, value)
	_, err = n.js.PublishMsg(context.Background(), msg, opts...)
	require.NoError(t, err)
}

// Unmarked takes the format from a Node's own streams, as if it had been
// written before there were formats.
func Unmarked(t testing.TB, n *Node) {
	t.Helper()
	for _, l := range lines {
		s, err := n.js.Stream(context.Background(), l.stream(n.cfg.Region))
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
	for _, l := range lines {
		s, err := n.js.Stream(context.Background(), l.stream(n.cfg.Region))
		require.NoError(t, err)
		out = append(out, s.CachedInfo().Config.Metadata[formatID])
	}
	return out
}
