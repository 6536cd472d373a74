package acs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Store keeps the records that the nodes of one Region share: of pending requests, and of used assertions. All
// nodes of a Region share one store. Two Regions need not, because no assertion is valid in both.
//
// Keys have 1 to 100 characters of a-z, 0-9 and '.'. Keys of requests begin with [KeyPrefixRequest], and keys of
// used assertions with [KeyPrefixAssertion]. A program may use other keys. Values are opaque and at most 64 KiB. A
// store copies them on Add and Take. It is safe for concurrent use, respects the contexts, and uses its own clock
// for lifetimes. Package storetest checks all of this.
//
// Any error but ErrExists and ErrNotFound means that the store can't answer, and the sign-in is refused. A store
// must not guess, and must not read from a replica that may be behind.
type Store interface {
	// Add stores v under key at least until exp. A store with coarse lifetimes rounds up. Add returns ErrExists if
	// a live record has that key, and ErrExpired if exp is not in the future. It then stores nothing. It is
	// atomic: of any number of concurrent Adds, on any nodes, one succeeds.
	//
	// A store may return ErrFull. Keys that begin with KeyPrefixRequest have their own quota, because
	// unauthenticated clients can create such records. Other keys get ErrFull only if the store has no room at
	// all. A store never drops a live record to make room.
	Add(ctx context.Context, key string, v []byte, exp time.Time) error
	// Take removes the live record and returns its value, or ErrNotFound. It is atomic: at most one call returns
	// the value.
	Take(ctx context.Context, key string) ([]byte, error)
}

// Rememberer is implemented by a [Store] that can lose records, for example in a restart or a flush. A wrapper of
// such a store must implement it too.
type Rememberer interface {
	// Since returns the instant since which no live record was lost. It never moves back. Zero: no record was ever
	// lost. Unsolicited assertions issued before it are refused, because they may have been used. So are answers
	// to requests made before it, because the store may have gone back to a state in which a consumed request is
	// pending again. The instant of an assertion is by the identity provider's clock, and that of a request by the
	// node's. To allow for a fast clock, a store returns a later instant. If Since has not changed between a
	// request and its answer, the request's instant doesn't matter.
	Since() time.Time
}

// Quota is implemented by a [Store] that returns ErrFull. A wrapper of such a store must implement it too.
type Quota interface {
	// RequestQuota returns the maximum number of pending requests. Each client address gets a part of it (see
	// [Config].ClientAddr). For a store without this method, it is 100,000.
	RequestQuota() int
}

// The key prefixes of the two kinds of record.
const (
	KeyPrefixRequest   = "request."
	KeyPrefixAssertion = "assertion."
)

// requestKey returns the key of a request's record. It depends on the secret in the browser's cookie, so a client
// that knows only the request's ID can neither use nor consume the record.
func requestKey(id, secret string) string {
	return KeyPrefixRequest + hashed("request", id, secret)
}

// assertionKey returns the key of a used assertion. It depends on signed values, and not on the Response's ID,
// which an attacker can change if only the assertion is signed.
func assertionKey(idp, assertionID string) string {
	return KeyPrefixAssertion + hashed("assertion", idp, assertionID)
}

// hashed hashes the parts, each after its length, so that different lists have different hashes. Stored records
// depend on this encoding.
func hashed(parts ...string) string {
	b := make([]byte, 0, 256)
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
