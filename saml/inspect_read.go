package saml

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	maxReported     = 4096 // of a kind, for one entity
	maxReportedKeys = 2 * maxSigningKeys
	// maxLifetimes bounds what many entities in many groups have together.
	maxLifetimes = 8
)

// inspect reads an entity as IdP does, and records what is read.
func (a *Aggregate) inspect(entity xmltree.Node, o *InspectOptions) *EntityReport {
	r := &EntityReport{Roles: roleNames(entity)}
	d := metadataDecoder{report: r}
	id := d.anyURI(entity, "entityID")
	r.Description.EntityID = id
	roles := identityProviderRoles(entity)
	if r.Provider = len(roles) > 0; !r.Provider {
		return r
	}
	r.Description = describe(id, entity)
	idp, err := d.idp(entity)
	if idp != nil {
		idp.description = r.Description
	}
	r.IdP, r.Warnings = idp, d.warnings
	if e, ok := err.(*Error); ok {
		r.Problems = append(r.Problems, e)
	}
	if a.duplicates[id] {
		r.IdP, r.Problems = nil, append(r.Problems, duplicateEntity(id))
	}
	for _, role := range roles {
		for n := role.Child(xmltree.Metadata, "NameIDFormat"); n.OK(); n = n.NextSame() {
			report(&r.NameIDFormats, collapse(n.Text()))
		}
	}
	r.readRegistration(entity)
	r.readAttributes(entity)
	o.check(r)
	return r
}

// report adds a value to a list of an EntityReport.
func report[T any](list *[]T, value T) {
	if len(*list) < maxReported {
		*list = append(*list, value)
	}
}

// roleNames returns the names of an entity's roles (Metadata 2.3.2).
func roleNames(entity xmltree.Node) (names []string) {
	for n := entity.First(); n.OK(); n = n.Next() {
		name := n.Local()
		if n.NS() == xmltree.Metadata && strings.HasSuffix(name, "Descriptor") && !slices.Contains(names, name) &&
			len(names) < maxRoles {
			names = append(names, name)
		}
	}
	return names
}

// maxRoles is above the number of names that Metadata 2.4 and 2.5 define, and bounds
// the search for duplicates.
const maxRoles = 16

// The methods below do nothing for a nil receiver: a decoder without a report.

func (r *EntityReport) addLifetime(n xmltree.Node, until time.Time, cache time.Duration) {
	if r == nil || until.IsZero() && cache == 0 {
		return
	}
	name, _ := n.Attr("Name")
	l := Lifetime{n.Local(), clip(name), until, cache}
	if !until.IsZero() && (r.Ends.ValidUntil.IsZero() || until.Before(r.Ends.ValidUntil)) {
		r.Ends = l
	}
	if len(r.Lifetimes) < maxLifetimes {
		r.Lifetimes = append(r.Lifetimes, l)
	}
}

func (r *EntityReport) addEndpoint(s SSOService, ignored string) {
	if r != nil {
		s.URL = withoutUser(s.URL)
		report(&r.Endpoints, EndpointReport{s, ignored})
	}
}

func (r *EntityReport) addService(s ServiceReport) {
	if r != nil {
		s.URL, s.ResponseURL, s.Index = withoutUser(s.URL), withoutUser(s.ResponseURL), clip(s.Index)
		report(&r.Services, s)
	}
}

func (r *EntityReport) addScope(scope string, pattern bool, err *Error) {
	if r == nil {
		return
	}
	ignored := ""
	if err != nil {
		ignored = err.Explain()
	}
	report(&r.Scopes, ScopeReport{scope, pattern, ignored})
}

// addKey adds a KeyDescriptor.
func (r *EntityReport) addKey(n xmltree.Node, key signingKey, ignored []string) {
	if r == nil || len(r.Keys) >= maxReportedKeys {
		return
	}
	k := KeyReport{Public: key.public, Certificate: key.cert, Ignored: slices.Clone(ignored)}
	k.Use, _ = n.Attr("use")
	var d metadataDecoder
	for m := n.Child(xmltree.Metadata, "EncryptionMethod"); m.OK(); m = m.NextSame() {
		uri := d.anyURI(m, "Algorithm")
		report(&k.EncryptionMethods,
			AlgorithmReport{Element: "EncryptionMethod", URI: uri, Usable: xmlenc.Supports(uri)})
	}
	r.Keys = append(r.Keys, k)
}

func (r *EntityReport) addOffered(o *offered) {
	if r == nil {
		return
	}
	for _, m := range o.methods {
		report(&r.Algorithms, AlgorithmReport{"SigningMethod", m.uri, m.least, m.most, m.signable()})
	}
	for _, uri := range o.digests {
		report(&r.Algorithms, AlgorithmReport{Element: "DigestMethod", URI: uri, Usable: uri == digestSHA256})
	}
}

// readRegistration reads the entity's RegistrationInfo. Nothing depends on it, so an
// invalid instant is ignored.
func (r *EntityReport) readRegistration(entity xmltree.Node) {
	for n := range extensions(entity, nsRegistration) {
		if n.Local() == "RegistrationInfo" {
			var d metadataDecoder
			r.Registration = Registration{d.anyURI(n, "registrationAuthority"), d.instant(n, "registrationInstant")}
			return
		}
	}
}

// readAttributes reads the entity's EntityAttributes.
func (r *EntityReport) readAttributes(entity xmltree.Node) {
	for n := range extensions(entity, nsAttributes) {
		if n.Local() != "EntityAttributes" {
			continue
		}
		for a := n.Child(xmltree.Assertion, "Attribute"); a.OK(); a = a.NextSame() {
			var attribute EntityAttribute
			attribute.Name, _ = a.Attr("Name")
			attribute.NameFormat, _ = a.Attr("NameFormat")
			for v := a.Child(xmltree.Assertion, "AttributeValue"); v.OK(); v = v.NextSame() {
				report(&attribute.Values, collapse(v.Text()))
			}
			report(&r.Attributes, attribute)
		}
	}
}
