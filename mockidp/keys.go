package mockidp

import (
	"crypto"
	"crypto/x509"
	"slices"
	"time"
)

// Key describes a signing key, without its private part.
type Key struct {
	// ID identifies the key in other methods and in App.KeyID: Okta's kid.
	ID          string
	Certificate *x509.Certificate
	Created     time.Time // when the key was added
	// Signing reports whether the key signs for apps without a KeyID.
	Signing bool
}

// Methods lists the key's algorithms. The first is the one for apps without a SignatureMethod.
func (k Key) Methods() []SignatureMethod { return methodsFor(k.Certificate.PublicKey) }

// maxKeys bounds the keys of the Server, and of each app: making one takes a moment, and metadata stays small.
const maxKeys = 20

// Keys returns the Server's keys in the order they were added. All of them are in the metadata of every app, except
// where RetireAppKey removed one.
//
// A rollover has three steps: AddKey (both keys are published), SignWith (the new one signs) and RetireKey (the old
// one is removed). Leave service providers time between the steps to read the metadata again, or leave none to test
// that case. AddAppKey, SignAppWith and RetireAppKey do it for one app.
func (s *Server) Keys() []Key { return s.Snapshot().Keys() }

// AppKeys returns the keys of an app, in the order they were added. They are in its metadata, and one of them signs
// for it. An app has the Server's keys until a key is added to the app.
func (s *Server) AppKeys(appID string) ([]Key, error) { return s.Snapshot().AppKeys(appID) }

// AddKey publishes a key for all apps. It doesn't sign yet. If key is nil, AddKey generates an RSA key of 2048
// bits; if cert is nil, a self-signed certificate. The Server can have 20 keys.
func (s *Server) AddKey(key crypto.Signer, cert *x509.Certificate) (Key, error) {
	return s.addKey(0, key, cert, (*state).addServerKey)
}

// GenerateKey is AddKey with a new RSA key, whose certificate is valid for that many years.
func (s *Server) GenerateKey(years int) (Key, error) {
	return s.addKey(years, nil, nil, (*state).addServerKey)
}

// AddAppKey is AddKey for one app: no other app publishes the key or can sign with it before CloneKey. It doesn't
// sign yet. An app can have 20 keys, including the Server's.
func (s *Server) AddAppKey(appID string, key crypto.Signer, cert *x509.Certificate) (Key, error) {
	return s.addKey(0, key, cert, addAppKey(appID))
}

// GenerateAppKey is AddAppKey with a new RSA key, whose certificate is valid for that many years.
func (s *Server) GenerateAppKey(appID string, years int) (Key, error) {
	return s.addKey(years, nil, nil, addAppKey(appID))
}

// CloneKey adds a key of appID to another app, as Okta's API does: both publish it, and either may sign with it.
// The key keeps its ID.
func (s *Server) CloneKey(appID, keyID, targetAppID string) (Key, error) {
	st := s.state.Load()
	a, err := st.samlApp(appID)
	if err != nil {
		return Key{}, err
	}
	k := findKey(st.ring(a), keyID)
	if k == nil {
		return Key{}, noSuchKey(keyID)
	}
	if err := s.change(func(st *state) error { return addAppKey(targetAppID)(st, k) }); err != nil {
		return Key{}, err
	}
	return k.public(""), nil
}

// SignWith makes a key the one that signs for apps without a KeyID.
func (s *Server) SignWith(keyID string) error {
	return s.change(func(st *state) error {
		if findKey(st.keys, keyID) == nil {
			return noSuchKey(keyID)
		}
		st.signing = keyID
		return nil
	})
}

// SignAppWith makes one of an app's keys the one that signs for it. It sets App.KeyID; keyID "" goes back to the
// Server's key.
func (s *Server) SignAppWith(appID, keyID string) error {
	a, err := s.state.Load().samlApp(appID)
	if err != nil {
		return err
	}
	return s.UpdateApp(a.ID, func(a *App) error { a.KeyID = keyID; return nil })
}

