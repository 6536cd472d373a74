package xmlenc_test

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

func requireReason(t testing.TB, want xmlenc.Reason, err error) *xmlenc.Error {
	t.Helper()
	var e *xmlenc.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, want, e.Reason, "%v", err)
	return e
}

// Every way to encrypt that is accepted, with every way to wrap the key.
// Obligations: IIP-ALG04, IIP-ALG06, SDP-ALG01.
func TestEveryAlgorithm(t *testing.T) {
	digests := []string{"", ds + "sha1", xenc + "sha256", xenc + "sha384", more + "sha384", xenc + "sha512"}
	masks := []string{"", xenc11 + "mgf1sha1", xenc11 + "mgf1sha256", xenc11 + "mgf1sha384", xenc11 + "mgf1sha512"}
	try := func(m message) {
		t.Run(fmt.Sprint(m.data, m.transport, m.digest, m.mgf, len(m.label)), func(t *testing.T) {
			got, err := decrypt(m.String(), loose, keys().a)
			require.NoError(t, err)
			require.Equal(t, good, got)
		})
	}
	for data := range keyBits {
		try(message{data: data, transport: mgf1p})
		try(message{data: data, transport: oaep})
		try(message{data: data, transport: rsa15})
	}
	for _, digest := range digests {
		try(message{transport: mgf1p, digest: digest})
		try(message{transport: mgf1p, digest: digest, mgf: masks[1], label: []byte("label")})
		for _, mask := range masks {
			try(message{transport: oaep, digest: digest, mgf: mask})
			try(message{transport: oaep, digest: digest, mgf: mask, label: []byte("label")})
		}
	}
}

// Padding is ISO 10126: only the last byte counts.
func TestPadding(t *testing.T) {
	for n := range 17 {
		m := message{data: cbc128, plain: good + strings.Repeat(" ", n)}
		got, err := decrypt(m.String(), loose, keys().a)
		require.NoError(t, err)
		require.Equal(t, m.plain, got)
	}
}

// E10: a digest, a mask or a label other than the one that was used.
func TestOAEPMismatch(t *testing.T) {
	m := message{transport: oaep, digest: xenc + "sha256", mgf: xenc11 + "mgf1sha256", label: []byte("x")}
	doc := m.String()
	for _, change := range []string{
		`xmlenc#sha256"|xmlenc#sha512"`, `mgf1sha256|mgf1sha1`, `OAEPparams>eA==|OAEPparams>eQ==`,
		`<xenc:OAEPparams>eA==</xenc:OAEPparams>|<xenc:OAEPparams/>`,
		`<xenc11:MGF Algorithm="` + xenc11 + `mgf1sha256"/>|`,
	} {
		old, by, _ := strings.Cut(change, "|")
		require.Contains(t, doc, old)
		_, err := decrypt(strings.Replace(doc, old, by, 1), loose, keys().a)
		requireReason(t, xmlenc.Failed, err)
	}
	for _, change := range []string{ // not known, or not what the older name has
		`xmlenc#sha256"|xmldsig#sha256"`, `mgf1sha256|mgf1sha224`, xenc11 + `rsa-oaep"|` + xenc + `rsa-oaep-mgf1p"`,
		`xenc11:MGF|xenc:MGF`,
	} {
		old, by, _ := strings.Cut(change, "|")
		require.Contains(t, doc, old)
		_, err := decrypt(strings.Replace(doc, old, by, 1), loose, keys().a)
		requireReason(t, xmlenc.Algorithm, err)
	}
	m.label = []byte{}
	_, err := decrypt(m.String(), loose, keys().a)
	require.NoError(t, err, "an empty OAEPparams is the empty label")
}

// The wrapped key must fit the data's algorithm exactly (E04, in part).
func TestContentKeyLength(t *testing.T) {
	for data := range keyBits {
		for _, n := range []int{0, 1, 15, 16, 17, 24, 32, 33} {
			if n == keyBits[data]/8 {
				continue
			}
			for _, transport := range []string{mgf1p, rsa15} {
				m := message{data: data, transport: transport}
				doc := m.String()
				short := m
				short.content = make([]byte, n)
				wrapped := encode(
					message{transport: transport, content: short.content}.wrap(envelope{key: keys().a, transport: transport}),
				)
				at := strings.Index(doc, "CipherValue>") + len("CipherValue>")
				end := at + strings.IndexByte(doc[at:], '<')
				_, err := decrypt(doc[:at]+wrapped+doc[end:], loose, keys().a)
				requireReason(t, xmlenc.Failed, err)
			}
		}
	}
}

