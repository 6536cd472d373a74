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

// A Key is a Region's own. With it the Region proves to itself what it wrote. It
// never leaves the Region.
type Key [32]byte

// MarshalText writes the key as base64.
func (k Key) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, k[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *Key) UnmarshalText(b []byte) error {
	v, err := base64.StdEncoding.DecodeString(string(b))
	if err == nil && len(v) != len(k) {
		err = fmt.Errorf("integrity: key of %d bytes, want %d", len(v), len(k))
	}
	if err == nil {
		copy(k[:], v)
	}
	return err
}

// A Generation is one start of a Region's Node. The number orders them, and the
// ID tells two apart that have the same number, because the Region's disk was
// copied or put back in between.
type Generation struct {
	Number uint64 `json:"number"`
	ID     string `json:"id"` // letters and digits
}

// A Place is where a message stands: the sequence of a line of a store.
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

// Check says whether the owner of this key made the token for this message at
// this place, and in which generation.
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

func (k Key) mac(g Generation, at Place, item Item) []byte {
	h := hmac.New(sha256.New, k[:])
	var n [8]byte
	number := func(v uint64) {
		binary.BigEndian.PutUint64(n[:], v)
		h.Write(n[:])
	}
	for _, s := range []string{"meridian proof", g.ID, at.Line, at.Store} {
		number(uint64(len(s)))
		h.Write([]byte(s))
	}
	number(g.Number)
	number(at.Seq)
	h.Write(item[:])
	return h.Sum(nil)[:24]
}

// MarshalText writes the hash as base64.
func (i Item) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, i[:]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (i *Item) UnmarshalText(b []byte) error {
	v, err := base64.RawURLEncoding.DecodeString(string(b))
	if err == nil && len(v) != len(i) {
		err = fmt.Errorf("integrity: hash of %d bytes, want %d", len(v), len(i))
	}
	if err == nil {
		copy(i[:], v)
	}
	return err
}
