package replica

import (
	"context"
	"errors"
	"iter"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// This file has the requests to the Region's own server. Errors are an *Error that wraps the client's.

// asking repeats a request until it is answered or ctx ends. The request must be safe to repeat.
func asking[T any](ctx context.Context, request func(context.Context) (T, error)) (T, error) {
	for {
		attempt, cancel := context.WithTimeout(ctx, askTimeout)
		v, err := request(attempt)
		cancel()
		noLeader := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errBehind) || apiCode(err) == clusterNotAvail
		if err == nil || ctx.Err() != nil || !noLeader {
			return v, err
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// Error codes of the server that the client has no names for.
const (
	clusterNotAvail           jetstream.ErrorCode = 10008 // a cluster has no leader yet
	wrongLastSequenceConstant jetstream.ErrorCode = 10164 // of clusters, for an unexpected sequence
	wrongLastMessageID        jetstream.ErrorCode = 10070 // for an unexpected message
)

// apiCode returns the server's code of an error, or 0.
func apiCode(err error) jetstream.ErrorCode {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		return api.ErrorCode
	}
	return 0
}

// conflict reports whether an expected sequence, or message, was not the last.
func conflict(err error) bool {
	return slices.Contains([]jetstream.ErrorCode{
		jetstream.JSErrCodeStreamWrongLastSequence, wrongLastSequenceConstant, wrongLastMessageID,
	}, apiCode(err))
}

// stream looks up a stream.
func (n *Node) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	s, err := asking(ctx, func(ctx context.Context) (jetstream.Stream, error) { return n.js.Stream(ctx, name) })
	if err != nil {
		return nil, unavailable("look-up of stream "+name, err)
	}
	return s, nil
}

// openStream looks up a stream, and creates it if it doesn't exist. An existing stream keeps its configuration.
func (n *Node) openStream(ctx context.Context, c jetstream.StreamConfig) (jetstream.Stream, error) {
	s, err := n.stream(ctx, c.Name)
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return s, err
	}
	s, err = asking(ctx, func(ctx context.Context) (jetstream.Stream, error) { return n.js.CreateStream(ctx, c) })
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another Node of the Region was faster
		return n.stream(ctx, c.Name)
	} else if err != nil {
		return nil, unavailable("creation of stream "+c.Name, err)
	}
	return s, nil
}

// setMetadata adds to the metadata of a stream.
func (n *Node) setMetadata(ctx context.Context, s jetstream.Stream, values map[string]string) error {
	c := s.CachedInfo().Config
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	maps.Copy(c.Metadata, values)
	_, err := asking(ctx, func(ctx context.Context) (jetstream.Stream, error) { return n.js.UpdateStream(ctx, c) })
	if err != nil {
		return unavailable("update of stream "+c.Name, err)
	}
	return nil
}

// streamNames lists the streams that listen to a subject.
func (n *Node) streamNames(ctx context.Context, subject string) ([]string, error) {
	out, err := asking(ctx, func(ctx context.Context) (out []string, err error) {
		names := n.js.StreamNames(ctx, jetstream.WithStreamListSubject(subject))
		for name := range names.Name() {
			out = append(out, name)
		}
		if err := names.Err(); !errors.Is(err, jetstream.ErrEndOfData) {
			return out, err
		}
		return out, nil
	})
	if err != nil {
		return nil, unavailable("list of streams", err)
	}
	return out, nil
}

// deleteStream deletes a stream, if it exists, with its files.
func (n *Node) deleteStream(ctx context.Context, name string) error {
	_, err := asking(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, n.js.DeleteStream(ctx, name) })
	if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return unavailable("deletion of stream "+name, err)
	}
	return n.deleteFiles()
}

// deleteFiles removes the files of deleted streams. Servers at Config.URL do that themselves.
func (n *Node) deleteFiles() error {
	if n.server == nil {
		return nil
	}
	dir := filepath.Join(n.cfg.Dir, server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams")
	all, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range all {
		if strings.HasPrefix(entry.Name(), deletedPrefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
		}
	}
	if err != nil {
		return unavailable("deletion of files of streams", err)
	}
	return nil
}

// clearBefore removes the messages of a Region's log before a sequence. A full transaction has replaced them.
func (n *Node) clearBefore(ctx context.Context, region string, seq uint64) error {
	s, err := n.stream(ctx, kindConfig.stream(region))
	if err != nil {
		return err
	}
	if err = s.Purge(ctx, jetstream.WithPurgeSequence(seq)); err != nil {
		return unavailable("purge of stream "+kindConfig.stream(region), err)
	}
	return nil
}

// latest returns the last message of a subject, or nil if there is none.
func (n *Node) latest(ctx context.Context, stream, subject string) (*jetstream.RawStreamMsg, error) {
	s, err := n.stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	return latest(ctx, s, subject)
}

func latest(ctx context.Context, s jetstream.Stream, subject string) (*jetstream.RawStreamMsg, error) {
	return getMessage(ctx, s, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.GetLastMsgForSubject(ctx, subject)
	})
}

// next returns the first message after a sequence whose subject begins with prefix, or nil. The stream's leader
// answers, because it has all acknowledged messages. A consumer may be on a server that lags.
func next(ctx context.Context, s jetstream.Stream, prefix string, after uint64) (*jetstream.RawStreamMsg, error) {
	return getMessage(ctx, s, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(prefix+">"))
	})
}

// nextSeq returns the sequence of that message, or 0.
func nextSeq(ctx context.Context, s jetstream.Stream, prefix string, after uint64) (uint64, error) {
	msg, err := next(ctx, s, prefix, after)
	if msg == nil {
		return 0, err
	}
	return msg.Sequence, nil
}

