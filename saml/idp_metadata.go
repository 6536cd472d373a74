package saml

import (
	"iter"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	nsMetadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
)

// metadataLimits are wide enough for a federation's aggregate.
var metadataLimits = xmltree.Limits{
	Bytes: 64 << 20, Depth: 64, Nodes: 4_000_000, Attributes: 64, Namespaces: 64, Total: 4_000_000,
	Comments: mayHoldComments,
}

// mayHoldComments allows comments except in a bare key. Comments in certificates are
// accepted, because some tools write them into the base64.
func mayHoldComments(_ xmltree.NS, local string) bool {
	return !slices.Contains([]string{"Modulus", "Exponent", "PublicKey", "DEREncodedKeyValue"}, local)
}

// ParseIdPMetadata reads an identity provider's metadata: an EntityDescriptor,
// or an EntitiesDescriptor with exactly one identity provider in it. Use
// [ParseIdPMetadataFor] to choose one of several. It may be in UTF-8, UTF-16
// (with a byte order mark) or ISO-8859-1 (with an XML declaration that names it).
//
// Metadata decides which keys are trusted, so use only a source and a channel that
// you trust. Its signature is not verified: see [VerifyAggregate].
//
// Only what is used is validated: the entity ID, and the expiry, flags, addresses
// and keys of the entity's SAML 2.0 IDPSSODescriptors. The content of other roles,
// entities and extensions is not validated. The whole document must be well-formed
// XML without a DOCTYPE and processing instructions, and its IDs must be unique.
//
// Every key is used whose KeyDescriptor has use="signing" or no use (Metadata
// 2.4.1.1). Addresses for other bindings than HTTP-Redirect, HTTP-POST and SOAP are
// ignored. Plain-http addresses, addresses for SOAP that are not public, and unusable
// keys are ignored with a warning ([IdP.Warnings]). Metadata without a usable key, or
// with more than 32, is refused.
//
// The error is a [*Error] with ReasonMetadata; with ReasonMetadataDuplicate if several
// EntityDescriptors have the identity provider's entity ID; or with ReasonID or
// ReasonLimit about the whole document.
func ParseIdPMetadata(metadata []byte) (*IdP, error) {
	a, err := ParseAggregate(metadata)
	switch {
	case err != nil:
		return nil, err
	case a.Len() == 0:
		return nil, metadataError("IDPSSODescriptor", "no SAML 2.0 identity provider in it")
	case a.Len() > 1:
		return nil, metadataError("IDPSSODescriptor",
			"%d identity providers in it: an entity ID is needed to choose one", a.Len())
	}
	return a.IdP(a.order[0])
}

// ParseIdPMetadataFor reads the metadata of the identity provider with that
// entity ID, from an EntityDescriptor or an EntitiesDescriptor of any size. To
// read several from one document, use [ParseAggregate].
func ParseIdPMetadataFor(metadata []byte, entityID string) (*IdP, error) {
	if entityID == "" {
		return nil, configError("entityID", "is required")
	}
	a, err := ParseAggregate(metadata)
	if err != nil {
		return nil, err
	}
	return a.IdP(entityID)
}

// parseMetadataRoot reads a document and returns its root, an EntityDescriptor or an
// EntitiesDescriptor.
func parseMetadataRoot(document []byte) (xmltree.Node, error) {
	tree, err := xmltree.ParseEncoded(document, metadataLimits)
	if err != nil {
		e := fromTree(err)
		switch e.Reason {
		case ReasonID:
			e.Rule = "ID (Core 1.3.4)"
		case ReasonLimit:
			e.Rule = "XML"
		default:
			e.Reason, e.Rule = ReasonMetadata, "XML"
		}
		return xmltree.Node{}, e
	}
	root := tree.Root()
	if !root.Is(xmltree.Metadata, "EntityDescriptor") && !root.Is(xmltree.Metadata, "EntitiesDescriptor") {
		return xmltree.Node{}, &Error{Reason: ReasonMetadata, Rule: "Root (Metadata 2.3)",
			Want: "{" + nsMetadata + "}EntityDescriptor or EntitiesDescriptor", Got: root.Name()}
	}
	return root, nil
}

// entities yields the EntityDescriptors of a document: its root, or those in its
// EntitiesDescriptors (Metadata 2.3.1), but none inside an extension.
func entities(n xmltree.Node) iter.Seq[xmltree.Node] {
	return func(yield func(xmltree.Node) bool) { eachEntity(n, yield) }
}

func eachEntity(n xmltree.Node, yield func(xmltree.Node) bool) bool {
	if n.Is(xmltree.Metadata, "EntityDescriptor") {
		return yield(n)
	}
	for c := n.First(); c.OK(); c = c.Next() {
		inside := c.Is(xmltree.Metadata, "EntityDescriptor") || c.Is(xmltree.Metadata, "EntitiesDescriptor")
		if inside && !eachEntity(c, yield) {
			return false
		}
	}
	return true
}

