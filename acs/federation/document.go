package federation

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// document is accepted metadata of a source. It never changes.
type document struct {
	*saml.Aggregate
	fetched time.Time
	etag    string
	read    *sync.Map    // entity ID → result
	tried   atomic.Int64 // when a refresh last began, in Unix nanoseconds
}

type result struct {
	idp *saml.IdP
	err error
}

// idp returns an identity provider with its policy, which it reads once.
func (d *document) idp(entityID string, cfg *Config) (*saml.IdP, error) {
	if r, ok := d.read.Load(entityID); ok {
		return r.(result).idp, r.(result).err
	}
	idp, err := d.IdP(entityID)
	if err == nil && cfg.Policy != nil {
		idp, err = idp.WithPolicy(cfg.Policy(entityID))
	}
	if d.Has(entityID) { // names that clients invent are not stored
		d.read.Store(entityID, result{idp, err})
	}
	return idp, err
}

// again returns a copy of d that counts as fetched now, because the source has not
// changed.
func (d *document) again(now time.Time) *document {
	return &document{Aggregate: d.Aggregate, fetched: now, etag: d.etag, read: d.read}
}

// due reports whether d must be refreshed.
func (d *document) due(cfg *Config) bool { return cfg.Now().Sub(d.fetched) >= cfg.next(d) }

// stale reports whether d must be refreshed and no attempt was made recently.
func (d *document) stale(cfg *Config) bool {
	return d.due(cfg) && cfg.Now().Sub(time.Unix(0, d.tried.Load())) >= cfg.MinRefresh
}

// accept verifies a document of a source. It must not have expired, nor be older
// than last, which may be nil.
func (s *source) accept(raw []byte, last *document) (*document, error) {
	d, err := s.verify(raw)
	if err != nil {
		return nil, err
	}
	if err := s.inForce(d.ValidUntil()); err != nil {
		return nil, err
	}
	if last != nil {
		if err := s.notOlder(d.Aggregate, last.Aggregate); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// verify parses a document, and checks its signature and its validity period.
func (s *source) verify(raw []byte) (*document, error) {
	read := func() (*saml.Aggregate, error) { return saml.VerifyAggregate(raw, s.Keys) }
	if len(s.Keys) == 0 { // the operator vouches for it
		read = func() (*saml.Aggregate, error) { return saml.ParseAggregate(raw) }
	}
	a, err := read()
	if err != nil {
		return nil, err
	}
	if s.MaxValidity > 0 {
		latest := s.cfg.Now().Add(s.MaxValidity + s.cfg.Skew)
		switch until := a.ValidUntil(); {
		case until.IsZero():
			return nil, &Error{Reason: ReasonValidity, Rule: s.Name, Detail: "the root has no validUntil"}
		case until.After(latest):
			return nil, &Error{Reason: ReasonValidity, Rule: s.Name,
				Want: "a validUntil before " + format(latest), Got: format(until)}
		}
	}
	return &document{Aggregate: a, fetched: s.cfg.Now(), read: new(sync.Map)}, nil
}

// inForce returns an error if metadata is past its validUntil.
func (s *source) inForce(until time.Time) error {
	if now := s.cfg.Now(); !until.IsZero() && !now.Before(until.Add(s.cfg.Skew)) {
		return &saml.Error{Reason: saml.ReasonMetadataExpired, Rule: "validUntil (Metadata 2.3.2)", Detail: s.Name,
			Want: "a validUntil after " + format(now), Got: format(until)}
	}
	return nil
}

// notOlder refuses a document that was published before the one in use. A
// publication time in the future is ignored, because it would block all later
// documents.
func (s *source) notOlder(a, last *saml.Aggregate) error {
	newer, older := a.CreationInstant(), last.CreationInstant()
	if newer.IsZero() || older.IsZero() || older.After(s.cfg.Now().Add(s.cfg.Skew)) {
		newer, older = a.ValidUntil(), last.ValidUntil()
	}
	if newer.IsZero() || older.IsZero() || !newer.Before(older) {
		return nil
	}
	return &Error{Reason: ReasonRollback, Rule: s.Name,
		Want: "no document older than " + format(older), Got: format(newer)}
}

func format(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// reasonOf returns the Reason of an error of this package or of saml.
func reasonOf(err error) string {
	var own *Error
	var verifier *saml.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &own):
		return string(own.Reason)
	case errors.As(err, &verifier):
		return string(verifier.Reason)
	}
	return string(ReasonFetch)
}
