package saml

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// checkAbout checks what our metadata says beside addresses and keys, and copies it.
func (cfg *Config) checkAbout() error {
	cfg.About = cfg.About.clone()
	cfg.EntityAttributes = slices.Clone(cfg.EntityAttributes)
	for i := range cfg.EntityAttributes {
		a, field := &cfg.EntityAttributes[i], fmt.Sprintf("Config.EntityAttributes[%d]", i)
		a.Values = slices.Clone(a.Values)
		if len(a.Values) == 0 {
			return configError(field+".Values", "one or more")
		}
		if err := checkAttribute(field, &a.Name, &a.NameFormat, a.Values); err != nil {
			return err
		}
	}
	for _, check := range []func() error{cfg.About.checkTexts, cfg.About.checkContacts, cfg.checkServices} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (a About) clone() About {
	for _, list := range []*[]LocalizedText{
		&a.Names, &a.Descriptions, &a.InformationURLs, &a.PrivacyStatementURLs,
	} {
		*list = slices.Clone(*list)
	}
	a.Logos = slices.Clone(a.Logos)
	if a.Organization != nil {
		o := *a.Organization
		if len(o.DisplayNames) == 0 {
			o.DisplayNames = o.Names
		}
		a.Organization = &Organization{slices.Clone(o.Names), slices.Clone(o.DisplayNames), slices.Clone(o.URLs)}
	}
	a.Contacts = cloneContacts(a.Contacts)
	return a
}

func (a *About) checkTexts() error {
	lists := []localizedList{
		{field: "Config.About.Names", list: a.Names},
		{field: "Config.About.Descriptions", list: a.Descriptions},
		{field: "Config.About.InformationURLs", list: a.InformationURLs, links: true},
		{field: "Config.About.PrivacyStatementURLs", list: a.PrivacyStatementURLs, links: true},
	}
	if o := a.Organization; o != nil {
		lists = append(lists,
			localizedList{field: "Config.About.Organization.Names", list: o.Names, required: true},
			localizedList{field: "Config.About.Organization.DisplayNames", list: o.DisplayNames, required: true},
			localizedList{field: "Config.About.Organization.URLs", list: o.URLs, required: true, links: true})
	}
	for _, l := range lists {
		if err := l.check(); err != nil {
			return err
		}
	}
	for i, logo := range a.Logos {
		if field := fmt.Sprintf("Config.About.Logos[%d]", i); !logo.usable() || !writable(logo.URL) {
			return configError(field, "an https URL or an image in a data URL, with Width and Height: see Logo")
		} else if logo.Lang != "" && !isLanguage(logo.Lang) {
			return configError(field+".Lang", "%s is not a language tag", quote(logo.Lang))
		}
	}
	return nil
}

// localizedList is a list of texts, or of links.
type localizedList struct {
	field           string
	list            []LocalizedText
	required, links bool
}

// check requires a text of each language at most once (Metadata Extensions for Login
// and Discovery User Interface 2.1).
func (l localizedList) check() error {
	if l.required && len(l.list) == 0 {
		return configError(l.field, "one or more")
	}
	seen := make(map[string]bool)
	for i, t := range l.list {
		field, lang := fmt.Sprintf("%s[%d]", l.field, i), strings.ToLower(t.Lang)
		switch {
		case !isLanguage(t.Lang):
			return configError(field+".Lang", "%s is not a language tag", quote(t.Lang))
		case seen[lang]:
			return configError(field+".Lang", "a second text in %s", quote(t.Lang))
		case !isText(t.Text):
			return configError(field+".Text", "is empty or can't be written in XML")
		case l.links && !isLink(t.Text):
			return configError(field+".Text", "%s is not an absolute http or https URL", quote(withoutUser(t.Text)))
		}
		seen[lang] = true
	}
	return nil
}

func (a *About) checkContacts() error {
	known := []ContactType{
		ContactTechnical, ContactSupport, ContactAdministrative, ContactBilling, ContactSecurity, ContactOther,
	}
	for i, c := range a.Contacts {
		field := fmt.Sprintf("Config.About.Contacts[%d]", i)
		switch {
		case !slices.Contains(known, c.Type):
			return configError(field+".Type", "one of %v, got %s", known, quote(string(c.Type)))
		case !writable(c.Company + c.GivenName + c.Surname):
			return configError(field, "has a name that can't be written in XML")
		case len(c.Emails)+len(c.TelephoneNumbers) == 0:
			return configError(field, "needs an email address or a telephone number")
		case c.Type == ContactSecurity && (c.GivenName == "" || len(c.Emails) == 0):
			return configError(field, "a security contact needs a GivenName and an email address (REFEDS)")
		case slices.ContainsFunc(c.TelephoneNumbers, func(s string) bool { return !isText(s) }):
			return configError(field+".TelephoneNumbers", "has a value that is empty or can't be written in XML")
		}
		for _, email := range c.Emails {
			if !isEmail(email) {
				return configError(field+".Emails", "%s is not an address without \"mailto:\"", quote(email))
			}
		}
	}
	return nil
}

// checkServices also sets each Index.
func (cfg *Config) checkServices() error {
	cfg.AttributeConsumingServices = slices.Clone(cfg.AttributeConsumingServices)
	seen := make(map[uint16]bool)
	for i := range cfg.AttributeConsumingServices {
		s, field := &cfg.AttributeConsumingServices[i], fmt.Sprintf("Config.AttributeConsumingServices[%d]", i)
		s.Names, s.Descriptions = slices.Clone(s.Names), slices.Clone(s.Descriptions)
		s.Attributes = slices.Clone(s.Attributes)
		if s.Index == 0 {
			s.Index = uint16(i + 1)
		}
		if seen[s.Index] {
			return configError(field+".Index", "%d is used twice", s.Index)
		}
		seen[s.Index] = true
		names := localizedList{field: field + ".Names", list: s.Names, required: true}
		if err := names.check(); err != nil {
			return err
		}
		if err := (localizedList{field: field + ".Descriptions", list: s.Descriptions}).check(); err != nil {
			return err
		}
		if len(s.Attributes) == 0 {
			return configError(field+".Attributes", "one or more")
		}
		for j := range s.Attributes {
			a, field := &s.Attributes[j], fmt.Sprintf("%s.Attributes[%d]", field, j)
			a.Values = slices.Clone(a.Values)
			if !writable(a.FriendlyName) {
				return configError(field+".FriendlyName", "can't be written in XML")
			}
			if err := checkAttribute(field, &a.Name, &a.NameFormat, a.Values); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkAttribute also sets the format of a name without one.
func checkAttribute(field string, name, format *string, values []string) error {
	if *format == "" {
		*format = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
	}
	switch {
	case !isText(*name):
		return configError(field+".Name", "is empty or can't be written in XML")
	case !writable(*format):
		return configError(field+".NameFormat", "can't be written in XML")
	case slices.ContainsFunc(values, func(s string) bool { return !isText(s) }):
		return configError(field+".Values", "has a value that is empty or can't be written in XML")
	}
	return nil
}

// isText accepts what isn't empty or space.
func isText(s string) bool { return strings.TrimSpace(s) != "" && writable(s) }

// isLink accepts an address for a person to open.
func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil
}

// isEmail accepts an address that needs no escape in a mailto URL (RFC 6068 2).
func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && writable(s) && !strings.ContainsAny(s, " ?&%#:/<>\"\\,;") &&
		!strings.Contains(domain, "@")
}
