package portal

import (
	"context"
	"errors"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// ErrNoCode is what Codes return for a key that has no code, or none any more.
var ErrNoCode = errors.New("portal: no such code")

// Codes hand a sign-in from one origin to another. A key is the hash of a code
// that is on its way through a browser.
type Codes interface {
	// PutCode stores v under key until exp. The key is new.
	PutCode(ctx context.Context, key string, v []byte, exp time.Time) error
	// TakeCode removes the live value and returns it, to one caller at most, or
	// gives ErrNoCode. It may wait a few seconds for one that is on its way
	// from another Region.
	TakeCode(ctx context.Context, key string) ([]byte, error)
}

// NewCodes returns Codes that are kept in a store, apart from what else is in
// it. Portals that share the store, of one Region or of several in one process,
// share the codes.
func NewCodes(s acs.Store) Codes { return storeCodes{s} }

type storeCodes struct{ store acs.Store }

// codePrefix keeps codes apart from what else is in the store.
const codePrefix = "portal.code."

func (c storeCodes) PutCode(ctx context.Context, key string, v []byte, exp time.Time) error {
	return c.store.Add(ctx, codePrefix+key, v, exp)
}

func (c storeCodes) TakeCode(ctx context.Context, key string) ([]byte, error) {
	v, err := c.store.Take(ctx, codePrefix+key)
	if errors.Is(err, acs.ErrNotFound) {
		return nil, ErrNoCode
	}
	return v, err
}