// E05, E01: short, ragged and changed ciphertext never panics, and fails like
// everything else.
func TestRaggedCiphertext(t *testing.T) {
	var seen []string
	for data := range keyBits {
		for n := range 65 {
			m := message{data: data, changeValue: func(b []byte) []byte { return b[:min(n+1, len(b))] }}
			_, err := decrypt(m.String(), loose, keys().a)
			seen = append(seen, requireReason(t, xmlenc.Failed, err).Error())
		}
		for _, at := range []int{0, 5, 11, 12, 20, -1, -16} {
			m := message{data: data, plain: "<a>" + strings.Repeat("x", 9), changeValue: func(b []byte) []byte {
				b[(at+len(b))%len(b)] ^= 0x80
				return b
			}}
			_, err := decrypt(m.String(), loose, keys().a)
			seen = append(seen, requireReason(t, xmlenc.Failed, err).Error())
		}
	}
	for _, n := range []int{1, 2, 16, 255, 257, 512, 4096} {
		for _, transport := range []string{mgf1p, oaep, rsa15} {
			m := message{transport: transport, changeKey: func([]byte) []byte { return random(n) }}
			_, err := decrypt(m.String(), loose, keys().a)
			seen = append(seen, requireReason(t, xmlenc.Failed, err).Error())
		}
	}
	for _, text := range seen {
		require.Equal(t, seen[0], text)
	}
}

// E01 to E04: whatever goes wrong once a private key is used looks the same:
// one error, which wraps nothing, after the same number of private-key
// operations.
func TestFailuresLookTheSame(t *testing.T) {
	lastByte := func(b byte) func([]byte) []byte {
		return func(plain []byte) []byte {
			n := 16 - len(plain)%16
			return append(append(plain, random(n-1)...), b)
		}
	}
	flip := func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
	junk := func(b []byte) []byte { return random(len(b)) }
	ms := map[string]message{
		"padding 0":              {data: cbc256, pad: lastByte(0)},
		"padding 17":             {data: cbc256, pad: lastByte(17)},
		"padding 255":            {data: cbc256, pad: lastByte(255)},
		"not XML":                {data: cbc256, plain: "hello"},
		"XML cut short":          {data: cbc256, plain: "<a><b>"},
		"not UTF-8":              {data: cbc256, plain: "<a>\xff</a>"},
		"nothing":                {data: cbc256, plain: " "},
		"E08 DOCTYPE":            {data: cbc256, plain: "<!DOCTYPE a><a/>"},
		"E08 two nodes":          {data: cbc256, plain: good + good},
		"E08 undeclared prefix":  {data: cbc256, plain: "<x:a/>"},
		"CBC, wrong key":         {data: cbc256, to: []envelope{{key: keys().b}}},
		"CBC, RSA 1.5 padding":   {data: cbc256, transport: rsa15, changeKey: junk},
		"CBC, RSA 1.5 wrong key": {data: cbc256, transport: rsa15, to: []envelope{{key: keys().b}}},
		"CBC changed":            {data: cbc256, plain: "<a/>", changeValue: junk},
		"ragged":                 {data: cbc256, changeValue: func(b []byte) []byte { return b[1:] }},
		"tag":                    {changeValue: flip},
		"OAEP padding":           {changeKey: junk},
		"wrong key":              {to: []envelope{{key: keys().b}}},
		"E03 RSA 1.5 for OAEP": {transport: rsa15, changeKey: func([]byte) []byte {
			return message{content: random(32)}.wrap(envelope{key: keys().a, transport: mgf1p})
		}},
		"OAEP for RSA 1.5": {changeKey: func([]byte) []byte {
			return message{content: random(32)}.wrap(envelope{key: keys().a, transport: rsa15})
		}},
		"E02 RSA 1.5 wrong start": {
			transport: rsa15,
			changeKey: func([]byte) []byte { return power(&keys().a.PublicKey, nonZero(200)) },
		},
	}
	for name, m := range ms {
		first, second := &counter{PrivateKey: keys().a}, &counter{PrivateKey: keys().c}
		got, err := decrypt(m.String(), loose, first, second)
		e := requireReason(t, xmlenc.Failed, err)
		require.Empty(t, got, name)
		require.Equal(t, "xmlenc: decryption failed with the configured keys", e.Error(), name)
		require.NoError(t, errors.Unwrap(err), name)
		require.Empty(t, e.Want+e.Got, name)
		require.EqualValues(t, 1, first.n.Load(), name)
		require.EqualValues(t, 1, second.n.Load(), name)
	}

	// Where an attacker could have changed the plaintext, a success costs the same
	// number of operations, because more may go wrong after it.
	for _, m := range []message{{data: cbc256}, {data: gcm256}} {
		first, second := &counter{PrivateKey: keys().a}, &counter{PrivateKey: keys().c}
		_, err := decrypt(m.String(), loose, first, second)
		require.NoError(t, err)
		require.EqualValues(t, 1, first.n.Load())
		require.EqualValues(t, m.data == cbc256, second.n.Load() == 1, "%s", m.data)
	}
}

