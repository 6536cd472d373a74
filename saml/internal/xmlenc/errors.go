package xmlenc

// Reason says why something was not decrypted.
type Reason int

const (
	Shape     Reason = iota // not of the form that SAML allows
	Algorithm               // unknown, unsupported, or not accepted here
	Limit                   // more private-key operations than one message may cost
	Failed                  // decryption failed; never says why
)

// Error is the error of Read and Open.
type Error struct {
	Reason    Reason
	Detail    string
	Want, Got string
}

func (e *Error) Error() string { return "xmlenc: " + e.Detail }

func shape(detail string) error { return &Error{Reason: Shape, Detail: detail} }

// failed is the error of every failure after a private key was used. It wraps no
// cause, because a cause would tell them apart.
func failed() error {
	return &Error{Reason: Failed, Detail: "decryption failed with the configured keys"}
}
