package mockidp

import (
	"crypto"
	"crypto/x509"
	"slices"
)

// Key is a signing key as others may know it.
type Key struct {
	// ID is what other methods and App.KeyID name it by: Okta's kid.
	ID          string
	Certificate *x509.Certificate
	// Signing says that apps without a KeyID are signed with it.
	Signing bool
}

// Keys returns the keys in the order they were added. All of them are in the
// metadata.
//
// A rollover is AddKey (both are published), SignWith (the new one signs) and
// RetireKey (the old one is gone), with as much time between as service
// providers take to read the metadata again, or none, to see what happens.
func (s *Server) Keys() []Key {
	st := s.state.Load()
	var out []Key
	for _, k := range st.keys {
		out = append(out, Key{ID: k.id, Certificate: k.cert, Signing: k.id == st.signing})
	}
	return out
}

// AddKey publishes another key, which doesn't sign yet. key may be nil, for a
// new RSA key of 2048 bits, and cert may be nil, for a self-signed one.
func (s *Server) AddKey(key crypto.Signer, cert *x509.Certificate) (Key, error) {
	if cert != nil && key == nil {
		return Key{}, badConfig("a certificate without its key")
	}
	return s.addKey(s.keySource(), key, cert)
}

func (s *Server) addKey(from keySource, key crypto.Signer, cert *x509.Certificate) (Key, error) {
	k, kerr := newSigningKey(from, key, cert)
	if kerr != nil {
		return Key{}, kerr
	}
	err := s.change(func(st *state) error {
		if st.key(k.id) != nil {
			return badConfig("the key %s is there already", quote(k.id))
		}
		st.keys = append(st.keys, k)
		return nil
	})
	if err != nil {
		return Key{}, err
	}
	return Key{ID: k.id, Certificate: k.cert}, nil
}

// SignWith makes a key the one that apps without a KeyID are signed with.
func (s *Server) SignWith(keyID string) error {
	return s.change(func(st *state) error {
		if st.key(keyID) == nil {
			return noSuchKey(keyID)
		}
		st.signing = keyID
		return nil
	})
}

// RetireKey takes a key out of the metadata. One that still signs, for all or
// for one app, can't be retired.
func (s *Server) RetireKey(keyID string) error {
	return s.change(func(st *state) error {
		if st.key(keyID) == nil {
			return noSuchKey(keyID)
		}
		if st.signing == keyID {
			return badConfig("the key %s still signs; SignWith another first", quote(keyID))
		}
		for _, a := range st.apps {
			if a.KeyID == keyID {
				return badConfig("the key %s still signs for the app %s", quote(keyID), quote(a.Label))
			}
		}
		st.keys = slices.DeleteFunc(st.keys, func(k *signingKey) bool { return k.id == keyID })
		return nil
	})
}

// Certificate is the certificate of the key that signs.
func (s *Server) Certificate() *x509.Certificate {
	st := s.state.Load()
	return st.key(st.signing).cert
}

func (s *Server) keySource() keySource {
	return keySource{rand: readerFunc(s.readRandom), now: s.now(), org: s.config.Org}
}

func noSuchKey(id string) *Error {
	return &Error{Reason: ReasonNoSuchKey, Detail: "no signing key has the ID " + quote(id)}
}

func (st *state) key(id string) *signingKey {
	for _, k := range st.keys {
		if k.id == id {
			return k
		}
	}
	return nil
}

// keyFor is the key that signs for an app.
func (st *state) keyFor(a *App) *signingKey {
	if a.KeyID != "" {
		return st.key(a.KeyID) // putApp and RetireKey see to it that it is there
	}
	return st.key(st.signing)
}

// keysFor are the published keys, the app's own first.
func (st *state) keysFor(a *App) []*signingKey {
	own := st.keyFor(a)
	out := []*signingKey{own}
	for _, k := range st.keys {
		if k != own {
			out = append(out, k)
		}
	}
	return out
}
