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
	// ID is the row's ID and, where the row has variants, "/" and a name in lower
	// case: "A01/response", "B10/xml-id".
	ID string
	// Name, Description and Reference are the row's.
	Name, Description, Reference string
	// Outcome is the expected outcome. Needs lists what a test of it needs.
	Outcome Outcome
	Needs   Needs

	changes
	subject string // the user who signs in, instead of Params.Subject
	twin    *Needs // of the twin, where the attack is not in the document
}

// TwinNeeds returns Needs for the twin. It differs where the attack is not in the
// document: in a weak key, for example.
func (c Case) TwinNeeds() Needs {
	if c.twin != nil {
		return *c.twin
	}
	return c.Needs
}

// Row returns the ID of the row that c shows.
func (c Case) Row() string {
	row, _, _ := strings.Cut(c.ID, "/")
	return row
}

// Outcome is the expected outcome of a document.
type Outcome struct {
	// Reasons are Reasons of package saml for which it is refused. There are several
	// where more than one order of checks is right. Empty: it is accepted.
	Reasons []string
	// NameID is the subject of an accepted document. Empty: Params.Subject.
	NameID string
	// Values holds the text values of the attributes that differ from
	// Params.Attributes. An empty list: the attribute has no text value.
	Values map[string][]string
	// Until bounds how long after Params.Now an accepted assertion may be used.
	// Zero: five minutes, as the assertion says.
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

// Needs describes what a test of a case needs.
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

// TwinOutcome returns the expected outcome of the twin, which is accepted.
func (c Case) TwinOutcome() Outcome { return Outcome{NameID: c.subject} }

// Modes returns Sign, or all ways of signing where it is empty.
func (n Needs) Modes() []Sign {
	if len(n.Sign) == 0 {
		return []Sign{SignAssertion, SignResponse, SignBoth}
	}
	return slices.Clone(n.Sign)
}

// Settings describes how a service provider must be set up for a case. The zero
// value is the strict default with one request that waits for an answer.
type Settings struct {
	AllowSHA1, AllowRSA1024 bool
	// AllowCBC is for CBC outside a verified signature, AllowRSA15 for RSA
	// PKCS #1 v1.5 key transport.
	AllowCBC, AllowRSA15 bool
	MaxAuthnAge          time.Duration // zero: no bound
	// MetadataOver: the validUntil of the identity provider's metadata has
	// passed.
	MetadataOver bool
	// CertificateOver: the certificate in that metadata has expired.
	CertificateOver bool
	// EncryptionKeyListed: the metadata lists Params.AttackerKey as a key for
	// encryption.
	EncryptionKeyListed bool
	// ForceAuthn, AuthnContext and NameIDFormat are what the request asked for.
	ForceAuthn   bool
	AuthnContext string
	NameIDFormat string
	// Subject: the request named the user of the twin, by a NameID in its Subject.
	Subject bool
	// OtherIdP: it trusts Params.OtherIdP, too. The request was made to Params.Issuer.
	OtherIdP bool
	// Unsolicited: it accepts responses of Params.Issuer that answer no request, and
	// none of Params.OtherIdP.
	Unsolicited bool
	// Scope and ScopePattern are scopes in the metadata of Params.Issuer, as a text and
	// as a regular expression (shibmd:Scope). Empty: none.
	Scope, ScopePattern string
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
	RSAExponent1                // the same with exponent 1, with which every signature verifies
)

var keyKinds = [...]string{"any", "rsa", "ecdsa", "rsa1024", "rsa768", "rsa-exponent-3", "rsa-exponent-1"}

// String returns the name of the kind: "rsa", for example.
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
	OtherACS string
	// OtherIdP is the entity ID of another identity provider that the service provider
	// trusts, and OtherKey its signing key. Empty: the cases that need them can't be made.
	OtherIdP  string
	OtherKey  crypto.Signer
	RequestID string // the request that it answers. Empty: it is unsolicited

	Subject    string      // the user who signs in. Empty: alice@example.com
	Forged     string      // the user that the attacker impersonates. Empty: admin@example.com
	Attributes []Attribute // Nil: DefaultAttributes
	// NameIDFormat is the Format of NameID. Empty: emailAddress.
	NameIDFormat string
	// IdentityAttribute is the name of an attribute that identifies the user,
	// as NameID does, and is forged together with it. Empty: there is none.
	IdentityAttribute string

	Now time.Time // required

	Key crypto.Signer // the identity provider's; required
	// AttackerKey is a key that no service provider trusts. Nil: the cases that need
	// it can't be made.
	AttackerKey crypto.Signer
	// Certificate is Key's, in DER, for KeyInfo. Nil: one is made each time.
	Certificate []byte
	Sign        Sign
	// EncryptTo is the service provider's encryption key, for the cases that need
	// it. If it is set, the assertion is encrypted in cases that MayEncrypt too.
	EncryptTo *rsa.PublicKey
	// Cipher is the algorithm identifier of good encryption. Empty: AES-256-GCM.
	Cipher string
	// NoCertificate leaves KeyInfo out of signatures.
	NoCertificate bool

	// Rand is the source of IDs, content keys and paddings. Equal Params whose Rand
	// gives the same octets make the same document. Nil: crypto/rand.Reader.
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
	XML          []byte // the document, if the form value is base64 of one
}

// Make makes the hostile document.
func (c Case) Make(p Params) (Message, error) {
	return c.make(p, c.Needs, c.base, c.attack)
}

// Twin makes the same document without the attack.
func (c Case) Twin(p Params) (Message, error) { return c.make(p, c.TwinNeeds(), c.base) }

// MayEncrypt reports whether the assertion may be encrypted without changing
// what the case tests. The attack is then in the part that the identity
// provider signs.
func (c Case) MayEncrypt() bool {
	if c.Needs.Encrypted || c.Row()[0] == 'A' || c.Row()[0] == 'C' {
		return false
	}
	for _, ch := range []change{c.base, c.attack} {
		if ch[after] != nil || ch[text] != nil || ch[posted] != nil {
			return false
		}
	}
	return !slices.ContainsFunc(c.Outcome.Reasons, func(r string) bool {
		return r == "XML" || r == "Text" || r == "Limit"
	})
}

// PlainTwin reports whether the twin is a plain good message, except for the name in
// TwinOutcome.
func (c Case) PlainTwin() bool {
	return !slices.ContainsFunc(c.base[:], func(steps []func(*draft)) bool { return steps != nil })
}

// OnSignature reports whether the attack changes a signature after it was made.
// With SignBoth it changes the assertion's signature. The Response's signature
// is made after the attack, and verifies.
func (c Case) OnSignature() bool { return c.attack[signed] != nil && c.attack[setup] == nil }

func (c Case) make(p Params, n Needs, changes ...change) (Message, error) {
	if !slices.Contains(n.Modes(), p.Sign) {
		return Message{}, &Error{Rule: c.ID, Detail: "it does not apply with the " + p.Sign.String() + " signed"}
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
	d.text = d.write(d.tree)
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

// Error describes why a document could not be made.
type Error struct {
	Rule   string // the case's ID, or "target"
	Detail string
	Err    error
}

// Error returns the package's name, the Rule, the Detail and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("attack: %s: %s", e.Rule, e.Detail)
	}
	return fmt.Sprintf("attack: %s: %s: %v", e.Rule, e.Detail, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
