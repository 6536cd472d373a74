package saml

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const (
	maxContacts  = 16
	maxAddresses = 4   // emails, and telephone numbers, of a contact
	maxEmail     = 254 // RFC 5321 4.5.3.1.3
	maxTelephone = 64
	maxErrorURL  = 2048
)

// Description returns what the metadata tells users about this identity provider.
// Without metadata it has the entity ID only.
func (i *IdP) Description() Description {
	d := i.description
	d.EntityID = i.entityID
	d.Names, d.Descriptions = slices.Clone(d.Names), slices.Clone(d.Descriptions)
	d.Keywords, d.Logos = slices.Clone(d.Keywords), slices.Clone(d.Logos)
	d.Contacts = cloneContacts(d.Contacts)
	return d
}

func cloneContacts(in []Contact) []Contact {
	out := slices.Clone(in)
	for i := range out {
		c := &out[i]
		c.Emails, c.TelephoneNumbers = slices.Clone(c.Emails), slices.Clone(c.TelephoneNumbers)
	}
	return out
}

// readContacts reads the ContactPersons of a role or an entity. One without an address
// that can be used is left out.
func (d *Description) readContacts(of xmltree.Node) {
	n := of.Child(xmltree.Metadata, "ContactPerson")
	for ; n.OK() && len(d.Contacts) < maxContacts; n = n.NextSame() {
		if c := readContact(n); len(c.Emails)+len(c.TelephoneNumbers) > 0 {
			d.Contacts = append(d.Contacts, c)
		}
	}
}

// readContact reads a ContactPerson. A type that is not one of ours is "other", as the
// schema's type of a security contact is.
func readContact(n xmltree.Node) Contact {
	kind, _ := n.Attr("contactType")
	c := Contact{Type: ContactType(kind)}
	known := []ContactType{ContactTechnical, ContactSupport, ContactAdministrative, ContactBilling}
	if !slices.Contains(known, c.Type) {
		c.Type = ContactOther
	}
	for _, a := range n.Attrs() {
		if a.Local == "contactType" && n.Doc().URI(a.NS) == nsREFEDS && a.Value == securityContact {
			c.Type = ContactSecurity
		}
	}
	for e := n.First(); e.OK(); e = e.Next() {
		if e.Doc().URI(e.NS()) != nsMetadata {
			continue
		}
		switch e.Local() {
		case "Company":
			c.Company = displayable(e.Text(), maxName)
		case "GivenName":
			c.GivenName = displayable(e.Text(), maxName)
		case "SurName":
			c.Surname = displayable(e.Text(), maxName)
		case "EmailAddress":
			if email := emailAddress(e.Text()); email != "" && len(c.Emails) < maxAddresses {
				c.Emails = append(c.Emails, email)
			}
		case "TelephoneNumber":
			number := displayable(e.Text(), maxTelephone)
			if number != "" && len(c.TelephoneNumbers) < maxAddresses {
				c.TelephoneNumbers = append(c.TelephoneNumbers, number)
			}
		}
	}
	return c
}

// emailAddress returns the address of a mailto URL, whose scheme many leave out, or "" if
// it isn't one. It has none of the parameters with which the URL could write the mail.
func emailAddress(text string) string {
	text = strings.Trim(text, xmlSpace)
	if scheme := len("mailto:"); len(text) > scheme && strings.EqualFold(text[:scheme], "mailto:") {
		text = text[scheme:]
	}
	if len(text) > maxEmail || !isEmail(text) || displayable(text, maxEmail) != text {
		return ""
	}
	return text
}

// readErrorURL reads the errorURL of a role. The first one that can be used counts.
func (d *Description) readErrorURL(role xmltree.Node) {
	raw, _ := role.Attr("errorURL")
	if raw = collapse(raw); d.ErrorURL == "" && isErrorURL(raw) {
		d.ErrorURL = raw
	}
}

// isErrorURL accepts what a user can be sent to. The host is in ASCII, because a page
// shows it.
func isErrorURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > maxErrorURL || !writable(raw) || strings.Contains(raw, " ") ||
		u.Hostname() == "" || u.User != nil {
		return false
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && IsLoopback(u.Hostname())
}
