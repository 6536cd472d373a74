package attack

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Case is one hostile document: a row of the catalogue or a variant of one.
type Case struct {
	// ID is the row's id, followed by "/" and a name where there are variants:
	// "A01/response", "B10/xml-id". Variants are in lower case.
	ID string
	// Name, Description and Reference are the row's.
	Name, Description, Reference string
	// Outcome is what must become of it, and Needs what it takes to show that.
	Outcome Outcome
	Needs   Needs

	changes
	subject string // who signs in, instead of Params.Subject
	twin    *Needs // of the twin, where the attack lies in what is needed
}

// TwinNeeds is Needs for the twin. It differs where the attack is not in the
// document but around it, in a weak key for example.
func (c Case) TwinNeeds() Needs {
	if c.twin != nil {
		return *c.twin
	}
	return c.Needs
}

// Row is the id of the row that c shows.
func (c Case) Row() string {
	row, _, _ := strings.Cut(c.ID, "/")
	return row
}

// Outcome is what must become of a document.
type Outcome struct {
	// Reasons: it is refused, and this is why, in the words of package saml's
	// Reason. There is more than one only where two orders of checking are
	// equally right. Empty: it is accepted.
	Reasons []string
	// NameID is the subject that an accepted document has. Empty: Params.Subject.
	NameID string
	// Values has the text values of attributes that differ from the ones in
	// Params.Attributes. An empty list: no text value may come out.
	Values map[string][]string
	// Until bounds how long after Params.Now an accepted assertion may be used.
	// Zero: five minutes, as it says itself.
	Until time.Duration
}

// Accepted reports whether the document is to be accepted.
func (o Outcome) Accepted() bool { return len(o.Reasons) == 0 }

// String returns "accepted", or "refused" and the reasons.
func (o Outcome) String() string {
	if o.Accepted() {
		return "accepted"
	}
	return "refused " + strings.Join(o.Reasons, " or ")
}

// Needs says what a case takes to show anything.
type Needs struct {
	// Key is the kind of key that the identity provider signs with.
	Key KeyKind
	// Sign lists the ways of signing in which the case makes sense. Empty: all.
	Sign []Sign
	// Encrypted: the assertion, or a part of it, is encrypted for
	// Params.EncryptTo.
	Encrypted bool
	// SP is how the service provider must be set up.
	SP Settings
}

// TwinOutcome is what must become of the twin: acceptance, and who signs in.
func (c Case) TwinOutcome() Outcome { return Outcome{NameID: c.subject} }

// Modes lists the ways of signing in which the case makes sense.
func (n Needs) Modes() []Sign {
	if len(n.Sign) == 0 {
		return []Sign{SignAssertion, SignResponse, SignBoth}
	}
	return slices.Clone(n.Sign)
}

// Settings is how a service provider must be set up for a case to be judged.
// The zero value is the strict default with one request waiting for an answer.
type Settings struct {
	AllowSHA1, AllowRSA1024 bool
	// AllowCBC is for CBC outside a verified signature, AllowRSA15 for RSA
	// PKCS #1 v1.5 key transport.
	AllowCBC, AllowRSA15 bool
	MaxAuthnAge          time.Duration // zero: no bound
	// MetadataOver: the identity provider's metadata is past its validUntil.
	MetadataOver bool
	// CertificateOver: the certificate in that metadata is past its dates.
	CertificateOver bool
	// EncryptionKeyListed: the metadata lists Params.AttackerKey, but as a key
	// for encryption.
	EncryptionKeyListed bool
	// ForceAuthn, AuthnContext and NameIDFormat are what the request asked for.
	ForceAuthn   bool
	AuthnContext string
	NameIDFormat string
}

// KeyKind is a kind of signing key.
type KeyKind int

const (
	AnyKey       KeyKind = iota // RSA of 2048 bits, or ECDSA
	RSA                         // RSA of 2048 bits or more, as a *rsa.PrivateKey
	ECDSA                       // an *ecdsa.PrivateKey
	RSA1024                     // RSA of 1024 bits
	RSA768                      // RSA of 768 bits
	RSAExponent3                // RSA of 2048 bits whose public exponent is 3
	RSAExponent1                // the same with 1, under which everything verifies
)

var keyKinds = [...]string{"any", "rsa", "ecdsa", "rsa1024", "rsa768", "rsa-exponent-3", "rsa-exponent-1"}

// String names the kind, "rsa" for example.
func (k KeyKind) String() string { return keyKinds[k] }

// Sign is what the identity provider signs.
type Sign int

// The ways of signing.
const (
	SignAssertion Sign = iota // the assertion alone
	SignResponse              // the Response alone
	SignBoth                  // the assertion, and the Response around it
)

var signs = [...]string{"assertion", "response", "both"}

// String returns "assertion", "response" or "both".
func (s Sign) String() string { return signs[s] }

