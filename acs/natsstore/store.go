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

// Store is an [acs.Store], an [acs.Rememberer] and an [acs.Quota]. It is safe for concurrent use, starts no
// goroutine, and need not be closed.
type Store struct {
	cfg      Config
	js       jetstream.JetStream
	requests jetstream.Stream // handles refer to a stream by name, so they stay valid when it is created again
	records  jetstream.Stream
	clock    *clock
	memory   storeerr.Memory[mark]
}

var (
	_ acs.Store      = (*Store)(nil)
	_ acs.Rememberer = (*Store)(nil)
	_ acs.Quota      = (*Store)(nil)
)

// New opens the Region's streams, and creates missing ones. It refuses a stream whose settings violate the
// contract of acs.Store, and doesn't change it. The error is an [*Error].
func New(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	s := &Store{cfg: cfg, js: cfg.JetStream, clock: newClock(cfg.JetStream, cfg.records().Name)}
	var err error
	if s.requests, err = openStream(ctx, s.js, cfg.requests()); err != nil {
		return nil, err
	}
	if s.records, err = openStream(ctx, s.js, cfg.records()); err != nil {
		return nil, err
	}
	if _, err := s.clock.now(ctx); err != nil {
		return nil, err
	}
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// expires is the header with the exact end of a record's lifetime. The server's time to live is in whole seconds.
const expires = "Meridian-Expires"

// Streams returns the names of the streams that have the store's records, for a report of where data is.
func (s *Store) Streams() []string { return []string{s.cfg.requests().Name, s.cfg.records().Name} }

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
	if v, err = s.cfg.sealing().Seal(ctx, key, v); err != nil {
		return unavailable("add: sealing", err)
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

// The shortest and longest pause in which publish waits for another call's message.
const (
	firstPause = 2 * time.Millisecond
	maxPause   = 100 * time.Millisecond
)

// publish stores a message and returns its sequence number.
//
// The leader refuses a second message for a subject while the first is being replicated. The first may never be
// stored, if the leader can't reach the other servers. So publish returns acs.ErrExists only if the first message
// can be read, and retries until then.
func (s *Store) publish(ctx context.Context, stream jetstream.Stream, m *nats.Msg, ttl time.Duration) (uint64, error) {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		name := stream.CachedInfo().Config.Name
		ack, err := s.js.PublishMsg(ctx, m, jetstream.WithMsgTTL(ttl), jetstream.WithExpectStream(name))
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
			return 0, unavailable("add: another call's message was not replicated in time", ctx.Err())
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
		return nil, unavailable("take: not a record of this package", err)
	}
	now, err := s.now(ctx)
	if err != nil {
		return nil, err
	}
	if !now.Before(exp) {
		return nil, acs.ErrNotFound // the server will remove it soon
	}
	deleted, err := deleteMsg(ctx, stream, msg.Sequence)
	switch {
	case err != nil:
		return nil, s.lost(ctx, "take", err)
	case !deleted:
		return nil, acs.ErrNotFound
	}
	v, err := s.cfg.sealing().Open(ctx, key, msg.Data)
	if err != nil {
		return nil, unavailable("take: opening", err)
	}
	return v, nil
}

// place returns the stream and subject of a record. A key is one token of the subject, so its dots are replaced.
func (s *Store) place(key string) (jetstream.Stream, string, error) {
	if !storeerr.Key.MatchString(key) {
		return nil, "", &Error{Reason: ReasonKey, Rule: "acs.Store", Want: storeerr.WantKey, Got: key}
	}
	token := strings.ReplaceAll(key, ".", "_")
	if strings.HasPrefix(key, acs.KeyPrefixRequest) {
		return s.requests, s.cfg.Prefix + requestSubject + token, nil
	}
	return s.records, s.cfg.Prefix + recordSubject + token, nil
}

// begin sets the deadline of a call. It doesn't wait for a connection, because the client would buffer the message
// and deliver it after the caller has given up.
func (s *Store) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, unavailable("context", err)
	}
	if status := s.js.Conn().Status(); status != nats.CONNECTED {
		return nil, nil, &Error{Reason: ReasonUnavailable, Rule: "connection", Want: "CONNECTED", Got: status.String()}
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	return ctx, cancel, nil
}

// roundUp returns whole seconds, the unit of a message's time to live.
func roundUp(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }
