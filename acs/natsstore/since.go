package natsstore

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// mark is the marker in the stream of assertions: a message without an end, on
// a subject with a random name. As long as it is there, so is everything that
// was stored after it. A stream that starts again has another, or none.
type mark struct {
	subject string
	seq     uint64
	at      time.Time // by the leader's clock, when it was stored
}

// known is what the store knows of the marker.
type known struct {
	mark    mark
	highest uint64 // sequence number seen in the stream
}

// Same reports whether it is the same marker.
func (k known) Same(o known) bool {
	return k.mark.subject == o.mark.subject && k.mark.seq == o.mark.seq
}

// Since implements [acs.Rememberer].
func (s *Store) Since() time.Time { return s.memory.Since() }

// readMark gives the newest marker on subject, which may be a wildcard.
func (s *Store) readMark(ctx context.Context, subject string) (mark, error) {
	msg, err := s.records.GetLastMsgForSubject(ctx, subject)
	if err != nil {
		return mark{}, err
	}
	return mark{subject: msg.Subject, seq: msg.Sequence, at: msg.Time}, nil
}

// setMark puts a new marker into the stream, which begins what it remembers.
func (s *Store) setMark(ctx context.Context) error {
	_, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: s.cfg.Prefix + sinceSubject + rand.Text()}, jetstream.WithExpectStream(s.cfg.records().Name))
	return err
}

// dropMark takes out a marker that promises too much. All nodes miss it then.
func (s *Store) dropMark(ctx context.Context, m mark) error {
	err := s.records.DeleteMsg(ctx, m.seq)
	if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		if _, again := s.records.GetMsg(ctx, m.seq); errors.Is(again, jetstream.ErrMsgNotFound) {
			return nil // another node did
		}
	}
	return err
}

// learn takes over the newest marker, and makes one if there is none.
func (s *Store) learn(ctx context.Context) error {
	all := s.cfg.Prefix + sinceSubject + "*"
	m, err := s.readMark(ctx, all)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		if err = s.setMark(ctx); err == nil {
			m, err = s.readMark(ctx, all)
		}
	}
	if err != nil {
		return unavailable("the marker", err)
	}
	s.memory.Learn(known{m, m.seq}, m.at.Add(s.cfg.Margin))
	return nil
}

// confirm is asked after an assertion was stored with number seq, by a caller
// that knew before. If the marker is still there, the stream has lost nothing
// from before the call until now, so it would have known the assertion.
func (s *Store) confirm(ctx context.Context, before known, seq uint64) error {
	m, err := s.readMark(ctx, before.mark.subject)
	there := err == nil && before.Same(known{mark: m})
	switch {
	case there && seq > before.highest:
		s.memory.Change(func(k *known) { k.highest = max(k.highest, seq) })
		return nil
	case err != nil && !errors.Is(err, jetstream.ErrMsgNotFound):
		return unavailable("the marker", err)
	}
	return s.forgot(ctx, before, there)
}

// forgot moves Since.
func (s *Store) forgot(ctx context.Context, before known, wentBack bool) error {
	err := s.memory.Forget(before, func() error {
		if wentBack {
			if err := s.dropMark(ctx, before.mark); err != nil {
				return unavailable("the marker", err)
			}
		}
		return s.learn(ctx)
	})
	if err != nil {
		return err
	}
	detail := "it was purged, or made again"
	if wentBack {
		detail = "it went back to an older state"
	}
	return &Error{Reason: ReasonForgotten, Rule: "stream " + s.cfg.records().Name, Detail: detail}
}