// identityProviderRoles returns an entity's IDPSSODescriptors for SAML 2.0
// (Metadata 2.4.1, 2.4.3).
func identityProviderRoles(entity xmltree.Node) (roles []xmltree.Node) {
	var d metadataDecoder
	for role := entity.Child(xmltree.Metadata, "IDPSSODescriptor"); role.OK(); role = role.NextSame() {
		if d.listsURI(role, "protocolSupportEnumeration", nsProtocol) {
			roles = append(roles, role)
		}
	}
	return roles
}

// readIdP reads the identity provider that an entity describes.
func readIdP(entity xmltree.Node) (*IdP, error) {
	var d metadataDecoder
	idp, err := d.idp(entity)
	if err != nil {
		return nil, err
	}
	idp.description = describe(idp.entityID, entity)
	return idp, nil
}

func (d *metadataDecoder) idp(entity xmltree.Node) (*IdP, error) {
	idp := &IdP{entityID: d.anyURI(entity, "entityID")}
	// A group's expiry holds for every entity in it.
	for around := entity; around.OK(); around = around.Parent() {
		d.lifetime(&idp.lifetime, around)
	}
	d.readScopes(idp, entity)
	d.readOffered(&idp.offered, entity)
	roles := identityProviderRoles(entity)
	for _, role := range roles {
		d.readScopes(idp, role)
		d.readOffered(&idp.offered, role)
		d.lifetime(&idp.lifetime, role)
		if d.boolean(role, "WantAuthnRequestsSigned") {
			idp.wantRequestsSigned = true
		}
		d.ssoServices(idp, role)
		d.logoutServices(idp, role)
		d.signingKeys(idp, role)
	}
	d.artifactServices(idp, roles)
	d.attributeAuthority(idp, entity)
	d.warnOffered(&idp.offered)
	d.report.addOffered(&idp.offered)
	if d.err != nil {
		return nil, d.err
	}
	idp.warnings, idp.scopes = d.warnings, idp.declared
	if err := idp.check(); err != nil {
		return nil, err
	}
	return idp, nil
}

// lifetime is how long metadata may be used.
type lifetime struct {
	validUntil    time.Time     // zero: none
	cacheDuration time.Duration // zero: none
}

// lifetime reads validUntil and cacheDuration of an entity, a group or a role
// (Metadata 2.3.1, 2.3.2, 2.4.1). The earliest and the shortest apply.
func (d *metadataDecoder) lifetime(l *lifetime, n xmltree.Node) {
	until, cache := d.instant(n, "validUntil"), d.duration(n, "cacheDuration")
	l.validUntil = earliest(l.validUntil, until)
	if cache > 0 && (l.cacheDuration == 0 || cache < l.cacheDuration) {
		l.cacheDuration = cache
	}
	d.report.addLifetime(n, until, cache)
}

// ssoServices reads the addresses for AuthnRequests (Metadata 2.4.3).
func (d *metadataDecoder) ssoServices(idp *IdP, role xmltree.Node) {
	for s := role.Child(xmltree.Metadata, "SingleSignOnService"); s.OK(); s = s.NextSame() {
		service := SSOService{Binding: d.anyURI(s, "Binding"), URL: d.anyURI(s, "Location")}
		if service.Binding != HTTPRedirect && service.Binding != HTTPPost {
			d.report.addEndpoint(service, "the binding is neither HTTP-Redirect nor HTTP-POST")
			continue
		}
		if err := checkLocation("Location", service.URL); err != nil {
			d.warn("SingleSignOnService: " + err.Detail)
			d.report.addEndpoint(service, err.Detail)
			continue
		}
		idp.sso = append(idp.sso, service)
		d.report.addEndpoint(service, "")
	}
}

// signingKeys reads the keys whose use is "signing" or absent. A key with
// use="encryption" verifies no signature (Metadata 2.4.1.1).
func (d *metadataDecoder) signingKeys(idp *IdP, role xmltree.Node) {
	for k := role.Child(xmltree.Metadata, "KeyDescriptor"); k.OK(); k = k.NextSame() {
		switch use, given := k.Attr("use"); {
		case given && use == "encryption":
			d.reportEncryptionKey(k)
			continue
		case given && use != "signing":
			why := "use " + quote(use) + " is neither signing nor encryption"
			d.warn("KeyDescriptor: " + why)
			d.report.addKey(k, signingKey{}, []string{why})
			continue
		}
		key, warnings := readKeyInfo(k.Child(xmltree.Signature, "KeyInfo"), &d.issuerChecks)
		d.report.addKey(k, key, warnings)
		if key.public != nil {
			idp.addKey(key)
		}
		for _, why := range warnings {
			d.warn("KeyDescriptor: " + why)
		}
	}
}

// reportEncryptionKey reads a key that nothing but a report needs.
func (d *metadataDecoder) reportEncryptionKey(k xmltree.Node) {
	if d.report != nil {
		key, warnings := readKeyInfo(k.Child(xmltree.Signature, "KeyInfo"), &d.encryptionChecks)
		d.report.addKey(k, key, warnings)
	}
}
