package xmlenc

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"io"
)

// Keys are our private keys, for one message.
type Keys struct {
	private []crypto.Decrypter
	random  io.Reader
	left    int // private-key operations that are left for the message
}

// NewKeys returns our private keys for one message, in the order in which they are
// tried, for at most that many operations.
func NewKeys(private []crypto.Decrypter, random io.Reader, operations int) *Keys {
	return &Keys{private: private, random: random, left: operations}
}

// Open decrypts, and returns the result of read on the plaintext. It tries each
// EncryptedKey with each private key until read accepts the plaintext. It calls
// read with a wrong plaintext too, so that the time reveals nothing; read must have
// no side effect.
//
// Every failure to decrypt returns the same error, after the same number of
// private-key operations. Where the plaintext is malleable, success takes that
// number too, because later checks may refuse it. An error of read is returned only
// where the plaintext has integrity of its own (GCM): its author knows it anyway.
func Open[T any](s *Sealed, keys *Keys, read func(plaintext []byte) (T, error)) (T, error) {
	var found, none T
	tries := min(len(s.keys)*len(keys.private), maxTries)
	if tries > keys.left {
		return none, &Error{Reason: Limit, Detail: "more private-key operations than one message may cost"}
	}
	done := false
	for i := range tries {
		if done && !s.Malleable() {
			break
		}
		keys.left--
		w, private := &s.keys[i/len(keys.private)], keys.private[i%len(keys.private)]
		content, unwrapped := w.unwrap(private, keys.random, s.block.keyLen)
		plain, decrypted := s.block.open(content, s.value)
		got, err := read(plain)
		switch {
		case !unwrapped || !decrypted:
		case err == nil && !done:
			found, done = got, true
		case err != nil && !s.block.cbc:
			return none, err
		}
	}
	if !done {
		return none, failed()
	}
	return found, nil
}

func (b block) open(key, value []byte) (plain []byte, ok bool) {
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	if b.cbc {
		return openCBC(c, value)
	}
	return openGCM(c, value)
}

// openGCM is XML Encryption 1.1, 5.2.4: a nonce of 96 bits, the ciphertext, a tag
// of 128 bits.
func openGCM(c cipher.Block, value []byte) ([]byte, bool) {
	gcm, err := cipher.NewGCM(c)
	if err != nil || len(value) < gcm.NonceSize()+gcm.Overhead() {
		return nil, false
	}
	plain, err := gcm.Open(nil, value[:gcm.NonceSize()], value[gcm.NonceSize():], nil)
	return plain, err == nil
}

// openCBC is XML Encryption 1.1, 5.2 and 5.2.1: an initialisation vector, then
// whole blocks. The last byte is the number of bytes to drop; other padding bytes
// are ignored. Where the number is impossible, ok is false and a plaintext is
// returned all the same.
func openCBC(c cipher.Block, value []byte) ([]byte, bool) {
	if len(value)%aes.BlockSize != 0 || len(value) < 2*aes.BlockSize {
		return nil, false
	}
	plain := make([]byte, len(value)-aes.BlockSize)
	cipher.NewCBCDecrypter(c, value[:aes.BlockSize]).CryptBlocks(plain, value[aes.BlockSize:])
	drop := int(plain[len(plain)-1])
	ok := drop >= 1 && drop <= aes.BlockSize
	if !ok {
		drop = 1
	}
	return plain[:len(plain)-drop], ok
}
