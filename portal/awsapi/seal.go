package awsapi

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
	"strconv"
)

// Sealer encrypts and authenticates what clients keep for the service. All nodes that accept each other's tokens have
// the same keys. It is safe for concurrent use, and a Sealer whose key is in a service of its own may take time.
type Sealer interface {
	// Seal encrypts plaintext, and binds it to the associated data, which isn't secret.
	Seal(ctx context.Context, plaintext, associatedData []byte) ([]byte, error)
	// Open returns the plaintext. ErrNotSealed: none of the keys sealed it with this associated data. Any other error
	// means that the Sealer can't answer.
	Open(ctx context.Context, sealed, associatedData []byte) ([]byte, error)
}

// ErrNotSealed is the error of [Sealer.Open] for data that it didn't seal, or that was changed.
var ErrNotSealed = errors.New("awsapi: not sealed with any of the keys")

const (
	keyBytes  = 32 // AES-256
	idBytes   = 4  // of a key, to find it
	saltBytes = 16
)

type keySealer struct{ keys [][]byte }

// NewSealer returns a Sealer with keys of 32 random bytes each. The first one seals, all of them open: to change the
// key, first add the new one at the end on all nodes, then move it to the front, and drop the old one when its tokens
// have expired. The error is an *Error with ReasonConfig.
//
// Every token has a key of its own, HMAC-SHA-256 of a random salt, for AES-256-GCM. So the number of tokens that
// unauthenticated clients can ask for is no concern.
func NewSealer(keys ...[]byte) (Sealer, error) {
	if len(keys) == 0 {
		return nil, badConfig("keys", "at least one", "none")
	}
	s := &keySealer{}
	for _, k := range keys {
		if len(k) != keyBytes {
			return nil, badConfig("key", "32 bytes", strconv.Itoa(len(k)))
		}
		s.keys = append(s.keys, slices.Clone(k))
	}
	return s, nil
}

// Seal implements Sealer: the key's ID, salt, and the ciphertext with its tag.
func (s *keySealer) Seal(_ context.Context, plaintext, associatedData []byte) ([]byte, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	out := append(keyID(s.keys[0]), salt...)
	return aead(s.keys[0], salt).Seal(out, make([]byte, 12), plaintext, associatedData), nil
}

// Open implements Sealer.
func (s *keySealer) Open(_ context.Context, sealed, associatedData []byte) ([]byte, error) {
	if len(sealed) < idBytes+saltBytes {
		return nil, ErrNotSealed
	}
	id, salt, text := sealed[:idBytes], sealed[idBytes:idBytes+saltBytes], sealed[idBytes+saltBytes:]
	for _, k := range s.keys {
		if subtle.ConstantTimeCompare(id, keyID(k)) != 1 {
			continue
		}
		if plain, err := aead(k, salt).Open(nil, make([]byte, 12), text, associatedData); err == nil {
			return plain, nil
		}
	}
	return nil, ErrNotSealed
}

// aead returns the cipher for one message. Its key is used once, so its nonce may be zero.
func aead(key, salt []byte) cipher.AEAD {
	block, err := aes.NewCipher(mac(key, "meridian awsapi token", salt))
	if err == nil {
		var gcm cipher.AEAD
		if gcm, err = cipher.NewGCM(block); err == nil {
			return gcm
		}
	}
	panic(err) // the key has the right length
}

func keyID(key []byte) []byte { return mac(key, "meridian awsapi key id", nil)[:idBytes] }

func mac(key []byte, purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write(data)
	return h.Sum(nil)
}
