package saml

import (
	"crypto"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const nsRegistration = "urn:oasis:names:tc:SAML:metadata:rpi"

// maxEntities bounds an [Aggregate]. The largest federations have about 10,000.
const maxEntities = 100_000

// Aggregate is a metadata document with any number of entities: an
// EntitiesDescriptor, or a single EntityDescriptor (Metadata 2.3). It was read
// once, and an identity provider is read from it when it is asked for, so one
// entity that is broken does no harm to the others. It never changes, and is safe
// for concurrent use.
//
// The document stays in memory: about twice its size.
type Aggregate struct {
	root      xmltree.Node
	order     []string // entity IDs, in document order
	providers map[string]xmltree.Node
	twice     map[string]bool // entity IDs that several descriptors have
	lifetime  lifetime
	created   time.Time
	verified  bool
}

// VerifyAggregate reads a metadata document that is signed as a whole, with one
// of keys: the Signature is the root's own, refers to the root, and is verified
// over the very nodes that are read afterwards (Metadata 3.1). SHA-1, and RSA
// below 2048 bits, are refused. Give the keys of one source only: a key that
// another federation uses says nothing about this one. At least one is required,
// and KeyInfo is never looked at.
//
// The error is a [*Error]: ReasonMetadataUnsigned, ReasonMetadataSignature,
// ReasonSignatureShape, ReasonAlgorithm or ReasonKey for the signature, and those of
// [ParseAggregate].
func VerifyAggregate(document []byte, keys []crypto.PublicKey) (*Aggregate, error) {
	if len(keys) == 0 {
		return nil, configError("keys", "at least one is required")
	}
	root, err := parseMetadataRoot(document)
	if err != nil {
		return nil, err
	}
	signature := root.First()
	if !signature.Is(xmltree.Signature, "Signature") {
		return nil, &Error{Reason: ReasonMetadataUnsigned, Rule: ruleMetadataSignature,
			Detail: "the first element of the root is not its Signature"}
	}
	policy := dsig.Policy{MinRSABits: minRSABits}
	envelope, err := dsig.Read(signature, policy)
	if err == nil {
		_, err = envelope.Verify(keys, policy)
	}
	if err != nil {
		return nil, fromMetadataSignature(root.Local(), err)
	}
	a, err := newAggregate(root)
	if err != nil {
		return nil, err
	}
	a.verified = true
	return a, nil
}

// ParseAggregate reads a metadata document without looking at its signature. It
// is for a document that the caller vouches for, such as a file of the
// operator's own: it decides which keys are trusted.
//
// The document is in UTF-8, UTF-16 or ISO-8859-1, has at most 64 MiB, 4,000,000
// nodes and 100,000 entities, and unique IDs. The error is a [*Error]:
// ReasonMetadata, ReasonLimit or ReasonID.
func ParseAggregate(document []byte) (*Aggregate, error) {
	root, err := parseMetadataRoot(document)
	if err != nil {
		return nil, err
	}
	return newAggregate(root)
}

const ruleMetadataSignature = "Signature of the metadata (Metadata 3.1)"

// fromMetadataSignature gives the error of the root's signature its Reason.
func fromMetadataSignature(what string, err error) error {
	var e *Error
	if err = fromSignature(what, err); !errors.As(err, &e) {
		return err
	}
	e.Rule = ruleMetadataSignature
	if e.Reason == ReasonSignature {
		e.Reason = ReasonMetadataSignature
	}
	return e
}

// newAggregate finds the entities below root, and what the root says of itself.
func newAggregate(root xmltree.Node) (*Aggregate, error) {
	a := &Aggregate{root: root, providers: map[string]xmltree.Node{}, twice: map[string]bool{}}
	var d metadataDecoder
	n := 0
	for _, entity := range entities(root) {
		if n++; n > maxEntities {
			return nil, &Error{Reason: ReasonLimit, Rule: "entities", Want: fmt.Sprint("at most ", maxEntities)}
		}
		id := d.anyURI(entity, "entityID")
		if len(identityProviderRoles(entity)) == 0 {
			continue
		}
		if _, found := a.providers[id]; found {
			a.twice[id] = true
			continue
		}
		a.providers[id] = entity
		a.order = append(a.order, id)
	}
	d.lifetime(&a.lifetime, root)
	a.created = creationInstant(&d, root)
	if d.err != nil {
		return nil, d.err
	}
	return a, nil
}

// creationInstant reads the root's PublicationInfo (SAML V2.0 Metadata Extensions
// for Registration and Publication Information, 2.2).
func creationInstant(d *metadataDecoder, root xmltree.Node) time.Time {
	for n := root.Child(xmltree.Metadata, "Extensions").First(); n.OK(); n = n.Next() {
		if n.Local() == "PublicationInfo" && n.Doc().URI(n.NS()) == nsRegistration {
			return d.instant(n, "creationInstant")
		}
	}
	return time.Time{}
}

// Verified reports whether VerifyAggregate made the Aggregate.
func (a *Aggregate) Verified() bool { return a.verified }

// EntityIDs returns the entity IDs of the identity providers, in document order.
// Whether one can be used, [Aggregate.IdP] says.
func (a *Aggregate) EntityIDs() iter.Seq[string] { return slices.Values(a.order) }

// Len is the number of identity providers.
func (a *Aggregate) Len() int { return len(a.order) }

// Single returns the entity ID of a document whose root is an EntityDescriptor,
// as the answer to a metadata query is.
func (a *Aggregate) Single() (entityID string, ok bool) {
	if !a.root.Is(xmltree.Metadata, "EntityDescriptor") {
		return "", false
	}
	var d metadataDecoder
	return d.anyURI(a.root, "entityID"), true
}

// Has reports whether the document has an identity provider of that entity ID,
// usable or not.
func (a *Aggregate) Has(entityID string) bool { _, ok := a.providers[entityID]; return ok }

// IdP reads the identity provider with that entity ID, which is compared byte for
// byte. The error is a [*Error]: ReasonMetadataEntity where there is none,
// ReasonMetadataDuplicate where several descriptors have this entity ID, and
// ReasonMetadata where it can't be used.
func (a *Aggregate) IdP(entityID string) (*IdP, error) {
	entity, found := a.providers[entityID]
	switch {
	case !found:
		return nil, &Error{Reason: ReasonMetadataEntity, Rule: "entityID (Metadata 2.3.2)",
			Want: "an identity provider in the metadata", Got: entityID}
	case a.twice[entityID]:
		return nil, &Error{Reason: ReasonMetadataDuplicate, Rule: "entityID (Metadata 2.3.2)",
			Detail: "several EntityDescriptors have it", Got: entityID}
	}
	return readIdP(entity)
}

// Duplicates returns the entity IDs that several descriptors have, sorted.
func (a *Aggregate) Duplicates() []string { return slices.Sorted(maps.Keys(a.twice)) }

// ValidUntil is the instant at which the whole document ends; zero if it doesn't
// say. An entity can end sooner: see [IdP.ValidUntil].
func (a *Aggregate) ValidUntil() time.Time { return a.lifetime.validUntil }

// CacheDuration is how long the document may be used before it is read again;
// zero if it doesn't say (Metadata 2.3.1).
func (a *Aggregate) CacheDuration() time.Duration { return a.lifetime.cacheDuration }

// CreationInstant is when the document was published, as its PublicationInfo
// says; zero if it doesn't say.
func (a *Aggregate) CreationInstant() time.Time { return a.created }
