package integrity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// A Key makes and checks the proofs of a Region. It never leaves the Region.
type Key [32]byte

// MarshalText encodes the key as base64.
func (k Key) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, k[:]), nil }

// UnmarshalText decodes what MarshalText encodes.
func (k *Key) UnmarshalText(b []byte) error {
	return decodeText(k[:], "key", b, base64.StdEncoding.DecodeString)
}

// MarshalText encodes the hash as base64.
func (i Item) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, i[:]), nil
}

// UnmarshalText decodes what MarshalText encodes.
func (i *Item) UnmarshalText(b []byte) error {
	return decodeText(i[:], "hash", b, base64.RawURLEncoding.DecodeString)
}

// decodeText decodes text into all of dst.
func decodeText(dst []byte, what string, text []byte, decode func(string) ([]byte, error)) error {
	v, err := decode(string(text))
	if err != nil {
		return fmt.Errorf("integrity: %s: %w", what, err)
	}
	if len(v) != len(dst) {
		return fmt.Errorf("integrity: %s of %d bytes, want %d", what, len(v), len(dst))
	}
	copy(dst, v)
	return nil
}

// A Generation is one start of a Region's Node. The number orders them. The ID
// tells two with the same number apart: the Region's disk was copied or put back
// in between.
type Generation struct {
	Number uint64 `json:"number"`
	ID     string `json:"id"` // letters and digits
}

// A Place is the sequence of a message in one line of a store.
type Place struct {
	Line, Store string
	Seq         uint64
}

// A Proof shows that a message was at a place. Only the owner can read its Token.
type Proof struct {
	Seq   uint64 `json:"seq"`
	Item  Item   `json:"item"`
	Token string `json:"token"`
}

// Prove makes the token of a message that is given to another Region.
func (k Key) Prove(g Generation, at Place, item Item) string {
	return fmt.Sprintf("%d.%s.%s", g.Number, g.ID, base64.RawURLEncoding.EncodeToString(k.mac(g, at, item)))
}

// Check reports whether the owner of this key made the token for this message at this place, and in which generation.
func (k Key) Check(token string, at Place, item Item) (g Generation, ok bool) {
	part := strings.Split(token, ".")
	if len(part) != 3 {
		return g, false
	}
	number, err := strconv.ParseUint(part[0], 10, 64)
	mac, err2 := base64.RawURLEncoding.DecodeString(part[2])
	g = Generation{number, part[1]}
	if err != nil || err2 != nil || !hmac.Equal(mac, k.mac(g, at, item)) {
		return Generation{}, false
	}
	return g, true
}

// NumberIn returns the number of the start in which a token was made, as the token
// says: only the Region that made it can check that. 0: it isn't a token.
func NumberIn(token string) uint64 {
	digits, _, _ := strings.Cut(token, ".")
	number, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return number
}

func (k Key) mac(g Generation, at Place, item Item) []byte {
	h := hmac.New(sha256.New, k[:])
	number := func(v uint64) { h.Write(binary.BigEndian.AppendUint64(nil, v)) }
	for _, s := range []string{"meridian proof", g.ID, at.Line, at.Store} {
		number(uint64(len(s)))
		h.Write([]byte(s))
	}
	number(g.Number)
	number(at.Seq)
	h.Write(item[:])
	return h.Sum(nil)[:24]
}