// Rollover: any of our keys, in any place.
func TestSeveralKeys(t *testing.T) {
	ours := []crypto.Decrypter{keys().a, keys().b}
	for _, transport := range []string{mgf1p, rsa15} {
		for data := range keyBits {
			for _, key := range []envelope{{key: keys().a}, {key: keys().b}} {
				got, err := decrypt(message{data: data, transport: transport, to: []envelope{key}}.String(), loose, ours...)
				require.NoError(t, err)
				require.Equal(t, good, got)
			}
			_, err := decrypt(
				message{data: data, transport: transport, to: []envelope{{key: keys().c}}}.String(),
				loose,
				ours...)
			requireReason(t, xmlenc.Failed, err)
		}
	}
	_, err := decrypt(message{}.String(), loose)
	requireReason(t, xmlenc.Failed, err)
}

// E11: several recipients, and the work that they can make us do.
func TestManyEncryptedKeys(t *testing.T) {
	other := envelope{key: keys().c}
	fill := func(n int, last envelope) []envelope { return append(slices.Repeat([]envelope{other}, n-1), last) }
	signed := loose
	signed.Authenticated = true
	for _, detached := range []bool{false, true} {
		_, err := decrypt(message{to: fill(8, envelope{key: keys().a}), detached: detached}.String(), signed, keys().a)
		require.NoError(t, err)
		_, err = decrypt(message{to: fill(9, envelope{key: keys().a}), detached: detached}.String(), signed, keys().a)
		requireReason(t, xmlenc.Shape, err)
		_, err = decrypt(message{to: fill(2, envelope{key: keys().a}), detached: detached}.String(), loose, keys().a)
		require.NoError(t, err)
		_, err = decrypt(message{to: fill(3, envelope{key: keys().a}), detached: detached}.String(), loose, keys().a)
		requireReason(t, xmlenc.Failed, err)
	}

	for name, c := range map[string]struct {
		policy xmlenc.Policy
		ours   int64
		want   int64
	}{
		"no signature verified":             {loose, 1, 2},
		"no signature verified, a rollover": {loose, 2, 4},
		"no signature verified, eight keys": {loose, 8, 8},
		"signed around it":                  {signed, 1, 8},
		"signed around it, and a rollover":  {signed, 2, 8},
	} {
		for _, data := range []string{gcm256, cbc256} {
			key := &counter{PrivateKey: keys().a}
			_, err := decrypt(
				message{data: data, to: fill(8, other)}.String(),
				c.policy,
				slices.Repeat([]crypto.Decrypter{key}, int(c.ours))...)
			requireReason(t, xmlenc.Failed, err)
			require.Equal(t, c.want, key.n.Load(), name)
		}
	}

	// The hint decides what is tried first, and nothing else.
	named := envelope{key: keys().a, attrs: `Recipient="` + us + `"`}
	a := &counter{PrivateKey: keys().a}
	_, err := decrypt(message{to: fill(8, named)}.String(), loose, a)
	require.NoError(t, err)
	require.EqualValues(t, 1, a.n.Load(), "the one for us is tried first")
	_, err = decrypt(
		message{
			to: []envelope{{key: keys().c, attrs: named.attrs}, {key: keys().a, attrs: `Recipient="https://other.example"`}},
		}.String(),
		loose,
		keys().a,
	)
	require.NoError(t, err, "a wrong hint excludes nothing")

	// One that can't be used may be for another recipient.
	_, err = decrypt(
		message{to: []envelope{{key: keys().c, transport: rsa15}, {key: keys().a}}}.String(),
		xmlenc.Policy{},
		keys().a,
	)
	require.NoError(t, err)
}

