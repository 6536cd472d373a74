package center

import (
	"fmt"
	"iter"
	"slices"
	"time"
)

// Federation is what the service provider of each Region needs of an external identity provider: its metadata, which
// has its keys and addresses, and the policy for it. It is written in the primary and replicated, so that all Regions
// trust the same keys. Federations of package portal makes service providers follow it.
//
// Versions before this kind of record keep it and pass it on, and go on with the metadata that they were started with.
type Federation struct {
	// EntityID is the identity provider's. Required and unique. If the instance lists identity providers, it must be one
	// of them.
	EntityID string `json:"entityId"`
	// Metadata is SAML metadata that the operator vouches for. This package doesn't read it: use PutFederation of package
	// portal, which does. Required, at most MaxFederationMetadata bytes.
	Metadata []byte `json:"metadata"`
	// Policy narrows what the identity provider may send. Zero: what the service provider's own configuration says.
	Policy FederationPolicy `json:"policy,omitzero"`
	// UpdatedAt is when it was last written, by the primary's clock. Tx sets it.
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
}

// FederationPolicy is saml.IdPPolicy, whose fields it has.
type FederationPolicy struct {
	RefuseUnsolicited                         bool
	WantAssertionsSigned, WantResponsesSigned bool
	NameIDFormats                             []string
	RefusedAlgorithms                         []string
	Skew                                      time.Duration
	Scopes                                    []string
	RequireScopes                             bool
	ScopedAttributes                          []string
}

// The limits of federations. More identity providers, and larger metadata, are for package acs/federation.
const (
	MaxFederationMetadata = 256 << 10 // bytes of one
	MaxFederations        = 50        // in the instance
)

func (Federation) kind() Kind    { return KindFederation }
func (f Federation) key() string { return f.EntityID }

// clone returns a copy that shares no memory with f.
func (f Federation) clone() Federation {
	f.Metadata = slices.Clone(f.Metadata)
	p := &f.Policy
	for _, list := range []*[]string{&p.NameIDFormats, &p.RefusedAlgorithms, &p.Scopes, &p.ScopedAttributes} {
		*list = slices.Clone(*list)
	}
	return f
}

func (f Federation) size() (n int) {
	for _, list := range [][]string{f.Policy.NameIDFormats, f.Policy.RefusedAlgorithms, f.Policy.Scopes,
		f.Policy.ScopedAttributes} {
		for _, s := range list {
			n += len(s) + 4
		}
	}
	return n + len(f.Metadata)
}

// Federations yields the federations in the order of their entity IDs, from one on.
func (s *Snapshot) Federations(from string) iter.Seq[Federation] {
	return values(&s.federations, from, Federation.clone)
}

// Federation returns the federation of the identity provider with this entity ID, or nil. It must not be changed. It is
// the same pointer until it is written again, so a caller can keep what it made of it.
func (s *Snapshot) Federation(entityID string) *Federation { return s.federations.get(entityID) }

// PutFederation adds the federation of an identity provider, or replaces it. Every Region follows as soon as the change
// arrives: keys that the new metadata lacks are not trusted any more. Sessions go on; revoke them if a key was stolen.
// Primary only.
func (t *Tx) PutFederation(f Federation) error {
	f.UpdatedAt = instant(t.now)
	return put(t, &t.d.federations, f.clone())
}

// RemoveFederation removes the federation of an identity provider, whose messages no Region accepts then. Primary only.
func (t *Tx) RemoveFederation(entityID string) error { return remove(t, &t.d.federations, entityID) }

// checkFederations checks those that were written here. A stored one with other values, of a later version, must not
// prevent a start.
func (d *draft) checkFederations(c *checker) {
	each(c, &d.federations, false, func(_, f *Federation) {
		if f == nil {
			return
		}
		c.bounded("entityId of federation", f.EntityID, maxEntityID)
		c.of = f.EntityID
		switch {
		case len(f.Metadata) == 0:
			c.fail(ReasonRequired, "metadata of federation", "SAML metadata", "")
		case f.size() > MaxFederationMetadata:
			want := fmt.Sprintf("at most %d bytes, with the policy", MaxFederationMetadata)
			c.fail(ReasonQuota, "metadata of federation", want, fmt.Sprint(f.size()))
		case !d.s.belongs(f.EntityID):
			c.fail(ReasonDangling, "federation", "the entity ID of a listed identity provider", f.EntityID)
		}
	})
	c.of = ""
	if n := d.s.federations.len(); n > MaxFederations && n > d.base.federations.len() {
		c.fail(ReasonQuota, "number of federations", fmt.Sprintf("at most %d", MaxFederations), fmt.Sprint(n))
	}
}
