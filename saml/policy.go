package saml

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
)

// IdPPolicy describes what a service provider accepts from one identity provider. It
// only narrows what Config accepts. Its zero value changes nothing.
type IdPPolicy struct {
	// RefuseUnsolicited refuses responses that answer no request, even if
	// VerifyOptions.Unsolicited is set.
	RefuseUnsolicited bool
	// WantAssertionsSigned and WantResponsesSigned require signatures as the fields
	// of Config do.
	WantAssertionsSigned, WantResponsesSigned bool
	// NameIDFormats lists the accepted formats of a NameID. A NameID without Format
	// has the format unspecified (Core 8.3.1). Empty: all.
	NameIDFormats []string
	// RefusedAlgorithms lists URIs of algorithms that are refused: of signatures and
	// their digests, and of encrypted data and its keys. It may only have algorithms
	// that this package supports. Empty: none.
	RefusedAlgorithms []string
	// Skew replaces a larger Config.Skew. Zero: Config.Skew.
	Skew time.Duration

	// Scopes lists the scopes of which this identity provider may assert values, such
	// as example.org. It replaces those of the metadata. Empty: those of the metadata
	// (shibmd:Scope). If there are none either, scopes are not checked.
	Scopes []string
	// RequireScopes refuses every value of a scoped attribute if neither Scopes nor
	// the metadata has a scope.
	RequireScopes bool
	// ScopedAttributes lists the Names of the attributes whose values are
	// "name@scope". Empty: eduPersonPrincipalName, eduPersonPrincipalNamePrior,
	// eduPersonScopedAffiliation, eduPersonUniqueId, subject-id and pairwise-id.
	ScopedAttributes []string
}

// WithPolicy returns a copy of i with a policy, which replaces the one it has. The
// error is a [*Error] with ReasonConfig that names the field.
func (i *IdP) WithPolicy(p IdPPolicy) (*IdP, error) {
	if p.Skew < 0 || p.Skew > maxSkew {
		return nil, configError("IdPPolicy.Skew", "from 0 to %v, got %v", maxSkew, p.Skew)
	}
	for _, uri := range p.RefusedAlgorithms {
		if !dsig.Supports(uri) && !xmlenc.Supports(uri) {
			return nil, configError("IdPPolicy.RefusedAlgorithms", "%s is not supported anyway", quote(uri))
		}
	}
	if slices.Contains(p.ScopedAttributes, "") {
		return nil, configError("IdPPolicy.ScopedAttributes", "one of them is empty")
	}
	out := *i
	out.policy = p
	out.policy.NameIDFormats = slices.Clone(p.NameIDFormats)
	out.policy.RefusedAlgorithms = slices.Clone(p.RefusedAlgorithms)
	out.policy.ScopedAttributes = slices.Clone(p.ScopedAttributes)
	out.policy.Scopes = nil // they are in scopes
	out.scopes = i.declared
	if len(p.Scopes) > 0 || p.RequireScopes && out.scopes == nil {
		out.scopes = new(scopes)
	}
	for _, scope := range p.Scopes {
		if err := out.scopes.add(scope); err != nil {
			return nil, configError("IdPPolicy.Scopes", "%s", err.Detail)
		}
	}
	return &out, nil
}

// skew returns the allowed difference between clocks.
func (v *verification) skew() time.Duration {
	if own := v.idp.policy.Skew; own > 0 {
		return min(own, v.cfg.Skew)
	}
	return v.cfg.Skew
}

// checkNameIDFormat requires a format that the policy accepts.
func (c *claims) checkNameIDFormat() error {
	accepted, got := c.idp.policy.NameIDFormats, cmp.Or(c.assertion.nameID.Format, formatUnspec)
	if len(accepted) == 0 || slices.Contains(accepted, got) {
		return nil
	}
	return &Error{Reason: ReasonNameID, Detail: "IdPPolicy.NameIDFormats", Want: fmt.Sprint(accepted), Got: got}
}
