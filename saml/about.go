package saml

// About describes this service provider in its metadata: to users on the pages of
// identity providers, and to the people who operate those. Nothing that this package
// verifies depends on it.
type About struct {
	// Names, Descriptions, InformationURLs and PrivacyStatementURLs are for users, one
	// in each language (SAML V2.0 Metadata Extensions for Login and Discovery User
	// Interface 2.1). An identity provider shows them when a user consents. The Text of
	// a URL is the URL. Empty: none.
	Names, Descriptions                   []LocalizedText
	InformationURLs, PrivacyStatementURLs []LocalizedText
	// Logos have a Width and a Height. Several may have the same language.
	Logos []Logo

	// Organization operates the service provider (Metadata 2.3.2.1). Nil: none.
	Organization *Organization
	// Contacts are the people to write to (Metadata 2.3.2.2). Empty: none.
	Contacts []Contact
}

// Organization is the organization that operates a service provider. Names and URLs
// are required, in one language or more.
type Organization struct {
	Names        []LocalizedText
	DisplayNames []LocalizedText // empty: Names
	URLs         []LocalizedText // the Text is the URL
}

// Contact is a person or a team. It has an email address or a telephone number.
type Contact struct {
	Type               ContactType
	Company            string
	GivenName, Surname string
	Emails             []string // without "mailto:"
	TelephoneNumbers   []string
}

// ContactType is what a contact is for.
type ContactType string

// The types of contacts. ContactSecurity is the one that Sirtfi requires (REFEDS
// Security Contact Metadata Extension). The others are in Metadata 2.3.2.2.
const (
	ContactTechnical      ContactType = "technical"
	ContactSupport        ContactType = "support"
	ContactAdministrative ContactType = "administrative"
	ContactBilling        ContactType = "billing"
	ContactSecurity       ContactType = "security"
	ContactOther          ContactType = "other"
)

// EntityAttribute is an attribute of an entity itself, not of a user (SAML V2.0
// Metadata Extension for Entity Attributes).
type EntityAttribute struct {
	Name       string
	NameFormat string // empty: urn:oasis:names:tc:SAML:2.0:attrname-format:uri
	Values     []string
}

// Names of entity attributes, and values that service providers give themselves.
const (
	EntityCategory         = "http://macedir.org/entity-category"
	AssuranceCertification = "urn:oasis:names:tc:SAML:attribute:assurance-certification"
	SubjectIDRequirement   = "urn:oasis:names:tc:SAML:profiles:subject-id:req"

	ResearchAndScholarship = "http://refeds.org/category/research-and-scholarship" // an EntityCategory
	Sirtfi                 = "https://refeds.org/sirtfi"                           // an AssuranceCertification
)

// AttributeConsumingService lists the attributes that a service needs (Metadata
// 2.4.4.1). An identity provider that follows it sends these. Verify doesn't require
// them.
type AttributeConsumingService struct {
	// Index names the service in a request. It must stay the same. Zero: its position
	// in the list, from 1.
	Index uint16
	// Names are required, in one language or more. Descriptions may be empty.
	Names, Descriptions []LocalizedText
	// Attributes are required, one or more.
	Attributes []RequestedAttribute
}

// RequestedAttribute is an attribute that a service asks for (Metadata 2.4.4.2).
type RequestedAttribute struct {
	Name         string
	NameFormat   string // empty: urn:oasis:names:tc:SAML:2.0:attrname-format:uri
	FriendlyName string // for people
	Required     bool
	Values       []string // empty: any value
}
