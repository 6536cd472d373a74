package mockidp

import (
	"crypto"
	"crypto/sha1" // for identifiers, see resolve
	"crypto/x509"
	"sync"
)

// federation holds the keys and documents of a Server's federation. All are made when they are first needed.
type federation struct {
	mu        sync.Mutex // guards the rest; held while documents are made, so that each is made once
	keys      map[federationKey]*signingKey
	generator generator
	issues    int
	sums      map[[sha1.Size]byte]int32 // the indexes of generated ones, by the SHA-1 of their IDs
	issue     *issue
	bombs     sync.Once
	bombed    []byte
}

func (f *federation) bomb() []byte {
	f.bombs.Do(func() { f.bombed = makeBomb() })
	return f.bombed
}

// federationKey names one of the keys.
type federationKey int

const (
	goodKey  federationKey = iota
	otherKey               // that no client trusts
	idpKey                 // of the first SAML app
)

// signer returns one of the keys, as it signs.
func (f *federation) signer(s *Server, which federationKey) (signer, *Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.signerLocked(s, which)
}

// madeKey returns the key that signs and its certificate, if it was made.
func (f *federation) madeKey() (crypto.Signer, *x509.Certificate) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.keys[goodKey]; k != nil {
		return k.own, k.cert
	}
	return nil, nil
}

func (f *federation) signerLocked(s *Server, which federationKey) (signer, *Error) {
	k := f.keys[which]
	switch {
	case which == idpKey:
		st := s.state.Load()
		k = findKey(st.keys, st.signing)
	case k == nil:
		from := s.keySource(0)
		from.org += " federation"
		var key crypto.Signer
		var cert *x509.Certificate
		if which == goodKey {
			key, cert = s.config.Federation.Key, s.config.Federation.Certificate
		}
		var err error
		if k, err = newSigningKey(from, key, cert); err != nil {
			return signer{}, &Error{Reason: ReasonConfig, Detail: "Config.Federation", Err: err}
		}
		if f.keys == nil {
			f.keys = map[federationKey]*signingKey{}
		}
		f.keys[which] = k
	}
	return signer{key: k, method: k.methods[0]}, nil
}
