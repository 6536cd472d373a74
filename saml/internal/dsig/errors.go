package dsig

// Reason says why a signature was refused.
type Reason int

const (
	Shape     Reason = iota // not of the one shape that SAML allows
	Algorithm               // unknown, unsupported or too weak
	WeakKey                 // no key of the right kind, or every such key is too weak
	Invalid                 // it does not hold under any configured key
)

// Error is what Read and Verify refuse with.
type Error struct {
	Reason    Reason
	Detail    string
	Want, Got string
}

func (e *Error) Error() string { return "dsig: " + e.Detail }

func shape(detail string) error { return &Error{Reason: Shape, Detail: detail} }
