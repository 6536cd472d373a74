package saml

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"
)

// HTTPArtifact is the binding of a response that the identity provider keeps (Bindings 3.6). The browser brings an
// artifact, for which the service provider gets the response by SOAP.
const HTTPArtifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"

const (
	artifactType = 4   // the only type that SAML 2.0 defines (Bindings 3.6.4.2)
	artifactSize = 44  // octets of that type
	maxArtifact  = 256 // characters

	ruleArtifact       = "Artifact (Bindings 3.6.4)"
	ruleArtifactSource = "Source of the artifact (Bindings 3.6.4.2)"
)

// Artifact is an artifact that names a known identity provider and one of its addresses. Nothing in it is verified: any
// client can make one. It is used once: keep a record of it before it is resolved (Bindings 3.6.5.2).
type Artifact struct {
	value string
	idp   *IdP
	url   string // that resolves it
}

// ParseArtifact reads the parameter SAMLart of a browser. It finds the identity provider whose SourceID is in the
// artifact, and the address that its metadata lists with the EndpointIndex in the artifact. Nothing is sent.
//
// The error is a [*Error]: ReasonArtifactFormat if the parameter is not an artifact of type 4, ReasonArtifactSource if
// no identity provider, or more than one, has its SourceID, or none of its addresses that index, and
// ReasonMetadataExpired if its metadata expired.
func (sp *ServiceProvider) ParseArtifact(samlArt string) (*Artifact, error) {
	octets, err := decodeArtifact(samlArt)
	if err != nil {
		return nil, err
	}
	idp, err := sp.cfg.findSource(SourceID(octets[4:24]))
	if err != nil {
		return nil, err
	}
	if err := sp.cfg.checkMetadataInForce(idp, sp.cfg.Now()); err != nil {
		return nil, err
	}
	index := binary.BigEndian.Uint16(octets[2:4])
	url, found := idp.artifacts[index]
	if !found {
		return nil, &Error{
			Reason: ReasonArtifactSource, Rule: ruleArtifactSource, Detail: quote(idp.entityID),
			Want: "an ArtifactResolutionService of its metadata", Got: fmt.Sprint("index ", index),
		}
	}
	return &Artifact{strings.Clone(samlArt), idp, url}, nil
}

// decodeArtifact decodes the base64 of an artifact. White space is not allowed. There is one encoding only, so that a
// record of an artifact holds for it in any form.
func decodeArtifact(samlArt string) ([]byte, error) {
	bad := func(want, got string) error {
		return &Error{Reason: ReasonArtifactFormat, Rule: ruleArtifact, Want: want, Got: got}
	}
	if len(samlArt) > maxArtifact {
		return nil, bad(fmt.Sprintf("at most %d characters", maxArtifact), fmt.Sprint(len(samlArt)))
	}
	if strings.ContainsAny(samlArt, "\r\n") { // which the decoder skips
		return nil, bad("base64", "a line end")
	}
	octets, err := strict.DecodeString(samlArt)
	switch {
	case err != nil:
		return nil, &Error{Reason: ReasonArtifactFormat, Rule: ruleArtifact, Err: err}
	case len(octets) < 2 || binary.BigEndian.Uint16(octets) != artifactType:
		return nil, bad("type 0x0004", fmt.Sprintf("%#04x", octets[:min(2, len(octets))]))
	case len(octets) != artifactSize:
		return nil, bad(fmt.Sprint(artifactSize, " octets"), fmt.Sprint(len(octets)))
	}
	return octets, nil
}

// IdP returns the entity ID of the identity provider that the artifact names.
func (a *Artifact) IdP() string { return a.idp.entityID }

// Answers reports whether the AuthnRequest with that ID was made to the identity provider that the artifact names. Only
// then can the artifact's response answer it.
func (a *Artifact) Answers(requestID string) bool {
	return strings.HasPrefix(afterTag(requestID), idpTag(a.idp.entityID))
}

// MayBeUnsolicited reports whether the artifact's response may answer no request: IdPPolicy.RefuseUnsolicited of its
// identity provider isn't set. Otherwise don't resolve an artifact that answers none.
func (a *Artifact) MayBeUnsolicited() bool { return !a.idp.policy.RefuseUnsolicited }

// Value returns the artifact as it was received, for a key of its record. Don't log it before it is resolved.
func (a *Artifact) Value() string { return a.value }

// String describes the artifact for a log, without its value.
func (a *Artifact) String() string { return "artifact of " + a.idp.entityID }

// SourceID is the SHA-1 of an identity provider's entity ID, which artifacts of type 4 have (Bindings 3.6.4.2). It
// selects whom to ask and proves nothing, so collisions of SHA-1 don't matter for more than that.
type SourceID [sha1.Size]byte

// SourceIDOf returns the SourceID of an entity ID.
func SourceIDOf(entityID string) SourceID { return sha1.Sum([]byte(entityID)) }

// SourceIdPs is an [IdPs] that also finds identity providers by SourceID. A Federation of package acs/federation and an
// [*Aggregate] implement it. It is required where an [Endpoint] takes artifacts.
type SourceIdPs interface {
	IdPs
	// SourceIdP returns the identity provider with that SourceID. As for IdP, it must neither fetch nor store anything.
	// The error is a [*Error], with ReasonArtifactSource if no identity provider has the SourceID, or more than one.
	SourceIdP(id SourceID) (*IdP, error)
}

// unknownSource returns the error for a SourceID that no identity provider has, or several have.
func unknownSource(several bool) *Error {
	got := "unknown"
	if several {
		got = "that of several"
	}
	return &Error{Reason: ReasonArtifactSource, Rule: ruleArtifactSource,
		Want: "the SourceID of one known identity provider", Got: got}
}

// findSource returns the identity provider with a SourceID.
func (cfg *Config) findSource(id SourceID) (*IdP, error) {
	if only := cfg.only(); only != nil {
		if SourceIDOf(only.entityID) != id {
			return nil, unknownSource(false)
		}
		return only, nil
	}
	sources, ok := cfg.IdPs.(SourceIdPs)
	if !ok {
		return nil, configError("Config.IdPs", "can't find identity providers by SourceID (saml.SourceIdPs)")
	}
	idp, err := sources.SourceIdP(id)
	if err != nil {
		return nil, ofSource(err, "a SourceID")
	}
	if idp == nil || SourceIDOf(idp.entityID) != id {
		return nil, unknownSource(false)
	}
	return idp, nil
}

// sourceIndex finds entity IDs by SourceID. An entry is empty if several have it.
type sourceIndex map[SourceID]string

// newSourceIndex indexes the entity IDs. hash is SourceIDOf.
func newSourceIndex(entityIDs []string, hash func(string) SourceID) sourceIndex {
	index := make(sourceIndex, len(entityIDs))
	for _, entityID := range entityIDs {
		id := hash(entityID)
		if other, found := index[id]; found && other != entityID {
			entityID = ""
		}
		index[id] = entityID
	}
	return index
}

// find returns the entity ID.
func (x sourceIndex) find(id SourceID) (string, error) {
	entityID, found := x[id]
	if entityID == "" {
		return "", unknownSource(found)
	}
	return entityID, nil
}
