package mockidp

import (
	"crypto"
	"crypto/x509"
	"slices"
	"time"
)

// Key is a signing key as others may know it.
type Key struct {
	// ID is what other methods and App.KeyID name it by: Okta's kid.
	ID          string
	Certificate *x509.Certificate
	Created     time.Time // when the Server got it
	// Signing says that apps without a KeyID are signed with it.
	Signing bool
}

// Methods lists the algorithms that the key can sign by. The first is the one of
// apps without a SignatureMethod.
func (k Key) Methods() []SignatureMethod { return methodsFor(k.Certificate.PublicKey) }

// maxKeys is how many keys the Server, and each app, may have: making one takes
// a moment, and metadata with more helps nobody.
const maxKeys = 20

// Keys returns the Server's keys in the order they were added. All of them are
// in the metadata of every app, unless RetireAppKey took one out there.
//
// A rollover is AddKey (both are published), SignWith (the new one signs) and
// RetireKey (the old one is gone), with as much time between as service
// providers take to read the metadata again, or none, to see what happens.
// AddAppKey, SignAppWith and RetireAppKey do it for one app alone.
func (s *Server) Keys() []Key { return s.Snapshot().Keys() }

func publicKeys(ring []*signingKey, signing string) (out []Key) {
	for _, k := range ring {
		out = append(out, k.public(signing))
	}
	return out
}

func (k *signingKey) public(signing string) Key {
	return Key{ID: k.id, Certificate: k.cert, Created: k.created, Signing: k.id == signing}
}

// AddKey publishes another key for all apps, which doesn't sign yet. key may be
// nil, for a new RSA key of 2048 bits, and cert may be nil, for a self-signed
// one. There can be 20.
func (s *Server) AddKey(key crypto.Signer, cert *x509.Certificate) (Key, error) {
	return public(s.addKey(s.keySource(0), key, cert))
}

// GenerateKey is AddKey with a new RSA key, whose certificate is valid for that
// many years.
func (s *Server) GenerateKey(years int) (Key, error) {
	return public(s.addKey(s.keySource(years), nil, nil))
}

// public is a key that was just added.
func public(k *signingKey, err error) (Key, error) {
	if err != nil {
		return Key{}, err
	}
	return k.public(""), nil
}

func (s *Server) addKey(from keySource, key crypto.Signer, cert *x509.Certificate) (*signingKey, error) {
	if err := roomFor(s.state.Load().keys); err != nil {
		return nil, err // before a key is made for nothing
	}
	k, err := newSigningKey(from, key, cert)
	if err != nil {
		return nil, err
	}
	err = s.change(func(st *state) error {
		if err := addTo(&st.keys, k); err != nil {
			return err
		}
		for app, ring := range st.rings {
			if findKey(ring, k.id) == nil {
				st.rings[app] = append(slices.Clip(ring), k)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// addTo appends a key to a ring that another state may share.
func addTo(ring *[]*signingKey, k *signingKey) *Error {
	if err := roomFor(*ring); err != nil {
		return err
	}
	if findKey(*ring, k.id) != nil {
		return badConfig("the key %s is there already", quote(k.id))
	}
	*ring = append(slices.Clip(*ring), k)
	return nil
}

func roomFor(ring []*signingKey) *Error {
	if len(ring) >= maxKeys {
		return badConfig("there are %d keys already, which is the most there can be; retire one first", len(ring))
	}
	return nil
}

// SignWith makes a key the one that apps without a KeyID are signed with.
func (s *Server) SignWith(keyID string) error {
	return s.change(func(st *state) error {
		if findKey(st.keys, keyID) == nil {
			return noSuchKey(keyID)
		}
		st.signing = keyID
		return nil
	})
}

// RetireKey takes a key of the Server's out of the metadata of all apps. One
// that still signs, for all or for one app, can't be retired.
func (s *Server) RetireKey(keyID string) error {
	return s.change(func(st *state) error {
		if findKey(st.keys, keyID) == nil {
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
		st.keys = withoutKey(st.keys, keyID)
		for app, ring := range st.rings {
			st.rings[app] = withoutKey(ring, keyID)
		}
		return nil
	})
}

// Certificate is the certificate of the key that signs.
func (s *Server) Certificate() *x509.Certificate {
	st := s.state.Load()
	return findKey(st.keys, st.signing).cert
}

func (s *Server) keySource(years int) keySource {
	return keySource{rand: readerFunc(s.readRandom), now: s.now(), org: s.config.Org, years: years}
}

func noSuchKey(id string) *Error {
	return &Error{Reason: ReasonNoSuchKey, Detail: "no signing key has the ID " + quote(id)}
}

func findKey(ring []*signingKey, id string) *signingKey {
	for _, k := range ring {
		if k.id == id {
			return k
		}
	}
	return nil
}

func withoutKey(ring []*signingKey, id string) []*signingKey {
	return slices.DeleteFunc(slices.Clone(ring), func(k *signingKey) bool { return k.id == id })
}
