package portal

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// Federations are the identity providers of an instance, with the metadata and policies that were written in its
// primary Region (center.Federation). A service provider that has them as its saml.Config.IdPs follows each change as
// soon as it arrives in the Region: what is verified after that is verified with the new keys. An identity provider
// without a Federation, or with one that this version can't read, is unknown: it has no other metadata.
//
// It reads only the Region's own copy, and keeps nothing for a name that the instance doesn't have. It is safe for
// concurrent use.
type Federations struct {
	instance Instance
	parsing  sync.Mutex
	parsed   atomic.Pointer[map[string]parsedFederation] // replaced as a whole
}

// Instance returns the current state. *center.View and *center.Instance implement it.
type Instance interface{ Snapshot() *center.Snapshot }

type parsedFederation struct {
	from *center.Federation
	idp  *saml.IdP
	err  error
}

var _ saml.SourceIdPs = (*Federations)(nil)

// NewFederations returns the identity providers of an instance.
func NewFederations(instance Instance) *Federations {
	f := &Federations{instance: instance}
	f.parsed.Store(&map[string]parsedFederation{})
	return f
}

// IdP implements saml.IdPs.
func (f *Federations) IdP(entityID string) (*saml.IdP, error) {
	record := f.instance.Snapshot().Federation(entityID)
	if record == nil {
		return nil, &saml.Error{Reason: saml.ReasonMetadataEntity, Rule: "federations of the instance",
			Want: "a known identity provider", Got: entityID}
	}
	if p := (*f.parsed.Load())[entityID]; p.from == record {
		return p.idp, p.err
	}
	p := f.parse(record)
	return p.idp, p.err
}

// parse reads a record once, and forgets those that the instance doesn't have any more.
func (f *Federations) parse(record *center.Federation) parsedFederation {
	f.parsing.Lock()
	defer f.parsing.Unlock()
	old := *f.parsed.Load()
	if p := old[record.EntityID]; p.from == record {
		return p
	}
	p := parsedFederation{from: record}
	p.idp, p.err = ParseFederation(*record)
	s := f.instance.Snapshot()
	next := maps.Clone(old)
	maps.DeleteFunc(next, func(id string, o parsedFederation) bool { return s.Federation(id) != o.from })
	if s.Federation(record.EntityID) == record { // otherwise it was replaced meanwhile
		next[record.EntityID] = p
	}
	f.parsed.Store(&next)
	return p
}

// SourceIdP implements saml.SourceIdPs.
func (f *Federations) SourceIdP(id saml.SourceID) (*saml.IdP, error) {
	found := ""
	for record := range f.instance.Snapshot().Federations("") {
		if saml.SourceIDOf(record.EntityID) == id {
			found = record.EntityID
		}
	}
	if found == "" {
		return nil, &saml.Error{Reason: saml.ReasonArtifactSource, Rule: "federations of the instance",
			Want: "the SourceID of one known identity provider", Got: "another"}
	}
	return f.IdP(found)
}

// Only returns the source of one identity provider, for the saml.Config.IdP of a service provider that has no other. It
// must have a readable Federation now; the error is that of IdP. If it has none later, its metadata is expired.
func (f *Federations) Only(entityID string) (saml.IdPSource, error) {
	first, err := f.IdP(entityID)
	if err != nil {
		return nil, err
	}
	return &onlyFederation{f, entityID, first.Until(time.Unix(0, 0))}, nil
}

type onlyFederation struct {
	of       *Federations
	entityID string
	expired  *saml.IdP
}

func (o *onlyFederation) IdP() *saml.IdP {
	if idp, err := o.of.IdP(o.entityID); err == nil {
		return idp
	}
	return o.expired
}

// ParseFederation reads the metadata and the policy of a Federation. The metadata must be of the identity provider that
// the Federation names. The error is a *saml.Error.
func ParseFederation(f center.Federation) (*saml.IdP, error) {
	idp, err := saml.ParseIdPMetadataFor(f.Metadata, f.EntityID)
	if err != nil {
		return nil, err
	}
	return idp.WithPolicy(saml.IdPPolicy(f.Policy))
}

// PutFederation reads a Federation, and writes it in the primary if it can be used. by is who does that: see
// center.Tx.By. It returns what was read, with its warnings. The error is a *saml.Error, or that of the update.
func PutFederation(v *center.View, by center.Actor, f center.Federation) (*saml.IdP, error) {
	idp, err := ParseFederation(f)
	if err != nil {
		return nil, err
	}
	return idp, v.Update(func(tx *center.Tx) error {
		tx.By(by)
		return tx.PutFederation(f)
	})
}
