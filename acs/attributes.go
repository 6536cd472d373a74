package acs

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/saml"
)

// MissingAttributes answers a user whose attributes the program can't use, with status 403. Call it in OnLogin, with
// the error of a [saml.Decoder] or of [saml.Assertion.SubjectID], and write nothing else:
//
//	user, err := decoder.Decode(l.Assertion)
//	if err != nil {
//		l.MissingAttributes(w, r, err)
//		return
//	}
//
// The page names the attributes and whom to ask, as the identity provider's metadata says: its errorURL and a contact
// for support, or else a technical or administrative one (saml2int SDP-SP12). If saml.Config.About has a contact for
// support, the page has that, too.
//
// The address of the errorURL gets the reference and the names of the attributes, none of their values
// ([saml.ServiceProvider.ErrorURL]). The log gets a record with the reference of the verdict and the error, whose text
// can have a value. OnVerdict is not called again: the response was accepted. For another error, the page names no
// attributes.
func (l *Login) MissingAttributes(w http.ResponseWriter, r *http.Request, err error) {
	c := l.consumer
	if c == nil { // a Login that no consumer made
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		return
	}
	v := *l.verdict
	v.Accepted, v.Rule = false, "attributes"
	v.setError(err)
	if v.Reason == "" && err != nil {
		v.Detail = storeerr.Printable(err.Error())
	}
	c.log(r.Context(), "saml attributes refused", v)
	c.render(w, r, l.attributesPage(err))
}

var (
	textMissing = message{"Information about you is missing",
		"You are known to your identity provider, but it did not send everything that this service needs to sign you in."}
	textUnusable = message{"Information about you can't be used",
		"You are known to your identity provider, but this service can't use what it sent."}
)

// Attributes is the part of a [Page] about attributes that the program can't use. Names and addresses come from
// metadata: escape them.
type Attributes struct {
	// Missing reports that the attributes are missing. Otherwise they can't be used.
	Missing bool
	// Names are those of the attributes, if they are known.
	Names []saml.AttributeName
	// IdP is the identity provider's name, or empty. Host stands for it then.
	IdP, Host string
	// Help is the identity provider's page about failed sign-ins, or empty. HelpHost is its host.
	Help, HelpHost string
	// Contact and Support are whom the user can ask at the identity provider and at this service, or nil.
	Contact, Support *Contact
}

// Contact is whom a user can ask. Every field may be empty. Mail is a mailto URL with Email, a subject and a text.
type Contact struct{ Name, Email, Mail, Telephone string }

func (l *Login) attributesPage(err error) Page {
	c, of := l.consumer, &Attributes{}
	p := c.newPage(answer{status: http.StatusForbidden, text: textUnusable}, l.verdict.Reference)
	p.Kind, p.Attributes = PageAttributes, of
	var e *saml.Error
	if errors.As(err, &e) {
		of.Names = e.Attributes
		if of.Missing = e.Reason == saml.ReasonAttributeMissing; of.Missing {
			p.Title, p.Text = textMissing.Title, textMissing.Text
		}
	}
	text := mailOf(c.cfg.SP.EntityID(), p)
	of.Support = contactOf(c.cfg.SP.About().Contacts, text, saml.ContactSupport)
	idp, unknown := c.cfg.SP.IdP(l.Assertion.Issuer())
	of.Host = hostOf(l.Assertion.Issuer())
	if unknown != nil { // it left since
		return p
	}
	d := idp.Description()
	of.IdP = nameOf(d)
	of.Help = c.cfg.SP.ErrorURL(idp, saml.ErrorReport{
		Code: codeOf(of.Names), Transaction: p.Reference, Context: strings.Join(namesOf(of.Names), " "),
	})
	if u, err := url.Parse(of.Help); err == nil {
		of.HelpHost = u.Host
	}
	of.Contact = contactOf(d.Contacts, text, saml.ContactSupport, saml.ContactTechnical, saml.ContactAdministrative)
	return p
}

// nameOf returns the name of an identity provider in English, because the page is, or else in its first language.
func nameOf(d saml.Description) string {
	for _, name := range d.Names {
		if lang := strings.ToLower(name.Lang); lang == "en" || strings.HasPrefix(lang, "en-") {
			return name.Text
		}
	}
	if len(d.Names) > 0 {
		return d.Names[0].Text
	}
	return ""
}

// hostOf returns the host of an entity ID, or else the entity ID.
func hostOf(entityID string) string {
	if u, err := url.Parse(entityID); err == nil && u.Hostname() != "" {
		entityID = u.Hostname()
	}
	return storeerr.Printable(entityID)
}

func namesOf(attributes []saml.AttributeName) (names []string) {
	for _, a := range attributes {
		names = append(names, a.String())
	}
	return names
}

// authorizing are the attributes that say what a user may do. The others say who the user is.
var authorizing = []string{
	"eduPersonAffiliation", "eduPersonPrimaryAffiliation", "eduPersonScopedAffiliation", "eduPersonEntitlement",
	"eduPersonAssurance", "isMemberOf", "groups", "groups.link", "role", "wids", "groupsid", "primarygroupsid",
}

// codeOf returns the code for these attributes.
func codeOf(attributes []saml.AttributeName) saml.ErrorCode {
	identifying := func(a saml.AttributeName) bool { return !slices.Contains(authorizing, a.String()) }
	switch {
	case len(attributes) == 0:
		return saml.ErrorOther
	case slices.ContainsFunc(attributes, identifying):
		return saml.ErrorIdentification
	}
	return saml.ErrorAuthorization
}

// contactOf returns the contact of the first of these types that there is, or nil. Contacts for security and billing
// aren't for users. mail is the query of its mailto URL.
func contactOf(all []saml.Contact, mail string, types ...saml.ContactType) *Contact {
	for _, kind := range types {
		i := slices.IndexFunc(all, func(c saml.Contact) bool { return c.Type == kind })
		if i < 0 {
			continue
		}
		out := &Contact{Name: cmp.Or(strings.TrimSpace(all[i].GivenName+" "+all[i].Surname), all[i].Company)}
		if emails := all[i].Emails; len(emails) > 0 {
			out.Email = emails[0]
			out.Mail = "mailto:" + out.Email + mail
		}
		if numbers := all[i].TelephoneNumbers; len(numbers) > 0 {
			out.Telephone = numbers[0]
		}
		return out
	}
	return nil
}

// mailOf returns the query of a mailto URL with which the user's mail begins. An administrator needs the whole name of
// an attribute.
func mailOf(service string, p Page) string {
	lines := []string{"Service: " + service, "Reference: " + p.Reference}
	for _, a := range p.Attributes.Names {
		line := "Attribute: " + a.String()
		if a.FriendlyName != "" && a.Name != "" {
			line += ", " + a.Name
		}
		lines = append(lines, line)
	}
	return "?subject=" + forMail("Sign-in: "+p.Title) + "&body=" + forMail(strings.Join(lines, "\r\n")+"\r\n")
}

// forMail returns a text for a parameter of a mailto URL (RFC 6068 2).
func forMail(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
