package acs

import "context"

// Sealer seals the records that a shared [Store] keeps: they name users, and let browsers in. Open fails for a value
// that was sealed with other associated data. Both must be safe for concurrent use. An error of either means that the
// store can't answer. keys.Sealer of package portal/keys is one.
type Sealer interface {
	Seal(ctx context.Context, plain, associated []byte) ([]byte, error)
	Open(ctx context.Context, sealed, associated []byte) ([]byte, error)
}
