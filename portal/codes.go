package portal

import (
	"context"
	"errors"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// ErrNoCode is returned for a key that has no code, or none any more.
var ErrNoCode = errors.New("portal: no such code")

// Codes hand a sign-in from one origin to another. A key is the hash of a code
// that is on its way through a browser.
type Codes interface {
	// PutCode stores a copy of v under key until exp. The key is new.
	PutCode(ctx context.Context, key string, v []byte, exp time.Time) error
	// TakeCode removes the live value and returns it, to one caller at most, or
	// gives ErrNoCode. from is the Region that put it, by what the store itself
	// knows of where the value came from and not by what the value says; "" if
	// it can't tell, as where all who put are of one process.
	//
	// It may wait a few seconds for a value that is on its way from another
	// Region. An unauthenticated client can ask for what never was, so Codes that
	// wait bound how many callers do, and return ErrNoCode to all others at once.
	// A value that is here already is returned without waiting.
	TakeCode(ctx context.Context, key string) (v []byte, from string, err error)
	// DropCode removes the live value if it is here already, so that nobody
	// takes it. It waits for none, and none is no error.
	DropCode(ctx context.Context, key string) error
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

func (c storeCodes) TakeCode(ctx context.Context, key string) ([]byte, string, error) {
	v, err := c.store.Take(ctx, codePrefix+key)
	if errors.Is(err, acs.ErrNotFound) {
		return nil, "", ErrNoCode
	}
	return v, "", err
}

func (c storeCodes) DropCode(ctx context.Context, key string) error {
	_, _, err := c.TakeCode(ctx, key)
	if errors.Is(err, ErrNoCode) {
		return nil
	}
	return err
}
