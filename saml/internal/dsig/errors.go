package dsig

// Kind says why a signature was refused.
type Kind int

const (
	Shape     Kind = iota // not of the one shape that SAML allows
	Algorithm             // unknown, unsupported or too weak
	WeakKey               // every configured key is too weak
	Limit                 // more than the canonicaliser takes
	Invalid               // it does not hold under any configured key
)

// Error is what Profile and Verify refuse with.
type Error struct {
	Kind      Kind
	Detail    string
	Want, Got string
	Err       error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return "dsig: " + e.Detail + ": " + e.Err.Error()
	}
	return "dsig: " + e.Detail
}

func (e *Error) Unwrap() error { return e.Err }

func shape(detail string) *Error { return &Error{Kind: Shape, Detail: detail} }
