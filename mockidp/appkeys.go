package mockidp

import (
	"crypto"
	"crypto/x509"
)

// AppKeys returns the keys of an app ("" is the first SAML app), in the order
// they were added: those in its metadata, and one of them signs for it. An app
// has the Server's keys until it gets one of its own.
func (s *Server) AppKeys(appID string) ([]Key, error) { return s.Snapshot().AppKeys(appID) }

// AddAppKey is AddKey for one app ("" is the first SAML app): no other app
// publishes the key, or can be made to sign with it before CloneKey. It doesn't
// sign yet. An app can have 20 keys, the Server's among them.
func (s *Server) AddAppKey(appID string, key crypto.Signer, cert *x509.Certificate) (Key, error) {
	return public(s.addAppKey(s.keySource(0), appID, key, cert))
}

// GenerateAppKey is AddAppKey with a new RSA key, whose certificate is valid for
// that many years.
func (s *Server) GenerateAppKey(appID string, years int) (Key, error) {
	return public(s.addAppKey(s.keySource(years), appID, nil, nil))
}

func (s *Server) addAppKey(from keySource, appID string, key crypto.Signer, cert *x509.Certificate) (*signingKey, error) {
	st := s.state.Load()
	a, err := st.samlApp(appID)
	if err != nil {
		return nil, err
	}
	if err := roomFor(st.ring(a)); err != nil {
		return nil, err // before a key is made for nothing
	}
	k, kerr := newSigningKey(from, key, cert)
	if kerr != nil {
		return nil, kerr
	}
	return s.toRing(a.ID, k)
}

// CloneKey gives another app a key of appID's, as Okta's API clones one: both
// publish it then, and either may sign with it. Its ID stays.
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
	return public(s.toRing(targetAppID, k))
}

func (s *Server) toRing(appID string, k *signingKey) (*signingKey, error) {
	err := s.change(func(st *state) error {
		a, err := st.samlApp(appID)
		if err != nil {
			return err
		}
		ring := st.ring(a)
		if err := addTo(&ring, k); err != nil {
			return err
		}
		st.rings[a.ID] = ring
		return nil
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// SignAppWith makes one of an app's keys the one that signs for it ("" is the
// first SAML app). It sets App.KeyID; keyID "" goes back to the Server's key.
func (s *Server) SignAppWith(appID, keyID string) error {
	a, err := s.state.Load().samlApp(appID)
	if err != nil {
		return err
	}
	return s.UpdateApp(a.ID, func(a *App) error { a.KeyID = keyID; return nil })
}

// RetireAppKey takes a key out of one app's metadata ("" is the first SAML
// app), be it the app's own or the Server's. The one that signs for the app
// can't be retired. Other apps keep it.
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
			return badConfig("the key %s still signs for the app %s; SignAppWith another first", quote(keyID), quote(a.Label))
		}
		st.rings[a.ID] = withoutKey(ring, keyID)
		return nil
	})
}

// ring are an app's keys: the Server's, unless the app has departed from them.
func (st *state) ring(a *App) []*signingKey {
	if own, departed := st.rings[a.ID]; departed {
		return own
	}
	return st.keys
}

// keyFor is the key that signs for an app.
func (st *state) keyFor(a *App) *signingKey {
	if a.KeyID != "" {
		return findKey(st.ring(a), a.KeyID) // putApp and the retiring see to it that it is there
	}
	return findKey(st.keys, st.signing)
}

// keysFor are the keys that an app publishes, the one that signs first: it is
// there even if the app had retired it before the Server switched to it.
func (st *state) keysFor(a *App) []*signingKey {
	own := st.keyFor(a)
	return append([]*signingKey{own}, withoutKey(st.ring(a), own.id)...)
}

// moveRing goes with an app that gets another ID.
func (st *state) moveRing(from, to string) {
	if ring, departed := st.rings[from]; departed {
		st.rings[to] = ring
		delete(st.rings, from)
	}
}