// messages returns all messages whose subjects begin with prefix, in their order, and ends after an error.
func messages(ctx context.Context, s jetstream.Stream, prefix string) iter.Seq2[*jetstream.RawStreamMsg, error] {
	return func(yield func(*jetstream.RawStreamMsg, error) bool) {
		for at := uint64(0); ; {
			msg, err := next(ctx, s, prefix, at)
			if err != nil {
				yield(nil, err)
			}
			if msg == nil || !yield(msg, nil) {
				return
			}
			at = msg.Sequence
		}
	}
}

type getter = func(context.Context) (*jetstream.RawStreamMsg, error)

// getMessage asks for a message, and returns nil if it doesn't exist.
func getMessage(ctx context.Context, s jetstream.Stream, get getter) (*jetstream.RawStreamMsg, error) {
	msg, err := asking(ctx, get)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, unavailable("read of stream "+s.CachedInfo().Config.Name, err)
	}
	return msg, nil
}

// send publishes a message to a stream, and returns its sequence when it is on disk. It waits for writeTimeout at
// most, and returns errConflict if an expected sequence was not the last.
func (n *Node) send(ctx context.Context, stream string, m *nats.Msg, opts ...jetstream.PublishOpt) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	ack, err := n.js.PublishMsg(ctx, m, opts...)
	if conflict(err) {
		return 0, errConflict
	} else if err != nil {
		return 0, unavailable("write to stream "+stream, err)
	}
	return ack.Sequence, nil
}

// In a cluster a server may report an outdated end of a stream, without messages that the others have acknowledged.
// Either it led the stream until it was frozen or cut off, and hasn't noticed a new leader. Or it is cut off and
// answers because it knows of no leader. A follower would assume that it has everything. So before this Node reports
// that nothing is pending, it makes a majority of the servers agree to an entry, and then looks up the stream's end.

// agreements are those of one of this Region's own streams.
type agreements struct {
	rounds *sharedRounds
	last   atomic.Uint64   // the stream's end, by the last round that succeeded
	asked  history[string] // by the Region of the follower
}

// agree returns a stream's end, confirmed by a majority of its servers. All messages that were acknowledged before the
// call are before that end. If the end isn't known, it returns the greatest number. For a stream on one server it
// returns 0, because that server knows the end.
//
// An answer with messages doesn't wait for a second agreement within half a heartbeat: the follower asks again.
func (n *Node) agree(ctx context.Context, s jetstream.Stream, q question, news bool) uint64 {
	if q.Of != "" || s.CachedInfo().Config.Replicas <= 1 {
		return 0
	}
	all := n.agreements[q.Line]
	if !all.asked.due(q.From, n.cfg.Heartbeat/2) && news {
		return math.MaxUint64
	}
	waiting, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := all.rounds.join(waiting, func() error {
		ctx, cancel := context.WithTimeout(ctx, askTimeout) // others wait for it too
		defer cancel()
		last, err := endByQuorum(ctx, s, q.Line.prefix(n.cfg.Region)+unused)
		if err == nil {
			all.last.Store(last)
		}
		return err
	})
	if err != nil {
		return math.MaxUint64
	}
	return all.last.Load()
}

// endByQuorum returns the sequence of a stream's last message. It requests that the leader delete all messages of an
// unused subject. That changes nothing. The leader confirms it only after a majority of the servers has it in the
// stream's log and the leader has applied everything before it. (config, as a KV bucket, refuses deletions by
// sequence.)
//
// The end is accepted from a server that has heard from a majority since then. A deposed leader has not.
func endByQuorum(ctx context.Context, s jetstream.Stream, unused string) (uint64, error) {
	began := time.Now()
	if err := s.Purge(ctx, jetstream.WithPurgeSubject(unused)); err != nil {
		return 0, err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return 0, err
	}
	if !heardFromMajority(info.Cluster, time.Since(began)) {
		return 0, errBehind
	}
	return info.State.LastSeq, nil
}

// heardFromMajority reports whether the server that describes a stream has heard from a majority of its servers,
// itself included, within a duration. The age of one that it has never heard from is 0.
func heardFromMajority(c *jetstream.ClusterInfo, within time.Duration) bool {
	if c == nil {
		return false
	}
	heard := 1
	for _, r := range c.Replicas {
		if r.Active > 0 && r.Active <= within {
			heard++
		}
	}
	return 2*heard > len(c.Replicas)+1
}

// sharedRounds runs one round at a time. All callers from before a round began share its result, so if the server
// doesn't answer they don't wait one after the other.
type sharedRounds struct {
	every time.Duration // the least time from one round to the next
	turn  chan struct{} // holds one while a round runs; that guards the fields below
	begun atomic.Uint64 // rounds

	at    time.Time // when the last round began
	ended uint64    // the last round that is over
	err   error     // and its result
}

func newSharedRounds(every time.Duration) *sharedRounds {
	return &sharedRounds{every: every, turn: make(chan struct{}, 1)}
}

func (c *sharedRounds) join(ctx context.Context, round func() error) error {
	before := c.begun.Load()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return unavailable("catching up with the Region's other Nodes", ctx.Err())
	}
	if c.ended > before {
		return c.err
	}
	pause(ctx, time.Until(c.at.Add(c.every)))
	if ctx.Err() != nil {
		return unavailable("catching up with the Region's other Nodes", ctx.Err())
	}
	this := c.begun.Add(1)
	c.at = time.Now()
	c.err = round()
	c.ended = this
	return c.err
}
