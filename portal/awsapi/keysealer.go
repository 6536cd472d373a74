package awsapi

import (
	"context"
	"errors"

	"github.com/meridian-saml/meridian/portal/keys"
)

// KeySealer returns a Sealer that seals with a key of package keys, so that tokens end when that key is disabled. Use a
// key in a Ring: with a key in a KMS, each forged token of a client costs a request to the KMS.
func KeySealer(s *keys.Sealer) Sealer { return keySealed{s} }

type keySealed struct{ *keys.Sealer }

// Open implements Sealer.
func (s keySealed) Open(ctx context.Context, sealed, associatedData []byte) ([]byte, error) {
	plain, err := s.Sealer.Open(ctx, sealed, associatedData)
	if reason, _ := keys.Refused(err); reason == keys.ReasonInvalidCiphertext {
		return nil, errors.Join(ErrNotSealed, err)
	}
	return plain, err
}
