package acs_test

import (
	"math/rand/v2"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

func TestUnescapeIsQueryUnescape(t *testing.T) {
	same := func(s string) {
		want, err := url.QueryUnescape(s)
		got, ok := acs.Unescape(s)
		require.Equal(t, err == nil, ok, "%q", s)
		require.Equal(t, want, got, "%q", s)
	}
	for _, s := range []string{"a%2Bb+c%3D", "%", "%2", "%2g", "%g2", "%+2", "%2+", "%-1", "%_1", "%0x", "% 1", "%2b%2B",
		"%00%ff\xff", "+%", "\u2028+", "%%20"} {
		same(s)
	}
	const pieces = "%%%%++2bBfFgx_-=\x00\xff A"
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		s := make([]byte, random.IntN(12))
		for i := range s {
			s[i] = pieces[random.IntN(len(pieces))]
		}
		same(string(s))
	}
}
