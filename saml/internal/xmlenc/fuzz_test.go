package xmlenc_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
)

// FuzzDecrypt feeds the form, the wrapped key and the ciphertext. Whatever
// the input: no panic; an error means no plaintext, and is an *xmlenc.Error or the
// reader's; the keys are used a bounded number of times; and from a ciphertext
// with integrity the plaintext is the original one.
func FuzzDecrypt(f *testing.F) {
	for data := range keyBits {
		f.Add(message{data: data}.String(), []byte(nil), []byte(nil))
		f.Add(message{data: data, transport: rsa15}.String(), []byte("x"), []byte(nil))
	}
	for _, n := range []int{1, 11, 12, 13, 15, 16, 17, 27, 28, 29, 31, 32, 33, 47, 48} {
		f.Add(message{data: gcm128}.String(), []byte(nil), make([]byte, n))
		f.Add(message{data: cbc256}.String(), []byte(nil), make([]byte, n))
		f.Add(message{transport: oaep, digest: xenc + "sha512"}.String(), make([]byte, n), []byte(nil))
	}
	f.Add(message{detached: true, to: []envelope{{key: keys().a}, {key: keys().b}}}.String(), []byte(nil), []byte(nil))
	f.Add(message{retrieval: "#_k", to: []envelope{{key: keys().a, attrs: `Id="_k"`}}}.String(), []byte(nil), []byte(nil))
	f.Add(`<a><EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"/></a>`, []byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, doc string, wrapped, value []byte) {
		a, b := &counter{PrivateKey: keys().a}, &counter{PrivateKey: keys().b}
		for i, policy := range []xmlenc.Policy{{}, loose} {
			got, err := decrypt(splice(doc, wrapped, value), policy, a, b)
			require.LessOrEqual(t, a.n.Load()+b.n.Load(), int64(16))
			if err != nil {
				require.Empty(t, got)
			} else if i == 0 {
				require.Equal(t, good, got)
			}
		}
	})
}

// splice puts other bytes into the first two CipherValues: in most documents
// the wrapped key, then the data.
func splice(doc string, values ...[]byte) string {
	const open, end = "<xenc:CipherValue>", "</xenc:CipherValue>"
	out := ""
	for _, value := range values {
		at := indexAfter(doc, open)
		to := indexAfter(doc, end) - len(end)
		if at < 0 || to < at {
			break
		}
		if value == nil {
			out, doc = out+doc[:to+len(end)], doc[to+len(end):]
			continue
		}
		out, doc = out+doc[:at]+base64.StdEncoding.EncodeToString(value)+end, doc[to+len(end):]
	}
	return out + doc
}

func indexAfter(s, sub string) int {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i:i+len(sub)] == sub {
			return i + len(sub)
		}
	}
	return -1
}