// J06: more EncryptedKeys than are tried, of which those that name us come
// first wherever they stand.
func TestTheEncryptedKeyThatNamesUsIsFound(t *testing.T) {
	other := envelope{key: keys().c, attrs: `Recipient="https://other.example"`}
	unnamed := envelope{key: keys().c}
	named := envelope{key: keys().a, attrs: `Recipient="` + us + `"`}
	notOurs := envelope{key: keys().c, attrs: named.attrs}
	signed := loose
	signed.Authenticated = true
	many := func(n int, e envelope) []envelope { return slices.Repeat([]envelope{e}, n) }
	for name, c := range map[string]struct {
		to                []envelope
		loose, signed     xmlenc.Reason
		triedLoose, tried int64
	}{
		"nine, ours last":  {append(many(8, other), named), -1, -1, 1, 1},
		"nine, ours first": {append([]envelope{named}, many(8, unnamed)...), -1, -1, 1, 1},
		"five hundred, ours between": {
			slices.Concat(many(250, unnamed), []envelope{named}, many(249, other)), -1, -1, 1, 1,
		},
		"the second that names us":  {append(many(8, other), notOurs, named), -1, -1, 2, 2},
		"the eighth that names us":  {append(many(7, notOurs), named), xmlenc.Failed, -1, 2, 8},
		"the ninth that names us":   {append(many(8, notOurs), named), xmlenc.Failed, xmlenc.Failed, 2, 8},
		"nine, and none names us":   {append(many(8, other), envelope{key: keys().a}), xmlenc.Shape, xmlenc.Shape, 0, 0},
		"one that names us wrongly": {append(many(8, other), notOurs, envelope{key: keys().a}), -1, -1, 2, 2},
		"those that can't be used": {
			append(many(9, envelope{key: keys().c, attrs: named.attrs, transport: xenc + "kw-aes128"}), named), -1, -1, 1, 1,
		},
		"eight that name others, alone": {append(many(7, other), envelope{key: keys().a}), -1, -1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			doc := message{to: c.to}.String()
			for _, r := range []struct {
				policy xmlenc.Policy
				want   xmlenc.Reason
				tried  int64
			}{{loose, c.loose, c.triedLoose}, {signed, c.signed, c.tried}} {
				a := &counter{PrivateKey: keys().a}
				got, err := decrypt(doc, r.policy, a)
				if r.want < 0 {
					require.NoError(t, err)
					require.Equal(t, good, got)
				} else {
					requireReason(t, r.want, err)
				}
				require.Equal(t, r.tried, a.n.Load())
			}
		})
	}
}

func TestRetrievalMethod(t *testing.T) {
	to := []envelope{{key: keys().c, attrs: `Id="_k1"`}, {key: keys().a, attrs: `Id="_k2"`}}
	a := &counter{PrivateKey: keys().a}
	_, err := decrypt(message{to: to, retrieval: "#_k2"}.String(), loose, a)
	require.NoError(t, err)
	require.EqualValues(t, 1, a.n.Load(), "the one that is meant is tried first")
	for _, uri := range []string{"#_k3", "#", "", "https://evil.example/#_k2", "_k2", "file:///etc/passwd"} {
		_, err := decrypt(message{to: to, retrieval: uri}.String(), loose, a)
		if uri == "" {
			require.NoError(t, err, "then there is none")
			continue
		}
		requireReason(t, xmlenc.Shape, err)
	}
}

// A message can make the keys work only so often.
func TestOperationsAreBounded(t *testing.T) {
	tree, err := xmltree.Parse(message{}.String(), limits)
	require.NoError(t, err)
	sealed, err := xmlenc.Read(tree.Root(), loose)
	require.NoError(t, err)
	a, b := &counter{PrivateKey: keys().b}, &counter{PrivateKey: keys().a}
	ours := xmlenc.NewKeys([]crypto.Decrypter{a, b}, rand.Reader, 5)
	read := func(plain []byte) (string, error) { return string(plain), nil }
	for i, want := range []xmlenc.Reason{-1, -1, xmlenc.Limit, xmlenc.Limit} {
		_, err := xmlenc.Open(sealed, ours, read)
		if want < 0 {
			require.NoError(t, err, i)
			continue
		}
		requireReason(t, want, err)
	}
	require.EqualValues(t, 2, a.n.Load())
	require.EqualValues(t, 2, b.n.Load())
}

// brokenKey fails, or returns something that is not a content key.
type brokenKey struct {
	counter
	gives []byte
}

func (b *brokenKey) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) {
	if b.gives == nil {
		return nil, errors.New("the HSM is on fire: secret detail")
	}
	return b.gives, nil
}

type noRandom struct{}

func (noRandom) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBrokenKeysAndRandomness(t *testing.T) {
	for _, gives := range [][]byte{nil, {}, make([]byte, 31), make([]byte, 33), make([]byte, 32)} {
		for data := range keyBits {
			_, err := decrypt(
				message{data: data}.String(),
				loose,
				&brokenKey{counter: counter{PrivateKey: keys().a}, gives: gives},
			)
			e := requireReason(t, xmlenc.Failed, err)
			require.NotContains(t, e.Error(), "secret")
		}
	}
	tree, err := xmltree.Parse(message{transport: rsa15}.String(), limits)
	require.NoError(t, err)
	sealed, err := xmlenc.Read(tree.Root(), loose)
	require.NoError(t, err)
	_, err = xmlenc.Open(
		sealed,
		xmlenc.NewKeys([]crypto.Decrypter{keys().a}, noRandom{}, 8),
		func([]byte) (int, error) { return 1, nil },
	)
	requireReason(t, xmlenc.Failed, err)
}
