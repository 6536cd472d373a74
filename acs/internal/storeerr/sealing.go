package storeerr

import (
	"context"
	"errors"
)

// Sealer is acs.Sealer, and sessions.Sealer.
type Sealer interface {
	Seal(ctx context.Context, plain, associated []byte) ([]byte, error)
	Open(ctx context.Context, sealed, associated []byte) ([]byte, error)
}

// Sealing seals the values of a store. The zero value stores them as they are.
type Sealing struct {
	// Sealer is nil if there is none.
	Sealer Sealer
	// Store names the store among those of a Region. It has no byte 0.
	Store string
	// Plain accepts values that were stored without a Sealer.
	Plain bool
}

// Check returns the name of the field that makes a configuration invalid, and how, or "".
func (s Sealing) Check(insecurePlaintext bool) (field, detail string) {
	switch {
	case s.Sealer == nil && !insecurePlaintext:
		return "Sealer", "is required without InsecurePlaintext"
	case s.Sealer != nil && insecurePlaintext:
		return "InsecurePlaintext", "must be false with Sealer"
	case s.Sealer == nil && s.Plain:
		return "InsecureOpenPlaintext", "must be false without Sealer"
	}
	return "", ""
}

// mark begins sealed values. No value of package acs begins with it: they are JSON, or empty.
const mark = 1

// errPlain is the error for a value that is not sealed.
var errPlain = errors.New("the value is not sealed; InsecureOpenPlaintext accepts values from before an upgrade")

// Seal seals the value of a key.
func (s Sealing) Seal(ctx context.Context, key string, v []byte) ([]byte, error) {
	if s.Sealer == nil {
		return v, nil
	}
	sealed, err := s.Sealer.Seal(ctx, v, s.bound(key))
	if err != nil {
		return nil, err
	}
	return append([]byte{mark}, sealed...), nil
}

// Open opens the value of a key.
func (s Sealing) Open(ctx context.Context, key string, v []byte) ([]byte, error) {
	sealed := len(v) > 0 && v[0] == mark
	switch {
	case s.Sealer == nil || s.Plain && !sealed:
		return v, nil
	case !sealed:
		return nil, errPlain
	}
	return s.Sealer.Open(ctx, v[1:], s.bound(key))
}

// bound is the associated data of a value: its kind, schema, store and key. A key has no byte 0, either.
func (s Sealing) bound(key string) []byte {
	return []byte("meridian acs record\x001\x00" + s.Store + "\x00" + key)
}

// Sessions returns the Sealer of the store's sessions, or nil if there is none. Package sessions names only the record:
// without the store, a session of one store could be copied to another one under the same key.
func (s Sealing) Sessions() Sealer {
	if s.Sealer == nil {
		return nil
	}
	return ofStore{s}
}

type ofStore struct{ Sealing }

func (s ofStore) Seal(ctx context.Context, plain, associated []byte) ([]byte, error) {
	return s.Sealer.Seal(ctx, plain, s.named(associated))
}

func (s ofStore) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	return s.Sealer.Open(ctx, sealed, s.named(associated))
}

func (s ofStore) named(associated []byte) []byte {
	return append([]byte("meridian acs store\x00"+s.Store+"\x00"), associated...)
}
