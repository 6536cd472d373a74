package natsstore

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// mark is the marker in the stream of assertions: a message that doesn't expire, on a subject with a random name.
// While the stream has it, it has all later records too. A recreated stream has another marker, or none.
type mark struct {
	subject string
	seq     uint64
	highest uint64 // sequence number that this store has seen in the stream
}

func (m mark) same(o mark) bool { return m.subject == o.subject && m.seq == o.seq }

// Since implements [acs.Rememberer].
func (s *Store) Since() time.Time { return s.memory.Since() }

// readMark returns the newest marker on subject, which may be a wildcard, and when it was stored by the leader's
// clock.
func (s *Store) readMark(ctx context.Context, subject string) (mark, time.Time, error) {
	msg, err := s.records.GetLastMsgForSubject(ctx, subject)
	if err != nil {
		return mark{}, time.Time{}, err
	}
	return mark{msg.Subject, msg.Sequence, msg.Sequence}, msg.Time, nil
}

// learn reads the newest marker, and creates one if there is none.
func (s *Store) learn(ctx context.Context) error {
	prefix := s.cfg.Prefix + sinceSubject
	m, at, err := s.readMark(ctx, prefix+"*")
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		msg := &nats.Msg{Subject: prefix + rand.Text()}
		if _, err = s.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(s.cfg.records().Name)); err == nil {
			m, at, err = s.readMark(ctx, prefix+"*")
		}
	}
	if err != nil {
		return unavailable("the marker", err)
	}
	s.memory.Learn(m, at.Add(s.cfg.Margin))
	return nil
}

// confirm is called after an assertion was stored with sequence number seq. before is the marker that was known
// then. If the stream still has it, no record was lost, and the stream would have refused a used assertion.
func (s *Store) confirm(ctx context.Context, before mark, seq uint64) error {
	m, _, err := s.readMark(ctx, before.subject)
	there := err == nil && m.same(before)
	switch {
	case there && seq > before.highest:
		s.memory.Change(func(m *mark) { m.highest = max(m.highest, seq) })
		return nil
	case err != nil && !errors.Is(err, jetstream.ErrMsgNotFound):
		return unavailable("the marker", err)
	}
	return s.forgot(ctx, before, there)
}

// forgot moves Since. If the stream went back to an older state, its marker is no longer valid. It is deleted, so
// that all nodes notice.
func (s *Store) forgot(ctx context.Context, before mark, wentBack bool) error {
	err := s.memory.Forget(before.same, func() error {
		if wentBack {
			if _, err := deleteMsg(ctx, s.records, before.seq); err != nil {
				return unavailable("the marker", err)
			}
		}
		return s.learn(ctx)
	})
	if err != nil {
		return err
	}
	detail := "the stream was purged or created again"
	if wentBack {
		detail = "the stream went back to an older state"
	}
	return &Error{Reason: ReasonForgotten, Rule: "stream " + s.cfg.records().Name, Detail: detail}
}

// deleteMsg deletes a message, and reports whether this call deleted it. Sequence numbers are never reused, and
// the leader orders deletions.
func deleteMsg(ctx context.Context, stream jetstream.Stream, seq uint64) (deleted bool, err error) {
	err = stream.DeleteMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		if _, again := stream.GetMsg(ctx, seq); errors.Is(again, jetstream.ErrMsgNotFound) {
			return false, nil // another call did, or it has expired
		}
	}
	return err == nil, err
}
