package portal

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"time"
)

const (
	secretBytes = 32
	nameBytes   = 16 // of what is unique and no secret
	tagBytes    = 8  // of what is unique within a browser
)

// secret returns 256 random bits as text.
func (p *Portal) secret() (string, error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(p.cfg.Rand, b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// random returns n random bytes in hex.
func (p *Portal) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(p.cfg.Rand, b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

// sessionKey hashes an identifier. It needs no salt: 256 random bits can't be
// guessed from their hash.
func sessionKey(id string) string { return hashed("portal session", id) }

// hashed is a store's key for a secret. No kind has a bar, so no two are the
// same bytes. They are what sessions and codes of older versions are stored
// under, so this can't become acs's way of hashing, nor portal/replica's.
func hashed(kind, secret string) string {
	sum := sha256.Sum256([]byte(kind + "|" + secret))
	return hex.EncodeToString(sum[:])
}

// setCookie sets a cookie for this host alone. A zero maxAge means until the
// browser closes.
func (p *Portal) setCookie(w http.ResponseWriter, name, value string, maxAge time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(maxAge / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (p *Portal) clearCookie(w http.ResponseWriter, name string) {
	p.setCookie(w, name, "", -time.Second)
}
