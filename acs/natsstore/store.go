package natsstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Store is an [acs.Store] and an [acs.Rememberer]. It is safe for concurrent
// use, starts no goroutine, and needs no closing.
type Store struct {
	cfg      Config
	js       jetstream.JetStream
	requests jetstream.Stream
	records  jetstream.Stream
	clock    *clock

	memory storeerr.Memory[known]
}

var (
	_ acs.Store      = (*Store)(nil)
	_ acs.Rememberer = (*Store)(nil)
	_ acs.Quota      = (*Store)(nil)
)

// New opens the Region's streams, and makes them if they are not there. An
// existing stream whose settings would break the contract is refused, not
// changed. The error is an [*Error].
func New(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	s := &Store{cfg: cfg, js: cfg.JetStream}
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	s.clock = newClock(s.js, cfg.records().Name)
	if _, err := s.clock.now(ctx); err != nil {
		return nil, err
	}
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// open is called once: the handles never change, and never learn of direct
// reads. They go by name, so they serve a stream that is made again, too.
func (s *Store) open(ctx context.Context) (err error) {
	if s.requests, err = openStream(ctx, s.js, s.cfg.requests()); err != nil {
		return err
	}
	s.records, err = openStream(ctx, s.js, s.cfg.records())
	return err
}

// expires carries a record's exact end; the server's own is in whole seconds.
const expires = "Meridian-Expires"

// RequestQuota implements [acs.Quota].
func (s *Store) RequestQuota() int { return s.cfg.MaxRequests }

// Add implements [acs.Store].
func (s *Store) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	stream, subject, err := s.place(key)
	if err != nil {
		return err
	}
	ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	now, err := s.now(ctx)
	if err != nil {
		return err
	}
	if !now.Before(exp) {
		return acs.ErrExpired
	}
	before := s.memory.Mark()
	seq, err := s.publish(ctx, stream, &nats.Msg{
		Subject: subject, Data: v, Header: nats.Header{expires: {exp.UTC().Format(time.RFC3339Nano)}},
	}, roundUp(exp.Sub(now)))
	if err != nil {
		return err
	}
	if strings.HasPrefix(key, acs.KeyPrefixAssertion) {
		return s.confirm(ctx, before, seq)
	}
	return nil
}

// How long publish waits for another call's message, from pause to pause.
const (
	firstPause = 2 * time.Millisecond
	maxPause   = 100 * time.Millisecond
)

// publish puts a message into the stream and gives its sequence number.
//
// The leader refuses a second message for a subject while the first is still
// on its way to the other servers. That one may never be stored: the leader may
// have lost the others. So it is acs.ErrExists only where there is a message to
// be read. Until then it is not known, and it is tried again.
func (s *Store) publish(ctx context.Context, stream jetstream.Stream, m *nats.Msg, ttl time.Duration) (uint64, error) {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		ack, err := s.js.PublishMsg(ctx, m, jetstream.WithMsgTTL(ttl), jetstream.WithExpectStream(stream.CachedInfo().Config.Name))
		if err == nil {
			return ack.Sequence, nil
		}
		if err = s.refusal(ctx, err); !errors.Is(err, acs.ErrExists) {
			return 0, err
		}
		_, unread := stream.GetLastMsgForSubject(ctx, m.Subject)
		if unread == nil {
			return 0, err
		}
		if !errors.Is(unread, jetstream.ErrMsgNotFound) {
			return 0, s.lost(ctx, "add", unread)
		}
		select {
		case <-ctx.Done():
			return 0, unavailable("add: another call's message is on its way and does not arrive", ctx.Err())
		case <-time.After(pause):
		}
	}
}

// Take implements [acs.Store].
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	stream, subject, err := s.place(key)
	if err != nil {
		return nil, err
	}
	ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	msg, err := stream.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, acs.ErrNotFound
	}
	if err != nil {
		return nil, s.lost(ctx, "take", err)
	}
	exp, err := time.Parse(time.RFC3339Nano, msg.Header.Get(expires))
	if err != nil {
		return nil, unavailable("take: a record that this package did not write", err)
	}
	now, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	if !now.Before(exp) {
		return nil, acs.ErrNotFound // the server will drop it any moment
	}
	// A sequence number is never used again, and deletions are decided one
	// after the other, so it is this message that goes, and once.
	err = stream.DeleteMsg(ctx, msg.Sequence)
	if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		if _, again := stream.GetMsg(ctx, msg.Sequence); errors.Is(again, jetstream.ErrMsgNotFound) {
			return nil, acs.ErrNotFound // another call has it, or its time was over
		}
	}
	if err != nil {
		return nil, s.lost(ctx, "take", err)
	}
	return msg.Data, nil
}

// place says where a record of that key is. A key is one token of a subject:
// its dots would make more of it, and wouldn't be allowed everywhere.
func (s *Store) place(key string) (jetstream.Stream, string, error) {
	if !storeerr.IsKey(key) {
		return nil, "", &Error{Reason: ReasonKey, Rule: "acs.Store", Want: storeerr.WantKey, Got: key}
	}
	token := strings.ReplaceAll(key, ".", "_")
	if strings.HasPrefix(key, acs.KeyPrefixRequest) {
		return s.requests, s.cfg.Prefix + requestSubject + token, nil
	}
	return s.records, s.cfg.Prefix + recordSubject + token, nil
}

// begin bounds a call. Without a connection it does not wait for one: the
// client would keep what is sent, and deliver it when nobody listens any more.
func (s *Store) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, unavailable("context", err)
	}
	if status := s.js.Conn().Status(); status != nats.CONNECTED {
		return nil, nil, &Error{Reason: ReasonUnavailable, Rule: "connection", Want: nats.CONNECTED.String(), Got: status.String()}
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	return ctx, cancel, nil
}

// roundUp gives whole seconds, the unit of a message's time to live.
func roundUp(d time.Duration) time.Duration {
	if whole := d.Truncate(time.Second); whole < d {
		return whole + time.Second
	}
	return d
}