// Params fills in a document.
type Params struct {
	Issuer    string // the identity provider's entity ID; required
	Audience  string // the service provider's entity ID; required
	Recipient string // the ACS URL that it is posted to; required
	// OtherACS is another ACS URL of the same service provider, of another
	// Region for example. Empty: the cases that need it can't be made.
	OtherACS  string
	RequestID string // the request that it answers. Empty: it is unsolicited

	Subject    string      // who signs in. Empty: alice@example.com
	Forged     string      // who the attacker wants to be. Empty: admin@example.com
	Attributes []Attribute // Nil: DefaultAttributes
	// NameIDFormat is the Format of NameID. Empty: emailAddress.
	NameIDFormat string
	// IdentityAttribute names an attribute that says who signs in as NameID does,
	// and is forged with it. Empty: there is none.
	IdentityAttribute string

	Now time.Time // required

	Key         crypto.Signer // the identity provider's; required
	AttackerKey crypto.Signer // one that no service provider trusts. Nil: the cases that need it can't be made
	// Certificate is Key's, in DER, for KeyInfo. Nil: one is made each time.
	Certificate []byte
	Sign        Sign
	// EncryptTo is the service provider's encryption key, for the cases that
	// need it. In a case that MayEncrypt it encrypts the assertion too.
	EncryptTo *rsa.PublicKey
	// Cipher is the algorithm identifier of the encryption that is good. Empty:
	// AES-256-GCM.
	Cipher string
	// NoCertificate leaves KeyInfo out of signatures.
	NoCertificate bool

	// Rand is where IDs, content keys and paddings come from. The same Rand
	// and the same rest give the same document. Nil: crypto/rand.Reader.
	Rand io.Reader
}

// Attribute is an attribute with text values.
type Attribute struct {
	Name   string
	Values []string
}

// Message is a document as it is posted.
type Message struct {
	SAMLResponse []byte // the form value
	XML          []byte // the document, where the form value is base64 of one
}

// Make makes the hostile document.
func (c Case) Make(p Params) (Message, error) {
	return c.make(p, c.Needs, c.base, c.attack)
}

// Twin makes the same document without the attack.
func (c Case) Twin(p Params) (Message, error) { return c.make(p, c.TwinNeeds(), c.base) }

// MayEncrypt reports whether the case shows the same with its assertion
// encrypted: the attack is in what the identity provider signs.
func (c Case) MayEncrypt() bool {
	if c.Needs.Encrypted || c.Row()[0] == 'A' || c.Row()[0] == 'C' {
		return false
	}
	for _, ch := range []change{c.base, c.attack} {
		if ch[after] != nil || ch[text] != nil || ch[posted] != nil {
			return false
		}
	}
	return !slices.ContainsFunc(c.Outcome.Reasons, func(r string) bool { return r == "XML" || r == "Text" || r == "Limit" })
}

// PlainTwin reports whether the twin is a good message like any other, but for
// the name in TwinOutcome.
func (c Case) PlainTwin() bool {
	return !slices.ContainsFunc(c.base[:], func(steps []func(*draft)) bool { return steps != nil })
}

// OnSignature reports whether the attack is on a signature after it was made.
// Where both are signed it is on the assertion's: the Response's own, which is
// made after it, holds over the attack.
func (c Case) OnSignature() bool { return c.attack[signed] != nil && c.attack[setup] == nil }

func (c Case) make(p Params, n Needs, changes ...change) (Message, error) {
	if !slices.Contains(n.Modes(), p.Sign) {
		return Message{}, &Error{Rule: c.ID, Detail: "it makes no sense with the " + p.Sign.String() + " signed"}
	}
	p.Subject = cmp.Or(c.subject, p.Subject)
	d, err := newDraft(p, n, changes)
	if err != nil {
		return Message{}, &Error{Rule: c.ID, Detail: "parameters", Err: err}
	}
	m := d.make()
	if d.err != nil {
		return Message{}, &Error{Rule: c.ID, Detail: "making it", Err: d.err}
	}
	return m, nil
}

func (d *draft) make() Message {
	d.run(setup)
	d.build()
	d.run(before)
	d.signAll()
	d.run(after)
	d.text = d.write()
	d.run(text)
	d.document = d.text
	d.text = encode([]byte(d.document))
	d.run(posted)
	return Message{SAMLResponse: []byte(d.text), XML: []byte(d.document)}
}

// run takes the steps of a stage.
func (d *draft) run(at stage) {
	for _, c := range d.changes {
		for _, step := range c[at] {
			step(d)
		}
	}
}

// Error says why a document could not be made.
type Error struct {
	Rule   string // the case's id, or "target"
	Detail string
	Err    error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("attack: %s: %s", e.Rule, e.Detail)
	}
	return fmt.Sprintf("attack: %s: %s: %v", e.Rule, e.Detail, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
