package attack

import (
	"crypto"
	"errors"
	"slices"
	"strings"
	"time"
)

// MetadataCase is metadata of an identity provider that a service provider must
// accept or refuse: a row of the catalogue or a variant of one. It is refused when it
// is read, or when a request to the identity provider is made: by then it may have
// expired, or have no address that can be used.
type MetadataCase struct {
	// ID, Name, Description and Reference are as in [Case].
	ID, Name, Description, Reference string
	// ByName: the document has several identity providers, and the wanted one is
	// MetadataParams.EntityID.
	ByName bool
	// Pinned are the keys that the service provider has pinned for the publisher: the
	// root's signature must verify with one of them. Empty: the operator vouches for the
	// document.
	Pinned  []KeyRole
	Outcome MetadataOutcome

	changes
}

// Row returns the ID of the row that c shows.
func (c MetadataCase) Row() string {
	row, _, _ := strings.Cut(c.ID, "/")
	return row
}

// MetadataOutcome is the expected outcome of metadata, with all values that a
// service provider must read from accepted metadata.
type MetadataOutcome struct {
	// Reasons are as in [Outcome]. Empty: it is accepted.
	Reasons []string
	// Keys are the only keys with which the identity provider's messages verify.
	// Empty: SigningKey alone.
	Keys []KeyRole
	// ValidUntil is how long after MetadataParams.Now it ends. Zero: never.
	ValidUntil time.Duration
	// PassedOver: parts that could hold a key or an address are ignored, and
	// reported.
	PassedOver bool
}

// Accepted reports whether the document is to be accepted.
func (o MetadataOutcome) Accepted() bool { return len(o.Reasons) == 0 }

// String returns "accepted", or "refused" and the reasons.
func (o MetadataOutcome) String() string { return Outcome{Reasons: o.Reasons}.String() }

// SigningKeys returns Keys or, if it is empty, its default.
func (o MetadataOutcome) SigningKeys() []KeyRole {
	if len(o.Keys) == 0 {
		return []KeyRole{SigningKey}
	}
	return slices.Clone(o.Keys)
}

// KeyRole names a key of [MetadataParams].
type KeyRole string

// The keys of a metadata document.
const (
	SigningKey KeyRole = "signing" // the identity provider's
	NextKey    KeyRole = "next"    // replaces it in a rollover
	IssuerKey  KeyRole = "issuer"  // issues the signing certificate
	RootKey    KeyRole = "root"    // issues the issuer's certificate
	// PublisherKey is the key of a federation, or of another publisher of metadata.
	PublisherKey KeyRole = "publisher"
	// WeakKey is a publisher's RSA key of 1024 bits.
	WeakKey KeyRole = "weak"
)

// MetadataParams fills in a metadata document. All of it is required.
type MetadataParams struct {
	EntityID string // the identity provider
	SSOURL   string // its address for requests by HTTP-Redirect and by HTTP-POST
	Keys     map[KeyRole]crypto.Signer
	Now      time.Time
}

// Make makes the hostile document.
func (c MetadataCase) Make(p MetadataParams) ([]byte, error) { return c.make(p, c.base, c.attack) }

// Twin makes the same document without the attack. It must be accepted, with
// the values that [MetadataOutcome] describes for good metadata.
func (c MetadataCase) Twin(p MetadataParams) ([]byte, error) { return c.make(p, c.base) }

func (c MetadataCase) make(p MetadataParams, changes ...change) ([]byte, error) {
	if p.EntityID == "" || p.SSOURL == "" || p.Now.IsZero() {
		return nil, &Error{Rule: c.ID, Detail: "parameters", Err: errors.New("missing EntityID, SSOURL or Now")}
	}
	for _, role := range []KeyRole{SigningKey, NextKey, IssuerKey, RootKey, PublisherKey, WeakKey} {
		if p.Keys[role] == nil {
			return nil, &Error{Rule: c.ID, Detail: "parameters", Err: errors.New("missing the " + string(role) + " key")}
		}
	}
	d := &draft{
		p:        Params{Now: p.Now, Key: p.Keys[SigningKey], AttackerKey: p.Keys[IssuerKey]},
		metadata: p, digest: sha256Digest, changes: changes,
	}
	out := d.makeMetadata()
	if d.err != nil {
		return nil, &Error{Rule: c.ID, Detail: "making it", Err: d.err}
	}
	return out, nil
}

// MetadataCases lists the metadata documents in the order of the catalogue. They
// share slices, which must not be changed.
func MetadataCases() []MetadataCase { return slices.Clone(read().metadata) }
