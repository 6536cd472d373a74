package integrity

import (
	"encoding/binary"
	"encoding/hex"
	"maps"
)

// A Sum is the sum of keyed hashes. The order of what was added makes no
// difference, and what was added can be taken away again.
type Sum [32]byte

func (s Sum) plus(o Sum, sign uint64) (out Sum) {
	for i := 0; i < len(s); i += 8 {
		binary.BigEndian.PutUint64(out[i:], binary.BigEndian.Uint64(s[i:])+sign*binary.BigEndian.Uint64(o[i:]))
	}
	return out
}

// MarshalText writes the sum in hexadecimal.
func (s Sum) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Sum) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(s)) {
		return hex.ErrLength
	}
	_, err := hex.Decode(s[:], b)
	return err
}

// Sums are the sums of what expires in each interval, by its number.
type Sums map[int64]Sum

func bucket(until int64) int64 {
	if until == 0 {
		return never
	}
	return until / bucketSeconds
}

func (s Sums) add(b int64, v Sum) { s.set(b, s[b].plus(v, 1)) }

func (s Sums) remove(b int64, v Sum) { s.set(b, s[b].plus(v, ^uint64(0))) }

func (s Sums) set(b int64, v Sum) {
	if s[b] = v; v == (Sum{}) {
		delete(s, b)
	}
}

// Beyond adds up what lives at least until the cutoff.
func (s Sums) Beyond(cutoff int64) (out Sum) {
	for b, v := range s {
		if beyond(b, cutoff) {
			out = out.plus(v, 1)
		}
	}
	return out
}

// beyond says whether what expires in an interval lives at least until the cutoff.
func beyond(b, cutoff int64) bool { return b == never || b*bucketSeconds >= cutoff }

// Counts are how many messages expire in each interval, by its number.
type Counts map[int64]int

func (n Counts) add(b int64, v int) {
	if n[b] += v; n[b] == 0 {
		delete(n, b)
	}
}

// Beyond adds up what lives at least until the cutoff.
func (n Counts) Beyond(cutoff int64) (out int) {
	for b, v := range n {
		if beyond(b, cutoff) {
			out += v
		}
	}
	return out
}

func (s Sums) clone() Sums { return maps.Clone(s) }

// Cutoff is the instant from which on two places must hold the same, if their
// clocks are at most skew apart: seconds of Unix time at the edge of an
// interval. It leaves ten minutes for clocks that are further apart.
func Cutoff(now, skew int64) int64 {
	return (now+2*skew+bucketSeconds)/bucketSeconds*bucketSeconds + bucketSeconds
}

// A Digest says what a place has of a stream at a position.
type Digest struct {
	Store    string `json:"store"`
	Position uint64 `json:"position"`
	Cutoff   int64  `json:"cutoff"`
	Sum      Sum    `json:"sum"`
}
