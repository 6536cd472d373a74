package saml

import (
	"strconv"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
)

const (
	nsREFEDS        = "http://refeds.org/metadata"
	securityContact = nsREFEDS + "/contactType/security"
)

// algorithms writes the digest and signature algorithms that are accepted, in order of
// preference (SAML V2.0 Metadata Profile for Algorithm Support 2.3, 2.4).
func (w *metadataWriter) algorithms() {
	declaration := attribute{"xmlns:alg", nsAlgorithms}
	policy := dsig.Policy{AllowSHA1: w.cfg.InsecureAllowSHA1, MinRSABits: w.cfg.minRSABits()}
	digests, methods := policy.Offered()
	for _, uri := range digests {
		w.leaf("alg:DigestMethod", "", declaration, attribute{"Algorithm", uri})
	}
	for _, m := range methods {
		least := ""
		if m.MinBits > 0 {
			least = strconv.Itoa(m.MinBits)
		}
		w.leaf("alg:SigningMethod", "", declaration, attribute{"Algorithm", m.URI}, attribute{"MinKeySize", least})
	}
}

func (w *metadataWriter) entityAttributes() {
	if len(w.cfg.EntityAttributes) == 0 {
		return
	}
	w.open("mdattr:EntityAttributes", attribute{"xmlns:mdattr", nsAttributes})
	for _, a := range w.cfg.EntityAttributes {
		w.open("saml:Attribute", attribute{"xmlns:saml", nsAssertion},
			attribute{"Name", a.Name}, attribute{"NameFormat", a.NameFormat})
		for _, value := range a.Values {
			w.leaf("saml:AttributeValue", value)
		}
		w.close("saml:Attribute")
	}
	w.close("mdattr:EntityAttributes")
}

// hasUI reports whether there is anything to write into a UIInfo.
func (a *About) hasUI() bool {
	return len(a.Names)+len(a.Descriptions)+len(a.InformationURLs)+len(a.PrivacyStatementURLs)+len(a.Logos) > 0
}

// uiInfo writes the texts for users. Its place is the role's Extensions (Metadata
// Extensions for Login and Discovery User Interface 2.1).
func (w *metadataWriter) uiInfo() {
	a := &w.cfg.About
	if !a.hasUI() {
		return
	}
	w.open("mdui:UIInfo", attribute{"xmlns:mdui", nsUI})
	w.localized("mdui:DisplayName", a.Names)
	w.localized("mdui:Description", a.Descriptions)
	w.localized("mdui:InformationURL", a.InformationURLs)
	w.localized("mdui:PrivacyStatementURL", a.PrivacyStatementURLs)
	for _, l := range a.Logos {
		w.leaf("mdui:Logo", l.URL, attribute{"height", strconv.Itoa(l.Height)},
			attribute{"width", strconv.Itoa(l.Width)}, attribute{"xml:lang", l.Lang})
	}
	w.close("mdui:UIInfo")
}

func (w *metadataWriter) localized(name string, texts []LocalizedText) {
	for _, t := range texts {
		w.leaf(name, t.Text, attribute{"xml:lang", t.Lang})
	}
}

func (w *metadataWriter) organization() {
	o := w.cfg.About.Organization
	if o == nil {
		return
	}
	w.open("md:Organization")
	w.localized("md:OrganizationName", o.Names)
	w.localized("md:OrganizationDisplayName", o.DisplayNames)
	w.localized("md:OrganizationURL", o.URLs)
	w.close("md:Organization")
}

// contacts writes a security contact as one of type other with an attribute of REFEDS,
// because the schema has no such type.
func (w *metadataWriter) contacts() {
	for _, c := range w.cfg.About.Contacts {
		if c.Type == ContactSecurity {
			w.open("md:ContactPerson", attribute{"xmlns:remd", nsREFEDS}, attribute{"contactType", "other"},
				attribute{"remd:contactType", securityContact})
		} else {
			w.open("md:ContactPerson", attribute{"contactType", string(c.Type)})
		}
		for _, part := range []attribute{
			{"md:Company", c.Company}, {"md:GivenName", c.GivenName}, {"md:SurName", c.Surname},
		} {
			if part.value != "" {
				w.leaf(part.name, part.value)
			}
		}
		for _, email := range c.Emails {
			w.leaf("md:EmailAddress", "mailto:"+email)
		}
		for _, number := range c.TelephoneNumbers {
			w.leaf("md:TelephoneNumber", number)
		}
		w.close("md:ContactPerson")
	}
}

// attributeServices writes the AttributeConsumingServices. The first is the default.
func (w *metadataWriter) attributeServices() {
	for i, s := range w.cfg.AttributeConsumingServices {
		w.open("md:AttributeConsumingService",
			attribute{"index", strconv.Itoa(int(s.Index))}, attribute{"isDefault", trueOrEmpty(i == 0)})
		w.localized("md:ServiceName", s.Names)
		w.localized("md:ServiceDescription", s.Descriptions)
		for _, a := range s.Attributes {
			w.requestedAttribute(a)
		}
		w.close("md:AttributeConsumingService")
	}
}

func (w *metadataWriter) requestedAttribute(a RequestedAttribute) {
	attributes := []attribute{
		{"FriendlyName", a.FriendlyName}, {"Name", a.Name}, {"NameFormat", a.NameFormat},
		{"isRequired", trueOrEmpty(a.Required)},
	}
	if len(a.Values) == 0 {
		w.leaf("md:RequestedAttribute", "", attributes...)
		return
	}
	w.open("md:RequestedAttribute", attributes...)
	for _, value := range a.Values {
		w.leaf("saml:AttributeValue", value, attribute{"xmlns:saml", nsAssertion})
	}
	w.close("md:RequestedAttribute")
}
