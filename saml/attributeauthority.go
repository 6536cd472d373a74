package saml

import "github.com/meridian-saml/meridian/saml/internal/xmltree"

// attributeAuthority is the role of an identity provider that answers attribute queries (Metadata 2.4.7). Its keys are
// its own: one that verifies answers verifies no sign-in, unless the other role has it, too.
type attributeAuthority struct {
	url string // of its AttributeService by SOAP; empty: there is none
	by  *IdP   // the keys and lifetime of the role; nil: those of the identity provider
}

// attributeAuthority returns the identity provider as its answers to attribute queries are verified.
func (i *IdP) attributeAuthority() (*IdP, error) {
	if i.attributes.url == "" {
		return nil, metadataError("AttributeService (Metadata 2.4.7)",
			"%s answers no attribute queries", quote(i.entityID))
	}
	out := *i
	if by := i.attributes.by; by != nil {
		out.keys, out.public = by.keys, by.public
		out.validUntil = earliest(i.validUntil, by.validUntil)
	}
	return &out, nil
}

// AttributeService returns the address for attribute queries by SOAP. Empty: the identity provider answers none.
func (i *IdP) AttributeService() string { return i.attributes.url }

// attributeAuthority reads the AttributeAuthorityDescriptors of an entity that is an identity provider. A role without
// a usable address or key is ignored with a warning, and hurts no sign-in.
func (d *metadataDecoder) attributeAuthority(idp *IdP, entity xmltree.Node) {
	var own metadataDecoder
	by := new(IdP)
	for r := entity.Child(xmltree.Metadata, "AttributeAuthorityDescriptor"); r.OK(); r = r.NextSame() {
		if !own.listsURI(r, "protocolSupportEnumeration", nsProtocol) {
			continue
		}
		taken := idp.attributes.url != "" // the first role with an address counts
		url := own.attributeService(r, taken, d.report)
		if url == "" {
			continue
		}
		own.lifetime(&by.lifetime, r)
		own.signingKeys(by, r)
		idp.attributes = attributeAuthority{url: url, by: by}
	}
	switch {
	case idp.attributes.url == "":
	case own.err != nil:
		own.warn(own.err.(*Error).Explain())
		d.dropAuthority(idp)
	case len(by.keys) == 0 || len(by.keys) > maxSigningKeys:
		own.warn("no usable signing key, or too many")
		d.dropAuthority(idp)
	}
	for _, why := range own.warnings {
		d.warn("AttributeAuthorityDescriptor: " + why)
	}
}

// dropAuthority removes a role that can't be used.
func (d *metadataDecoder) dropAuthority(idp *IdP) {
	idp.attributes = attributeAuthority{}
	if d.report == nil {
		return
	}
	for i, s := range d.report.Services {
		if s.Element == "AttributeService" && s.Ignored == "" {
			d.report.Services[i].Ignored = "the AttributeAuthorityDescriptor can't be used"
		}
	}
}

// attributeService returns the first usable address by SOAP, unless another role's is taken.
func (d *metadataDecoder) attributeService(role xmltree.Node, taken bool, to *EntityReport) (url string) {
	for n := role.Child(xmltree.Metadata, "AttributeService"); n.OK(); n = n.NextSame() {
		said := ServiceReport{Element: "AttributeService", Binding: d.anyURI(n, "Binding"), URL: d.anyURI(n, "Location")}
		err := checkDirectLocation("Location", said.URL)
		switch {
		case said.Binding != SOAP:
			said.Ignored = "the binding is not SOAP"
		case url != "":
			said.Ignored = "an earlier one is used"
		case err != nil:
			d.warn("AttributeService: " + err.Detail)
			said.Ignored = err.Detail
		case taken:
			said.Ignored = "an earlier one is used"
		default:
			url = said.URL
		}
		to.addService(said)
	}
	return url
}
