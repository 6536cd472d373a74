package natsstore

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/acs/sessions"
)

const sessionSubject = ".session."

// sessions returns the settings of the stream of sessions, in which a message replaces an earlier one.
func (cfg *Config) sessions() jetstream.StreamConfig {
	out := cfg.streamConfig("sessions", -1, cfg.Prefix+sessionSubject+"*")
	out.Description, out.DiscardNewPerSubject = "Meridian: sessions that the nodes of a Region share", false
	return out
}

// NewSessions returns a store of sessions that the nodes of a Region share, or several Regions. region names its
// component of an Epoch. It keeps them in a stream of its own, "<Prefix>_sessions". MaxRequests and Margin don't apply.
// The error is an [*Error]. Every read of a session reads what could end it, from the stream's leader.
func NewSessions(ctx context.Context, cfg Config, region string) (*sessions.RecordStore, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	stream, err := openStream(ctx, cfg.JetStream, cfg.sessions())
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, js: cfg.JetStream, clock: newClock(cfg.JetStream, cfg.sessions().Name)}
	return sessions.NewRecordStore(sessions.RecordConfig{
		Records: &records{s, stream}, Region: region, Sealer: cfg.sealing().Sessions(),
		InsecurePlaintext: cfg.InsecurePlaintext, InsecureOpenPlaintext: cfg.InsecureOpenPlaintext,
	}), nil
}

// records are sessions.Records. The version of a record is its message's sequence number.
type records struct {
	*Store // without its streams
	stream jetstream.Stream
}

func (s *records) subject(key string) (string, error) {
	if !storeerr.Key.MatchString(key) {
		return "", &Error{Reason: ReasonKey, Rule: "sessions.Records", Want: storeerr.WantKey, Got: key}
	}
	return s.cfg.Prefix + sessionSubject + strings.ReplaceAll(key, ".", "_"), nil
}

// Read implements sessions.Records.
func (s *records) Read(ctx context.Context, keys ...string) ([]sessions.Record, error) {
	ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	now, err := s.clock.now(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]sessions.Record, len(keys))
	for i, key := range keys {
		subject, err := s.subject(key)
		if err != nil {
			return nil, err
		}
		m, err := s.stream.GetLastMsgForSubject(ctx, subject)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			continue
		case err != nil:
			return nil, unavailable("read of a session", err)
		}
		out[i] = sessions.Record{Version: strconv.FormatUint(m.Sequence, 10), Value: m.Data}
		if len(m.Data) == 0 { // of Delete
			out[i].Value = nil
		}
		if text := m.Header.Get(expires); text != "" {
			exp, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return nil, unavailable("read of a session: not a record of this package", err)
			}
			if !now.Before(exp) { // the server will remove it soon
				out[i].Value = nil
			}
		}
	}
	return out, nil
}

// Write implements sessions.Records.
func (s *records) Write(ctx context.Context, key string, v []byte, version string, exp time.Time) error {
	subject, err := s.subject(key)
	if err != nil {
		return err
	}
	ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	known := uint64(0)
	if version != "" {
		if known, err = strconv.ParseUint(version, 10, 64); err != nil {
			return unavailable("write of a session", err)
		}
	}
	m := &nats.Msg{Subject: subject, Data: v}
	o := []jetstream.PublishOpt{
		jetstream.WithExpectLastSequencePerSubject(known), jetstream.WithExpectStream(s.cfg.sessions().Name),
	}
	if !exp.IsZero() {
		now, err := s.clock.now(ctx)
		if err != nil {
			return err
		}
		m.Header = nats.Header{expires: {exp.UTC().Format(time.RFC3339Nano)}}
		o = append(o, jetstream.WithMsgTTL(max(time.Second, roundUp(exp.Sub(now)))))
	}
	_, err = s.js.PublishMsg(ctx, m, o...)
	var api *jetstream.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence:
		return sessions.ErrChanged
	}
	return unavailable("write of a session", err)
}

// deletedFor is how long the server keeps the empty message of a deleted record.
const deletedFor = time.Minute

// Delete implements sessions.Records. It publishes an empty message instead of purging the subject: in a cluster, a
// purge and a concurrent Touch, which expects the sequence number from before, can both succeed, and the session would
// be back. Messages of one subject have an order. Nothing is stored for a record that isn't there.
func (s *records) Delete(ctx context.Context, key string) error {
	subject, err := s.subject(key)
	if err != nil {
		return err
	}
	if known, err := s.Read(ctx, key); err != nil || known[0].Value == nil {
		return err
	}
	ctx, cancel, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	_, err = s.js.PublishMsg(ctx, &nats.Msg{Subject: subject},
		jetstream.WithExpectStream(s.cfg.sessions().Name), jetstream.WithMsgTTL(deletedFor))
	if err != nil {
		return unavailable("removal of a session", err)
	}
	return nil
}
