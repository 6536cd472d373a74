package acs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Store keeps what the nodes of one Region must know together: which requests
// wait for an answer, and which assertions were used. All nodes of a Region
// share one store; two Regions need not, because no assertion is good in two.
//
// Keys are at most 100 characters of a-z, 0-9 and '.'. Those of requests begin
// with [KeyPrefixRequest] and those of used assertions with
// [KeyPrefixAssertion]; others may be used for other things. Values are opaque
// and at most 64 KiB; a store copies them, in and out. A store is safe for
// concurrent use, heeds its contexts, and judges lifetimes by its own clock.
// Package storetest checks all of this.
//
// Any error but ErrExists and ErrNotFound means that the store can't answer,
// and then nobody gets in. So a store never guesses, and never reads from a
// copy that may be behind.
type Store interface {
	// Add stores v under key until exp, at least: a store whose lifetimes are
	// coarse rounds up. It gives ErrExists if a live record has that key, and
	// ErrExpired, storing nothing, if exp is not in the future. It is atomic:
	// of any number of Adds at once, on any nodes, one succeeds.
	//
	// A store may give ErrFull: for keys that begin with KeyPrefixRequest, which
	// unauthenticated clients can cause to be made, by a quota of their own, and
	// for others when it has no room at all. It never drops a live record to make
	// room.
	Add(ctx context.Context, key string, v []byte, exp time.Time) error
	// Take removes the live record and returns its value, or gives ErrNotFound.
	// It is atomic: at most one caller ever gets it.
	Take(ctx context.Context, key string) ([]byte, error)
}

// Rememberer is for a [Store] that can forget, because it is restarted empty
// or can be flushed. Something that wraps such a store passes it on.
type Rememberer interface {
	// Since is the instant since which nothing live was forgotten; it never
	// moves back. Unsolicited assertions issued before it are refused, because
	// it is not known whether they were used. So are answers to requests made
	// before it: the store may have gone back to a state in which a used
	// request waits again. An assertion's instant is by the identity
	// provider's clock, and a request's by the node's, so a store that must
	// allow for a fast one gives a later instant. A request that is made while
	// Since is what it is when the answer comes is not judged by the clock.
	// Zero: nothing was ever forgotten.
	Since() time.Time
}

// Quota is for a [Store] that gives ErrFull. Something that wraps such a store
// passes it on.
type Quota interface {
	// RequestQuota is how many requests may wait for an answer at once. Each
	// client address gets a part of it (see [Config].ClientAddr); a store that
	// doesn't say is taken to have room for 100,000.
	RequestQuota() int
}

// What the keys of the two kinds of record begin with.
const (
	KeyPrefixRequest   = "request."
	KeyPrefixAssertion = "assertion."
)

// requestKey can't be computed without the secret in the browser's cookie, so
// whoever knows only a request's ID can neither use nor use up its record.
func requestKey(id, secret string) string {
	return KeyPrefixRequest + hashed("request", id, secret)
}

// assertionKey is by what the identity provider signed, never by the ID of
// the Response, which anybody can change where only the assertion is signed.
func assertionKey(idp, assertionID string) string {
	return KeyPrefixAssertion + hashed("assertion", idp, assertionID)
}

// hashed puts each part's length before it, so that no two lists of parts are
// the same bytes. Records of older versions are stored under these.
func hashed(parts ...string) string {
	b := make([]byte, 0, 256)
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
