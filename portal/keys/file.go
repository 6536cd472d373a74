package keys

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	tinksubtle "github.com/tink-crypto/tink-go/v2/aead/subtle"
	"golang.org/x/crypto/argon2"
)

// A KDF is how a passphrase becomes a key: by Argon2id. Its values are in the file. Zero values: 3 passes over 64 MiB
// in 4 lanes, the second recommended option of RFC 9106, section 4.
type KDF struct {
	Passes uint32 `json:"passes"` // 1 to 16
	KiB    uint32 `json:"kib"`    // of memory: 8 MiB to 512 MiB, so that a changed file can't take all memory
	Lanes  uint8  `json:"lanes"`  // 1 to 16
}

func (k KDF) check(reason Reason) error {
	if k.Passes < 1 || k.Passes > 16 || k.KiB < 8<<10 || k.KiB > 512<<10 || k.Lanes < 1 || k.Lanes > 16 {
		return newError(reason, "parameters of Argon2id", "1 to 16 passes, 8 to 512 MiB and 1 to 16 lanes",
			fmt.Sprintf("%d, %d KiB, %d", k.Passes, k.KiB, k.Lanes))
	}
	return nil
}

// Limits of the file.
const (
	fileFormat    = 1
	maxFile       = 64 << 20
	saltSize      = 16
	checkSize     = 16
	minPassphrase = 8
	keySize       = 32
)

// A sealedFile is the content of a file, as JSON. Everything but Sealed is its associated data.
type sealedFile struct {
	Format int    `json:"format"`
	Region string `json:"region"`
	// KDF is set if the file is sealed under a passphrase, and nil if under an operator's key.
	KDF  *KDF   `json:"argon2id,omitempty"`
	Salt []byte `json:"salt"`
	// Check tells a wrong passphrase from a changed file. A guess costs as much as one at Sealed.
	Check  []byte `json:"check"`
	Sealed []byte `json:"sealed,omitempty"`
}

// content is what Sealed opens to, as JSON.
type content struct {
	Keys []record `json:"keys"`
}

// A fileKey seals a file. Deriving it is slow, so a Ring keeps it.
type fileKey struct {
	head sealedFile // without Sealed
	// aead has random nonces that are long enough for any number of writes.
	aead *tinksubtle.XChaCha20Poly1305
}

func newFileKey(cfg *RingConfig) (*fileKey, error) {
	head := sealedFile{Format: fileFormat, Region: cfg.Region, Salt: make([]byte, saltSize)}
	if _, err := io.ReadFull(cfg.Rand, head.Salt); err != nil {
		return nil, unavailable("random salt", err)
	}
	if cfg.Key == nil {
		head.KDF = &cfg.KDF
	}
	master, err := head.derive(cfg)
	if err != nil {
		return nil, err
	}
	if head.Check, err = expand(master, head.Salt, "meridian keys: check", checkSize); err != nil {
		return nil, unavailable("key of the file", err)
	}
	return head.key(master)
}

// derive makes the master key of a file from the operator's secret.
func (f sealedFile) derive(cfg *RingConfig) ([]byte, error) {
	if f.KDF == nil {
		return cfg.Key, nil
	}
	if err := f.KDF.check(ReasonCorrupt); err != nil {
		return nil, err
	}
	return argon2.IDKey(cfg.Passphrase, f.Salt, f.KDF.Passes, f.KDF.KiB, f.KDF.Lanes, keySize), nil
}

func expand(master, salt []byte, info string, n int) ([]byte, error) {
	return hkdf.Key(sha256.New, master, salt, info, n)
}

func (f sealedFile) key(master []byte) (*fileKey, error) {
	k, err := expand(master, f.Salt, "meridian keys: seal", keySize)
	if err != nil {
		return nil, unavailable("key of the file", err)
	}
	a, err := tinksubtle.NewXChaCha20Poly1305(k)
	if err != nil {
		return nil, unavailable("key of the file", err)
	}
	f.Sealed = nil
	return &fileKey{f, a}, nil
}

// seal returns the content of a file with these keys.
func (k *fileKey) seal(records []record) ([]byte, error) {
	plain, err := json.Marshal(content{records})
	if err != nil {
		return nil, unusable(err)
	}
	ad, err := json.Marshal(k.head)
	if err != nil {
		return nil, unusable(err)
	}
	f := k.head
	if f.Sealed, err = k.aead.Encrypt(plain, ad); err != nil {
		return nil, unusable(err)
	}
	b, err := json.Marshal(f)
	if err != nil {
		return nil, unusable(err)
	}
	if len(b) > maxFile {
		return nil, newError(ReasonConfig, "size of the file", "at most 64 MiB", fmt.Sprint(len(b)))
	}
	return b, nil
}

// readFile parses a file, and bounds what deriving its key costs.
func readFile(b []byte) (f sealedFile, err error) {
	corrupt := func(what string, err error) (sealedFile, error) {
		return sealedFile{}, &Error{Reason: ReasonCorrupt, Rule: "file of a Ring", Want: what, Err: err}
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if len(b) > maxFile {
		return corrupt("at most 64 MiB", nil)
	}
	if err := dec.Decode(&f); err != nil {
		return corrupt("complete JSON", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return corrupt("one JSON value", nil)
	}
	switch {
	case f.Format != fileFormat:
		return corrupt(fmt.Sprint("format ", fileFormat), nil)
	case !regionName.MatchString(f.Region):
		return corrupt("a Region", nil)
	case len(f.Salt) != saltSize || len(f.Check) != checkSize || len(f.Sealed) == 0:
		return corrupt("salt, check and sealed content", nil)
	case f.KDF != nil:
		if err := f.KDF.check(ReasonCorrupt); err != nil {
			return sealedFile{}, err
		}
	}
	return f, nil
}

// open opens a file with the operator's secret.
func (f sealedFile) open(cfg *RingConfig) (*fileKey, []record, error) {
	if (f.KDF == nil) != (cfg.Key != nil) {
		return nil, nil, newError(ReasonWrongSecret, "file of a Ring", secretName(f.KDF == nil),
			secretName(cfg.Key != nil))
	}
	master, err := f.derive(cfg)
	if err != nil {
		return nil, nil, err
	}
	check, err := expand(master, f.Salt, "meridian keys: check", checkSize)
	if err != nil {
		return nil, nil, unavailable("key of the file", err)
	}
	if subtle.ConstantTimeCompare(check, f.Check) != 1 {
		return nil, nil, newError(ReasonWrongSecret, "file of a Ring",
			secretName(f.KDF == nil)+" under which it is sealed, and an unchanged file", "another one")
	}
	k, err := f.key(master)
	if err != nil {
		return nil, nil, err
	}
	ad, err := json.Marshal(k.head)
	if err != nil {
		return nil, nil, unusable(err)
	}
	plain, err := k.aead.Decrypt(f.Sealed, ad)
	if err != nil {
		return nil, nil, newError(ReasonCorrupt, "file of a Ring", "the content that was written", "something else")
	}
	var c content
	if err := json.Unmarshal(plain, &c); err != nil {
		return nil, nil, &Error{Reason: ReasonCorrupt, Rule: "content of the file", Want: "JSON", Err: err}
	}
	for _, r := range c.Keys {
		if err := r.check(); err != nil {
			return nil, nil, err
		}
	}
	return k, c.Keys, nil
}

func secretName(key bool) string {
	if key {
		return "the operator's key"
	}
	return "the passphrase"
}

func unavailable(what string, err error) error {
	return &Error{Reason: ReasonUnavailable, Rule: what, Err: err}
}
