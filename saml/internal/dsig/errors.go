package dsig

// Reason says why a signature was refused.
type Reason int

const (
	Shape     Reason = iota // not of the one form that SAML allows
	Algorithm               // unknown, unsupported or too weak
	WeakKey                 // every key of the right kind is too weak
	Invalid                 // it does not verify with any configured key
)

// Error is the error of Read and Verify.
type Error struct {
	Reason    Reason
	Detail    string
	Want, Got string
}

func (e *Error) Error() string { return "dsig: " + e.Detail }

func shape(detail string) error { return &Error{Reason: Shape, Detail: detail} }
