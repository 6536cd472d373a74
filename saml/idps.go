package saml

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// IdPs finds identity providers by their entity IDs. A Federation of package
// acs/federation and an [*Aggregate] implement it. Implementations are safe for
// concurrent use.
type IdPs interface {
	// IdP returns the identity provider with that entity ID, compared byte for byte.
	// The entity ID can come from a message that is not verified yet, so IdP must
	// neither fetch nor store anything for it. The error is a [*Error], with
	// ReasonMetadataEntity if the identity provider is unknown, or another error if
	// its metadata can't be used.
	IdP(entityID string) (*IdP, error)
}

const ruleIdP = "Identity provider (Profiles 4.1.4.3)"

// only returns the only identity provider, or nil if there can be several.
func (cfg *Config) only() *IdP {
	if cfg.IdPs != nil {
		return nil
	}
	return cfg.IdP.IdP()
}

// IdP returns the identity provider with that entity ID as it is now: of an assertion's
// Issuer, for example. The error is a [*Error]; its Reason is ReasonMetadataEntity if the
// identity provider is unknown.
func (sp *ServiceProvider) IdP(entityID string) (*IdP, error) { return sp.cfg.find(entityID) }

// find returns the identity provider with that entity ID.
func (cfg *Config) find(entityID string) (*IdP, error) {
	unknown := &Error{Reason: ReasonMetadataEntity, Rule: ruleIdP,
		Want: "a known identity provider", Got: entityID}
	if only := cfg.only(); only != nil {
		if only.entityID != entityID {
			unknown.Want = only.entityID
			return nil, unknown
		}
		return only, nil
	}
	if entityID == "" || len(entityID) > maxEntityID {
		return nil, unknown
	}
	// The source may keep the value, which must not keep the document in memory.
	idp, err := cfg.IdPs.IdP(strings.Clone(entityID))
	switch {
	case err != nil:
		return nil, ofSource(err, entityID)
	case idp == nil || idp.entityID != entityID:
		return nil, unknown
	}
	return idp, nil
}

// ofSource returns an error of Config.IdPs as one of this package. It is a copy, because the source may return the same
// error again.
func ofSource(err error, got string) *Error {
	var e *Error
	if !errors.As(err, &e) {
		return &Error{Reason: ReasonMetadata, Rule: ruleIdP, Got: got, Err: err}
	}
	copied := *e
	return &copied
}

// selectIdP finds the identity provider that the message names. Nothing is verified
// yet, so the name only selects: afterwards the signatures must verify with the keys
// of this identity provider, the signed Issuers must be its entity ID, and the
// request must have been made to it. An Issuer is required around an encrypted
// assertion (Profiles 4.1.4.2), and otherwise that of the assertion serves, too.
func (v *verification) selectIdP(m *message) error {
	named, err := m.named()
	if err != nil {
		return err
	}
	if !named.given {
		return &Error{Reason: ReasonIssuer, Detail: "no Issuer names the identity provider"}
	}
	idp, err := v.cfg.find(named.value)
	if err != nil {
		return err
	}
	v.idp = idp
	if id := m.response.inResponseTo; id.given && slices.Contains(v.want.RequestIDs, id.value) {
		return v.checkMadeTo(id.value)
	}
	return nil
}

// named returns the Issuer of a Response, or else of its assertion.
func (m *message) named() (issuer, error) {
	if m.response.issuer.given || !m.assertion.OK() {
		return m.response.issuer, nil
	}
	var d decoder
	return d.issuer(m.assertion), d.err
}

// checkMadeTo requires a request to have been made to the identity provider whose
// keys are used. Otherwise one of them could answer for another (Profiles 4.1.4.3).
func (v *verification) checkMadeTo(requestID string) error {
	if v.cfg.IdPs == nil || strings.HasPrefix(afterTag(requestID), idpTag(v.idp.entityID)) {
		return nil
	}
	return &Error{
		Reason: ReasonIdP, Rule: ruleIdP, Detail: "the request was made to another identity provider",
		Want: "a request made to " + v.idp.entityID, Got: requestID,
	}
}

// idpTag returns the second part of a request ID, which names the identity provider
// that the request was made to. It is not secret. Its 128 bits are too many to find
// an entity ID that has the tag of another.
func idpTag(entityID string) string {
	sum := sha256.Sum256([]byte("idp|" + entityID))
	return hex.EncodeToString(sum[:16]) + "-"
}

// afterTag returns a request ID without the tag of its ACS URL.
func afterTag(requestID string) string { return requestID[min(len(requestID), requestTagLen):] }