// RetireKey removes a key of the Server's from the metadata of all apps. It refuses a key that still signs, for all
// apps or for one.
func (s *Server) RetireKey(keyID string) error {
	return s.change(func(st *state) error {
		if findKey(st.keys, keyID) == nil {
			return noSuchKey(keyID)
		}
		if st.signing == keyID {
			return badConfig("the key %s still signs; call SignWith with another first", quote(keyID))
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

// RetireAppKey removes a key from one app's metadata, the app's own or the Server's. It refuses the key that signs for
// the app. Other apps keep the key.
func (s *Server) RetireAppKey(appID, keyID string) error {
	return s.change(func(st *state) error {
		a, err := st.samlApp(appID)
		if err != nil {
			return err
		}
		ring := st.ring(a)
		switch {
		case findKey(ring, keyID) == nil:
			return noSuchKey(keyID)
		case st.keyFor(a).id == keyID:
			return badConfig("the key %s still signs for the app %s; call SignAppWith with another first",
				quote(keyID), quote(a.Label))
		}
		st.rings[a.ID] = withoutKey(ring, keyID)
		return nil
	})
}

// Certificate returns the certificate of the key that signs.
func (s *Server) Certificate() *x509.Certificate {
	st := s.state.Load()
	return findKey(st.keys, st.signing).cert
}

func (s *Server) addKey(
	years int, key crypto.Signer, cert *x509.Certificate, add func(*state, *signingKey) error) (Key, error) {
	if err := add(s.state.Load().copy(), &signingKey{}); err != nil {
		return Key{}, err // before a key is generated in vain
	}
	k, err := newSigningKey(s.keySource(years), key, cert)
	if err == nil {
		err = s.change(func(st *state) error { return add(st, k) })
	}
	if err != nil {
		return Key{}, err
	}
	return k.public(""), nil
}

// addServerKey adds a key to the Server's, and to the keys of apps that differ from them.
func (st *state) addServerKey(k *signingKey) (err error) {
	if st.keys, err = withKey(st.keys, k); err != nil {
		return err
	}
	for app, ring := range st.rings {
		if findKey(ring, k.id) == nil {
			st.rings[app] = append(slices.Clip(ring), k)
		}
	}
	return nil
}

func addAppKey(appID string) func(*state, *signingKey) error {
	return func(st *state, k *signingKey) error {
		a, err := st.samlApp(appID)
		if err != nil {
			return err
		}
		ring, rerr := withKey(st.ring(a), k)
		if rerr == nil {
			st.rings[a.ID] = ring
		}
		return rerr
	}
}

// withKey returns a ring with another key. Another state may share the ring.
func withKey(ring []*signingKey, k *signingKey) ([]*signingKey, error) {
	if len(ring) >= maxKeys {
		return nil, badConfig("there are already %d keys, the maximum; retire one first", len(ring))
	}
	if findKey(ring, k.id) != nil {
		return nil, badConfig("the key %s already exists", quote(k.id))
	}
	return append(slices.Clip(ring), k), nil
}

func withoutKey(ring []*signingKey, id string) []*signingKey {
	return slices.DeleteFunc(slices.Clone(ring), func(k *signingKey) bool { return k.id == id })
}

func findKey(ring []*signingKey, id string) *signingKey {
	for _, k := range ring {
		if k.id == id {
			return k
		}
	}
	return nil
}

func (k *signingKey) public(signing string) Key {
	return Key{ID: k.id, Certificate: k.cert, Created: k.created, Signing: k.id == signing}
}

func publicKeys(ring []*signingKey, signing string) (out []Key) {
	for _, k := range ring {
		out = append(out, k.public(signing))
	}
	return out
}

// ring returns an app's keys: the Server's, unless the app's differ from them.
func (st *state) ring(a *App) []*signingKey {
	if own, ok := st.rings[a.ID]; ok {
		return own
	}
	return st.keys
}

// keyFor returns the key that signs for an app. It exists: putApp and the Retire methods make sure of that.
func (st *state) keyFor(a *App) *signingKey {
	if a.KeyID != "" {
		return findKey(st.ring(a), a.KeyID)
	}
	return findKey(st.keys, st.signing)
}

// keysFor returns the keys that an app publishes, first the one that signs, even if the app had retired it before.
func (st *state) keysFor(a *App) []*signingKey {
	own := st.keyFor(a)
	return append([]*signingKey{own}, withoutKey(st.ring(a), own.id)...)
}
