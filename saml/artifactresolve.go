package saml

import "time"

// ArtifactResolve is a signed request for the message of an artifact (Core 3.5.1, Profiles 5). It never changes. Send
// its Envelope to its URL, by SOAP.
type ArtifactResolve struct {
	outbound
	record ArtifactRecord
}

// ArtifactRecord records an ArtifactResolve: what its answer must be.
type ArtifactRecord struct {
	ID  string // of the ArtifactResolve
	IdP string // the entity ID of the identity provider that it was made to
}

// NewArtifactResolve returns a request to the address that an artifact names. It is signed, because an identity
// provider gives a message to its recipient only (Profiles 5.4.1). The error has ReasonConfig if Config.Key is nil,
// ReasonAlgorithm if the identity provider does not accept our signatures, and ReasonMetadataExpired if its metadata
// expired.
func (sp *ServiceProvider) NewArtifactResolve(a *Artifact) (*ArtifactResolve, error) {
	if sp.cfg.Key == nil {
		return nil, configError("Config.Key", "is required to resolve artifacts, because each ArtifactResolve is signed")
	}
	now := sp.cfg.Now()
	if err := sp.cfg.checkMetadataInForce(a.idp, now); err != nil {
		return nil, err
	}
	if err := sp.checkOffered(a.idp, SOAP); err != nil {
		return nil, err
	}
	id, err := sp.newID("_")
	if err != nil {
		return nil, err
	}
	r := &ArtifactResolve{
		outbound: outbound{sp: sp, param: "ArtifactResolve", id: id, binding: SOAP, to: a.url},
		record:   ArtifactRecord{ID: id, IdP: a.idp.entityID},
	}
	r.write(a.value, now)
	return r, nil
}

func (r *ArtifactResolve) write(artifact string, now time.Time) {
	var head, tail canonicalWriter
	head.start("samlp:ArtifactResolve",
		attribute{"xmlns:samlp", nsProtocol},
		attribute{"Destination", r.to},
		attribute{"ID", r.id},
		attribute{"IssueInstant", now.UTC().Truncate(time.Millisecond).Format(instantForm)},
		attribute{"Version", "2.0"})
	head.element("saml:Issuer", r.sp.cfg.EntityID, attribute{"xmlns:saml", nsAssertion})
	tail.element("samlp:Artifact", artifact)
	tail.end("samlp:ArtifactResolve")
	r.head, r.tail = head.String(), tail.String()
}

// Record returns what the answer must be, for VerifyArtifactResponse.
func (r *ArtifactResolve) Record() ArtifactRecord { return r.record }
