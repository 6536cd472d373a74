package redisstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// NewSessions returns a store of sessions that the nodes of a Region share, or several Regions. region names its
// component of an Epoch. MaxRequests and Margin don't apply. A Store of the same Redis can have the same Prefix.
//
// Every read of a session reads what could end it, from the primary. Redis can lose its last writes when a replica
// replaces it, and with them the end of a session, which then lives until it is idle. Set min-replicas-to-write, or
// use natsstore.
func NewSessions(ctx context.Context, cfg Config, region string) (*sessions.RecordStore, error) {
	s, err := New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return sessions.NewRecordStore(sessions.RecordConfig{
		Records: records{s}, Region: region, Sealer: s.cfg.sealing().Sessions(),
		InsecurePlaintext: s.cfg.InsecurePlaintext, InsecureOpenPlaintext: s.cfg.InsecureOpenPlaintext,
	}), nil
}

// records are sessions.Records. A value in Redis begins with its version.
type records struct{ *Store }

const versionLength = 16

func (s records) key(key string) string { return "meridian:{" + s.cfg.Prefix + "}:sessions." + key }

// Read implements sessions.Records.
func (s records) Read(ctx context.Context, keys ...string) ([]sessions.Record, error) {
	args := []any{"mget"}
	for _, key := range keys {
		if err := check(ctx, key); err != nil {
			return nil, err
		}
		args = append(args, s.key(key))
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	said, err := s.do(ctx, args...)
	if err != nil {
		return nil, unavailable("read of a session", err)
	}
	all, ok := said.([]any)
	if !ok || len(all) != len(keys) {
		return nil, unavailable("read of a session", fmt.Errorf("the server returned a %T", said))
	}
	out := make([]sessions.Record, len(keys))
	for i, v := range all {
		text, ok := v.(string)
		switch {
		case v == nil:
		case !ok || len(text) < versionLength:
			return nil, unavailable("read of a session", fmt.Errorf("not a record of this package"))
		default:
			out[i] = sessions.Record{Version: text[:versionLength], Value: []byte(text[versionLength:])}
		}
	}
	return out, nil
}

// Write implements sessions.Records.
func (s records) Write(ctx context.Context, key string, v []byte, version string, exp time.Time) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	end := int64(0)
	if !exp.IsZero() {
		end = milliseconds(exp)
	}
	said, err := s.run(ctx, scriptWrite, []string{s.key(key)},
		version, rand.Text()[:versionLength], string(v), end, s.cfg.policy())
	switch {
	case err != nil:
		return unavailable("write of a session", err)
	case said == "STORED":
		return nil
	case said == "CHANGED":
		return sessions.ErrChanged
	}
	if err := wrongPolicy(said); err != nil {
		return err
	}
	return unavailable("write of a session", fmt.Errorf("the script returned a %T", said))
}

// Delete implements sessions.Records.
func (s records) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if _, err := s.do(ctx, "del", s.key(key)); err != nil {
		return unavailable("removal of a session", err)
	}
	return nil
}
