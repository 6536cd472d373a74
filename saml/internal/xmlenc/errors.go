package xmlenc

// Kind says why something was not decrypted.
type Kind int

const (
	Shape     Kind = iota // not of the form that SAML has
	Algorithm             // unknown, unsupported, or not accepted here
	Limit                 // more private-key operations than one message may cost
	Failed                // decryption failed; never says why
)

// Error is what Read and Open refuse with.
type Error struct {
	Kind      Kind
	Detail    string
	Want, Got string
}

func (e *Error) Error() string { return "xmlenc: " + e.Detail }

func shape(detail string) error { return &Error{Kind: Shape, Detail: detail} }

// failed is the one error for everything that goes wrong once a private key is
// involved. It wraps no cause, because a cause would tell them apart.
func failed() error {
	return &Error{Kind: Failed, Detail: "decryption failed with the configured keys"}
}
