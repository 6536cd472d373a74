package saml

import (
	"crypto"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const nsRegistration = "urn:oasis:names:tc:SAML:metadata:rpi"

// maxEntities bounds an [Aggregate]. The largest federations have about 10,000.
const maxEntities = 100_000

// Aggregate is a metadata document with any number of entities: an
// EntitiesDescriptor, or a single EntityDescriptor (Metadata 2.3). The document is
// parsed once. Each identity provider is read from it when it is first asked for, so an
// invalid entity does not affect the others. [Aggregate.Inspect] says which are invalid,
// and why. An Aggregate never changes, and is safe for concurrent use.
//
// The document stays in memory, and takes about twice its size there.
type Aggregate struct {
	root       xmltree.Node
	order      []string // entity IDs, in document order
	providers  map[string]xmltree.Node
	duplicates map[string]bool // entity IDs that several descriptors have
	lifetime   lifetime
	created    time.Time
	verified   bool
	read       sync.Map // entity ID → readEntity, of providers only
	sources    func() sourceIndex
}

type readEntity struct {
	idp *IdP
	err error
}

// VerifyAggregate reads a metadata document and verifies the signature of its root
// with keys, of which at least one is required. The Signature must be a child of the
// root and refer to the root. Values are read from the nodes that it covers
// (Metadata 3.1). SHA-1, and RSA keys below 2048 bits, are refused. Pass the keys of
// one publisher only: another federation's key must not sign this document. KeyInfo
// is ignored.
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

// ParseAggregate reads a metadata document without verifying its signature. The
// document decides which keys are trusted, so use it only for a trusted source, such
// as the operator's own file.
//
// The document must be in UTF-8, UTF-16 or ISO-8859-1, with at most 64 MiB,
// 4,000,000 nodes and 100,000 entities. Its IDs must be unique. The error is a
// [*Error]: ReasonMetadata, ReasonLimit or ReasonID.
func ParseAggregate(document []byte) (*Aggregate, error) {
	root, err := parseMetadataRoot(document)
	if err != nil {
		return nil, err
	}
	return newAggregate(root)
}

const ruleMetadataSignature = "Signature of the metadata (Metadata 3.1)"

// fromMetadataSignature sets the Reason of an error about the root's signature.
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

// newAggregate indexes the entities below root, and reads the root's own attributes.
func newAggregate(root xmltree.Node) (*Aggregate, error) {
	a := &Aggregate{root: root, providers: map[string]xmltree.Node{}, duplicates: map[string]bool{}}
	var d metadataDecoder
	n := 0
	for entity := range entities(root) {
		if n++; n > maxEntities {
			return nil, &Error{Reason: ReasonLimit, Rule: "entities", Want: fmt.Sprint("at most ", maxEntities)}
		}
		id := d.anyURI(entity, "entityID")
		if len(identityProviderRoles(entity)) == 0 {
			continue
		}
		if _, found := a.providers[id]; found {
			a.duplicates[id] = true
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
	a.sources = sync.OnceValue(func() sourceIndex { return newSourceIndex(a.order, SourceIDOf) })
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

// EntityIDs returns the entity IDs of the identity providers, in document order. An
// identity provider may be unusable: [Aggregate.IdP] then returns an error.
func (a *Aggregate) EntityIDs() iter.Seq[string] { return slices.Values(a.order) }

// Len returns the number of identity providers.
func (a *Aggregate) Len() int { return len(a.order) }

// Single returns the entity ID if the root is an EntityDescriptor, as in the
// response to a metadata query.
func (a *Aggregate) Single() (entityID string, ok bool) {
	if !a.root.Is(xmltree.Metadata, "EntityDescriptor") {
		return "", false
	}
	var d metadataDecoder
	return d.anyURI(a.root, "entityID"), true
}

// Has reports whether the document has an identity provider with that entity ID,
// usable or not.
func (a *Aggregate) Has(entityID string) bool { _, ok := a.providers[entityID]; return ok }

// IdP reads the identity provider with that entity ID. Entity IDs are compared byte
// for byte. The error is a [*Error]: ReasonMetadataEntity if there is none,
// ReasonMetadataDuplicate if several descriptors have this entity ID, and
// ReasonMetadata if it can't be used.
func (a *Aggregate) IdP(entityID string) (*IdP, error) {
	entity, found := a.providers[entityID]
	switch {
	case !found:
		return nil, &Error{Reason: ReasonMetadataEntity, Rule: "entityID (Metadata 2.3.2)",
			Want: "an identity provider in the metadata", Got: entityID}
	case a.duplicates[entityID]:
		return nil, duplicateEntity(entityID)
	}
	// Responses of unauthenticated clients name it, and its metadata can be megabytes of
	// keys. So it is read once.
	if known, ok := a.read.Load(entityID); ok {
		return known.(readEntity).idp, known.(readEntity).err
	}
	idp, err := readIdP(entity)
	if len(entityID) > maxEntityID { // an error, which no response can cause
		return idp, err
	}
	known, _ := a.read.LoadOrStore(strings.Clone(entityID), readEntity{idp, err})
	return known.(readEntity).idp, known.(readEntity).err
}

// SourceIdP reads the identity provider whose entity ID has that SourceID. The error is a [*Error]:
// ReasonArtifactSource if there is none, or several have it, and otherwise that of IdP.
func (a *Aggregate) SourceIdP(id SourceID) (*IdP, error) {
	entityID, err := a.sources().find(id)
	if err != nil {
		return nil, err
	}
	return a.IdP(entityID)
}

func duplicateEntity(entityID string) *Error {
	return &Error{Reason: ReasonMetadataDuplicate, Rule: "entityID (Metadata 2.3.2)",
		Detail: "several EntityDescriptors have it", Got: entityID}
}

// Duplicates returns the entity IDs that several descriptors have, sorted.
func (a *Aggregate) Duplicates() []string { return slices.Sorted(maps.Keys(a.duplicates)) }

// ValidUntil returns the instant at which the whole document expires, or zero if it
// has none. An entity can expire sooner: see [IdP.ValidUntil].
func (a *Aggregate) ValidUntil() time.Time { return a.lifetime.validUntil }

// CacheDuration returns how long the document may be used before it is fetched again
// (Metadata 2.3.1), or zero if it has none.
func (a *Aggregate) CacheDuration() time.Duration { return a.lifetime.cacheDuration }

// CreationInstant returns when the document was published, according to its
// PublicationInfo, or zero if it has none.
func (a *Aggregate) CreationInstant() time.Time { return a.created }
