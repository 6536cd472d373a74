package integrity

import (
	"encoding/binary"
	"encoding/hex"
)

// A Sum is the sum of keyed hashes. It doesn't depend on the order in which they
// were added, and a hash can be subtracted again.
type Sum [32]byte

// minus is the factor that subtracts: -1, modulo 2^64.
const minus = ^uint64(0)

func (s Sum) plus(o Sum, factor uint64) (out Sum) {
	for i := 0; i < len(s); i += 8 {
		binary.BigEndian.PutUint64(out[i:], binary.BigEndian.Uint64(s[i:])+factor*binary.BigEndian.Uint64(o[i:]))
	}
	return out
}

// MarshalText encodes the sum in hexadecimal.
func (s Sum) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText decodes what MarshalText encodes.
func (s *Sum) UnmarshalText(b []byte) error { return decodeText(s[:], "sum", b, hex.DecodeString) }

// Sums are sums by interval of expiry, by its number.
type Sums map[int64]Sum

// Counts are numbers of messages by interval of expiry, by its number.
type Counts map[int64]int

// bucketSeconds is the width of an interval of expiry, and never the interval of
// what doesn't expire.
const (
	bucketSeconds = 600
	never         = int64(-1)
)

func bucket(until int64) int64 {
	if until == 0 {
		return never
	}
	return until / bucketSeconds
}

// beyond reports whether messages that expire in an interval don't expire before the cutoff.
func beyond(b, cutoff int64) bool { return b == never || b*bucketSeconds >= cutoff }

func (s Sums) add(b int64, v Sum, factor uint64) {
	if s[b] = s[b].plus(v, factor); s[b] == (Sum{}) {
		delete(s, b)
	}
}

func (n Counts) add(b int64, v int) {
	if n[b] += v; n[b] == 0 {
		delete(n, b)
	}
}

// Beyond returns the sum of all messages that don't expire before the cutoff.
func (s Sums) Beyond(cutoff int64) (out Sum) {
	for b, v := range s {
		if beyond(b, cutoff) {
			out = out.plus(v, 1)
		}
	}
	return out
}

// Cutoff returns the instant from which on two places must hold the same, if their
// clocks are at most skew apart: seconds of Unix time at the edge of an interval.
// It leaves ten minutes for clocks that are further apart.
func Cutoff(now, skew int64) int64 {
	return (now+2*skew+bucketSeconds)/bucketSeconds*bucketSeconds + bucketSeconds
}

// A Digest is the sum of a stream in one place at a position.
type Digest struct {
	Store    string `json:"store"`
	Position uint64 `json:"position"`
	Cutoff   int64  `json:"cutoff"`
	Sum      Sum    `json:"sum"`
}
