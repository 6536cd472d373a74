package saml

import (
	"fmt"
	"time"
)

// AttributeQueryOptions describes an AttributeQuery (Core 3.3.2.3).
type AttributeQueryOptions struct {
	// IdP is the entity ID of the user's identity provider. Required with Config.IdPs. Otherwise empty, or that of the
	// only one.
	IdP string
	// NameID is the user's, with all its attributes, as it was in the assertion. Required.
	NameID NameID
	// Attributes are the attributes to ask for, at most 100. Empty: all that the identity provider gives us.
	Attributes []QueriedAttribute
}

// QueriedAttribute names an attribute to ask for. Both must be as the identity provider has them (Core 3.3.4).
type QueriedAttribute struct {
	Name       string
	NameFormat string // a URI; empty means unspecified
}

const maxQueriedAttributes = 100

// AttributeQuery is a signed request for attributes of a user (Core 3.3.2.3, Profiles 6). It never changes. Send its
// Envelope to its URL, by SOAP.
type AttributeQuery struct {
	outbound
	record AttributeQueryRecord
}

// AttributeQueryRecord records an AttributeQuery: what its answer must be.
type AttributeQueryRecord struct {
	ID     string // of the AttributeQuery
	IdP    string // the entity ID of the identity provider that it was made to
	NameID NameID // the user that it is about
}

// NewAttributeQuery returns a query to the attribute authority of an identity provider. The error has ReasonConfig if
// the options are invalid or Config.Key is nil, ReasonMetadataEntity if the identity provider is unknown,
// ReasonMetadata if it answers no queries, ReasonAlgorithm if it does not accept our signatures, and
// ReasonMetadataExpired if its metadata expired.
func (sp *ServiceProvider) NewAttributeQuery(o AttributeQueryOptions) (*AttributeQuery, error) {
	if sp.cfg.Key == nil {
		return nil, configError("Config.Key", "is required for attribute queries, because they are signed")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	idp, err := sp.idpFor(o.IdP)
	if err != nil {
		return nil, err
	}
	authority, err := idp.attributeAuthority()
	if err != nil {
		return nil, err
	}
	now := sp.cfg.Now()
	if err := sp.cfg.checkMetadataInForce(authority, now); err != nil {
		return nil, err
	}
	if err := sp.checkOffered(idp, SOAP); err != nil {
		return nil, err
	}
	id, err := sp.newID("_")
	if err != nil {
		return nil, err
	}
	q := &AttributeQuery{
		outbound: outbound{sp: sp, param: "AttributeQuery", id: id, binding: SOAP, to: authority.attributes.url},
		record:   AttributeQueryRecord{ID: id, IdP: idp.entityID, NameID: o.NameID},
	}
	q.write(o, now)
	return q, nil
}

func (o *AttributeQueryOptions) check() error {
	const field = "AttributeQueryOptions."
	for _, text := range []string{
		o.NameID.Value, o.NameID.Format, o.NameID.NameQualifier, o.NameID.SPNameQualifier, o.NameID.SPProvidedID,
	} {
		if err := checkRequestText(field+"NameID", text, false); err != nil {
			return err
		}
	}
	switch {
	case isBlank(o.NameID.Value):
		return configError(field+"NameID", "a value is required")
	case len(o.Attributes) > maxQueriedAttributes:
		return configError(field+"Attributes", "at most %d, got %d", maxQueriedAttributes, len(o.Attributes))
	}
	names := make(map[QueriedAttribute]bool, len(o.Attributes))
	for i, a := range o.Attributes {
		at := fmt.Sprintf("%sAttributes[%d]", field, i)
		if err := checkRequestText(at+".Name", a.Name, true); err != nil {
			return err
		}
		if err := checkRequestText(at+".NameFormat", a.NameFormat, false); err != nil {
			return err
		}
		if names[a] {
			return configError(at, "%s is asked for twice", quote(a.Name)) // Core 3.3.2.3 forbids it
		}
		names[a] = true
	}
	return nil
}

func (q *AttributeQuery) write(o AttributeQueryOptions, now time.Time) {
	declaration := attribute{"xmlns:saml", nsAssertion}
	var head, tail canonicalWriter
	head.start("samlp:AttributeQuery",
		attribute{"xmlns:samlp", nsProtocol},
		attribute{"Destination", q.to},
		attribute{"ID", q.id},
		attribute{"IssueInstant", now.UTC().Truncate(time.Millisecond).Format(instantForm)},
		attribute{"Version", "2.0"})
	head.element("saml:Issuer", q.sp.cfg.EntityID, declaration)
	o.NameID.write(&tail)
	for _, a := range o.Attributes {
		tail.element("saml:Attribute", "", declaration, attribute{"Name", a.Name}, attribute{"NameFormat", a.NameFormat})
	}
	tail.end("samlp:AttributeQuery")
	q.head, q.tail = head.String(), tail.String()
}

// Record returns what the answer must be, for VerifyAttributeAnswer.
func (q *AttributeQuery) Record() AttributeQueryRecord { return q.record }
