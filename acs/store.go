package acs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Store keeps what the nodes of one Region must know together: which requests wait for an answer, and which assertions
// were used. All nodes of a Region share one store; two Regions need not, because no assertion is valid in both.
//
// Keys have 1 to 100 characters of a-z, 0-9 and '.'. Those of requests begin with [KeyPrefixRequest], those
// of used assertions with [KeyPrefixAssertion]; a program may use others. Values are opaque and at most
// 64 KiB; a store copies them, in and out. A store is safe for concurrent use, respects its contexts, and
// judges lifetimes by its own clock. Package storetest checks all of this.
//
// Any error but ErrExists and ErrNotFound means that the store can't answer, and the sign-in is refused. So
// a store never guesses, and never reads from a copy that may be behind.
type Store interface {
	// Add stores v under key at least until exp: a store whose lifetimes are coarse rounds up. It returns
	// ErrExists if a live record has that key, and ErrExpired, storing nothing, if exp is not in the
	// future. It is atomic: of any number of concurrent Adds, on any nodes, one succeeds.
	//
	// A store may return ErrFull: for keys that begin with KeyPrefixRequest, which unauthenticated clients
	// can cause to be made, by a quota of their own, and for others when it has no room at all. It never
	// drops a live record to make room.
	Add(ctx context.Context, key string, v []byte, exp time.Time) error
	// Take removes the live record and returns its value, or ErrNotFound. It is atomic: at most one caller gets it.
	Take(ctx context.Context, key string) ([]byte, error)
}

// Rememberer is implemented by a [Store] that can forget, because it is restarted empty or can be flushed.
// A wrapper of such a store passes it on.
type Rememberer interface {
	// Since returns the instant since which nothing live was forgotten; it never moves back. Zero: nothing
	// was ever forgotten. Unsolicited assertions issued before it are refused, because they may have been
	// used. So are answers to requests made before it: the store may have gone back to a state in which a
	// used request waits again. An assertion's instant is by the identity provider's clock, and a
	// request's by the node's, so a store that must allow for a fast one returns a later instant. The
	// clock doesn't matter for a request that was made while Since was the same as when the answer comes.
	Since() time.Time
}

// Quota is implemented by a [Store] that returns ErrFull. A wrapper of such a store passes it on.
type Quota interface {
	// RequestQuota returns how many requests may wait for an answer at once. Each client address gets a
	// part of it (see [Config].ClientAddr). Without it, a store is taken to have room for 100,000.
	RequestQuota() int
}

// The prefixes of the keys of the two kinds of record.
const (
	KeyPrefixRequest   = "request."
	KeyPrefixAssertion = "assertion."
)

// requestKey can't be computed without the secret in the browser's cookie, so a client that knows only a
// request's ID can neither use nor consume its record.
func requestKey(id, secret string) string {
	return KeyPrefixRequest + hashed("request", id, secret)
}

// assertionKey is computed from what the identity provider signed, not from the Response's ID, which an
// attacker can change where only the assertion is signed.
func assertionKey(idp, assertionID string) string {
	return KeyPrefixAssertion + hashed("assertion", idp, assertionID)
}

// hashed writes each part's length before it, so that no two lists of parts are the same bytes. Stored
// records depend on this encoding.
func hashed(parts ...string) string {
	b := make([]byte, 0, 256)
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
