package portal

import (
	"context"
	"errors"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// ErrNoCode is returned for a key that has no code, or whose code was taken or has expired.
var ErrNoCode = errors.New("portal: no such code")

// Codes hand a sign-in from one origin to another. A key is the hash of a code that is sent through a browser.
type Codes interface {
	// PutCode stores a copy of v under key until exp. The key is new.
	PutCode(ctx context.Context, key string, v []byte, exp time.Time) error
	// TakeCode removes the value and returns it, to one caller at most, or returns ErrNoCode. from is the Region that
	// put the value. The store must know it from another source than the value. If it doesn't, from is "".
	//
	// TakeCode may wait a few seconds for a value that is on its way from another Region. An unauthenticated client can
	// send codes that don't exist, so the number of waiting callers must be bounded, and further callers must receive
	// ErrNoCode at once. A value that has arrived is returned without waiting.
	TakeCode(ctx context.Context, key string) (v []byte, from string, err error)
	// DropCode removes the value if it has arrived, so that it can't be taken. It doesn't wait. A missing value is not
	// an error.
	DropCode(ctx context.Context, key string) error
}

// NewCodes returns Codes that are kept in a store, under keys of their own. Portals that share the store share the
// codes: those of one Region, or of several in one process.
func NewCodes(s acs.Store) Codes { return storeCodes{s} }

type storeCodes struct{ store acs.Store }

const codePrefix = "portal.code."

func (c storeCodes) PutCode(ctx context.Context, key string, v []byte, exp time.Time) error {
	return c.store.Add(ctx, codePrefix+key, v, exp)
}

func (c storeCodes) TakeCode(ctx context.Context, key string) ([]byte, string, error) {
	v, err := c.store.Take(ctx, codePrefix+key)
	if errors.Is(err, acs.ErrNotFound) {
		return nil, "", ErrNoCode
	}
	return v, "", err
}

func (c storeCodes) DropCode(ctx context.Context, key string) error {
	_, err := c.store.Take(ctx, codePrefix+key)
	if errors.Is(err, acs.ErrNotFound) {
		return nil
	}
	return err
}
