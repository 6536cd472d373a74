package saml

import "github.com/meridian-saml/meridian/saml/internal/xmltree"

// known reports whether the schemas of a response define an element. Others are
// allowed where the schemas have "any" (attribute values, Extensions, Advice,
// StatusDetail, KeyInfo). They are counted, so that reading a meaningless document
// stops early. The rules refuse elements in the wrong place.
func known(ns xmltree.NS, local string) bool {
	switch ns {
	case xmltree.Assertion: // Core 2
		switch local {
		case "AttributeValue", "Attribute", "AttributeStatement", "EncryptedAttribute",
			"Assertion", "AssertionIDRef", "AssertionURIRef", "EncryptedAssertion", "Issuer", "Advice",
			"Subject", "BaseID", "NameID", "EncryptedID", "SubjectConfirmation", "SubjectConfirmationData",
			"Conditions", "Condition", "AudienceRestriction", "Audience", "OneTimeUse", "ProxyRestriction",
			"Statement", "AuthnStatement", "SubjectLocality", "AuthnContext", "AuthnContextClassRef",
			"AuthnContextDecl", "AuthnContextDeclRef", "AuthenticatingAuthority",
			"AuthzDecisionStatement", "Action", "Evidence":
			return true
		}
	case xmltree.Protocol: // Core 3.2.2
		switch local {
		case "Response", "Extensions", "Status", "StatusCode", "StatusMessage", "StatusDetail",
			"LogoutRequest", "SessionIndex", "LogoutResponse", // Core 3.7
			"ArtifactResponse": // Core 3.5
			return true
		}
	case xmltree.Signature: // XML Signature 4
		switch local {
		case "Signature", "SignedInfo", "CanonicalizationMethod", "SignatureMethod", "SignatureValue",
			"Reference", "Transforms", "Transform", "DigestMethod", "DigestValue",
			"KeyInfo", "KeyName", "KeyValue", "RSAKeyValue", "Modulus", "Exponent", "RetrievalMethod",
			"X509Data", "X509Certificate", "X509IssuerSerial", "X509IssuerName", "X509SerialNumber",
			"X509SubjectName", "X509SKI":
			return true
		}
	case xmltree.Encryption: // XML Encryption 3
		switch local {
		case "EncryptedData", "EncryptedKey", "EncryptionMethod", "KeySize", "OAEPparams",
			"CipherData", "CipherValue", "ReferenceList", "DataReference", "CarriedKeyName":
			return true
		}
	case xmltree.Encryption11:
		return local == "MGF"
	case xmltree.ExclusiveC14N:
		return local == "InclusiveNamespaces"
	}
	return false
}
