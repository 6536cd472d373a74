package mockidp

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// NameID formats (SAML Core 8.3).
const (
	NameIDEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	NameIDUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	NameIDX509Subject = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
	NameIDPersistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	NameIDTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

	// It asks for encryption, and not for a format (SAML Core 3.4.1.1).
	nameIDEncrypted = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"
)

// Attribute name formats (SAML Core 8.2).
const (
	AttrUnspecified = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified"
	AttrURI         = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
	AttrBasic       = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
)

// Attribute is one attribute statement of an app.
type Attribute struct {
	Name       string
	NameFormat string // zero: AttrUnspecified
	// Values are sent in order. ${user.login}, ${user.userName} (the same), ${user.firstName}, ${user.lastName},
	// ${user.email} and ${user.anything}, for the user's own Attributes, stand for the user's values. A Value that
	// consists of one expression is replaced by all of the user's values. Within other text an expression is
	// replaced by the first value. An attribute without values isn't sent.
	Values []string
}

// GroupAttribute sends the names of the user's groups.
type GroupAttribute struct {
	Name       string // zero: "groups"
	NameFormat string // zero: AttrUnspecified
	// Filter selects the groups. Zero: all of User.Groups (Everyone is sent only where a filter matches it).
	Filter Filter
	Value  string // what Filter compares with
}

// Filter is how a GroupAttribute selects groups.
type Filter int

// The filters, named as in Okta's API.
const (
	AllGroups Filter = iota
	StartsWith
	Equals
	Contains
	Regex // Go's syntax, matched anywhere in the name
)

var expression = regexp.MustCompile(`\$\{user\.([A-Za-z][A-Za-z0-9_]*)\}`)

// badExpression reports whether text holds ${ outside an expression.
func badExpression(v string) bool { return strings.Contains(expression.ReplaceAllString(v, ""), "${") }

// expand replaces expressions once: a user's value that looks like an expression stays unchanged.
func expand(value string, u *User) []string {
	if m := expression.FindStringSubmatch(value); m != nil && m[0] == value {
		return u.Values(m[1])
	}
	missing := false
	out := expression.ReplaceAllStringFunc(value, func(e string) string {
		vs := u.Values(expression.FindStringSubmatch(e)[1])
		if len(vs) == 0 {
			missing = true
			return ""
		}
		return vs[0]
	})
	if missing {
		return nil
	}
	return []string{out}
}

func (a *App) attributesFor(u *User) []Attribute {
	var out []Attribute
	add := func(name, format string, values []string) {
		if len(values) > 0 {
			out = append(out, Attribute{name, cmp.Or(format, AttrUnspecified), values})
		}
	}
	if a.sendsDefaults() {
		return a.DefaultAttributes(*u)
	}
	for _, at := range a.Attributes {
		var values []string
		for _, v := range at.Values {
			values = append(values, expand(v, u)...)
		}
		add(at.Name, at.NameFormat, values)
	}
	for _, g := range a.GroupStatements() {
		add(cmp.Or(g.Name, "groups"), g.NameFormat, g.selected(u.Groups))
	}
	return out
}

// sendsDefaults reports whether the app has no statements of its own.
func (a *App) sendsDefaults() bool {
	return a.Kind == SAML && !a.OmitAttributes && len(a.Attributes) == 0 && len(a.GroupStatements()) == 0
}

// DefaultAttributes returns the attributes that an app without statements of its own sends for a user:
//
//   - With the profile Okta, email, firstName, lastName, groups, and each of User.Attributes under its name, which may
//     be "groups". At Okta an administrator enters them; here the usual ones are entered already.
//   - With the profile Entra, the claims that Entra ID sends until an administrator changes them: tenant ID, object ID
//     (derived from User.ID), display name, identity provider, given name, surname, email address and name.
//   - With IdentityCenter none: the catalogue's app has no statements.
//
// An attribute without values isn't sent.
func (a *App) DefaultAttributes(u User) []Attribute {
	switch {
	case a.IdentityCenter != nil:
		return nil
	case a.Profile == Entra:
		return a.entraClaims(&u)
	}
	var out []Attribute
	add := func(name string, values []string) {
		if len(values) > 0 {
			out = append(out, Attribute{name, AttrUnspecified, values})
		}
	}
	for _, name := range []string{"email", "firstName", "lastName"} {
		add(name, u.Values(name))
	}
	if _, own := u.Attributes["groups"]; !own {
		add("groups", u.Groups)
	}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		add(name, u.Attributes[name])
	}
	return out
}

// GroupStatements returns GroupAttribute, if it is set, and GroupAttributes.
func (a *App) GroupStatements() []GroupAttribute {
	if a.GroupAttribute == nil {
		return a.GroupAttributes
	}
	return slices.Concat([]GroupAttribute{*a.GroupAttribute}, a.GroupAttributes)
}

func (g *GroupAttribute) selected(groups []string) []string {
	if g.Filter == AllGroups {
		return groups
	}
	var out []string
	for _, name := range slices.Concat(groups, []string{Everyone}) {
		if g.matches(name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (g *GroupAttribute) matches(name string) bool {
	switch g.Filter {
	case StartsWith:
		return strings.HasPrefix(name, g.Value)
	case Equals:
		return name == g.Value
	case Contains:
		return strings.Contains(name, g.Value)
	case Regex:
		re, err := regexp.Compile(g.Value) // checked when the app was set
		return err == nil && re.MatchString(name)
	}
	return false
}

func (a *App) checkAttributes() *Error {
	if a.OmitAttributes && (len(a.Attributes) > 0 || len(a.GroupStatements()) > 0) {
		return a.bad("OmitAttributes excludes Attributes, GroupAttribute and GroupAttributes")
	}
	for _, at := range a.Attributes {
		if strings.TrimSpace(at.Name) == "" {
			return a.bad("an attribute statement without a Name")
		}
		texts := slices.Concat([]string{at.Name, at.NameFormat}, at.Values)
		if i := slices.IndexFunc(texts, badExpression); i >= 0 {
			return a.bad("attribute statements support only ${user.name}, got %s", quote(texts[i]))
		}
		if err := checkText("app "+quote(a.Label), texts...); err != nil {
			return err
		}
	}
	for _, g := range a.GroupStatements() {
		if g.Filter < AllGroups || g.Filter > Regex {
			return a.bad("unknown group filter %d", g.Filter)
		}
		if _, err := regexp.Compile(g.Value); g.Filter == Regex && err != nil {
			return &Error{Reason: ReasonConfig, Detail: "app " + quote(a.Label) + ": group filter", Err: err}
		}
		if err := checkText("app "+quote(a.Label), g.Name+g.NameFormat); err != nil {
			return err
		}
	}
	return nil
}

// nameID returns the NameID for a user. A template without a result is an error: Okta sends no empty NameID.
func (a *App) nameID(u *User) (string, *Error) {
	if vs := expand(a.NameIDTemplate, u); len(vs) > 0 && vs[0] != "" {
		return vs[0], nil
	}
	return "", mismatch(ReasonNameID, "", a.NameIDTemplate,
		"the user %s has no value for the NameIDTemplate of the app %s", quote(u.Login), quote(a.Label))
}

// checkNameIDPolicy refuses a request for another format than the app sends (SAML Core 3.4.1.1). Okta's help says:
// "When NameIdPolicy is included in the SAML Request, the Name ID format must match it" (Application Integration
// Wizard SAML field reference). So is one for a name in another service provider's namespace, except by Entra ID, which
// ignores SPNameQualifier (learn.microsoft.com, "Single sign-on SAML protocol"). Unspecified leaves the choice to the
// identity provider (Core 8.3.1).
func (a *App) checkNameIDPolicy(req *authnRequest, required bool) *Error {
	switch {
	case a.IgnoreNameIDPolicy || a.sendsTransient(req):
		return nil
	case req.SPQualifier != "" && req.SPQualifier != a.Audience && a.Profile != Entra:
		return mismatch(ReasonNameIDPolicy, a.Audience, req.SPQualifier, "the request's NameIDPolicy asks for a NameID in "+
			"the namespace of another service provider (SPNameQualifier); set IgnoreNameIDPolicy of the app %s to answer "+
			"nevertheless", quote(a.Label))
	case req.NameIDFormat == nil && required:
		return mismatch(ReasonNameIDPolicy, a.NameIDFormat, "", "the signed request has no NameIDPolicy with a Format")
	case req.NameIDFormat == nil || *req.NameIDFormat == NameIDUnspecified || *req.NameIDFormat == a.NameIDFormat:
		return nil
	}
	return mismatch(ReasonNameIDPolicy, a.NameIDFormat, *req.NameIDFormat, "the request's NameIDPolicy asks for another "+
		"format than the app %s sends; set the app's NameIDFormat to it, or IgnoreNameIDPolicy", quote(a.Label))
}

// sendsTransient reports whether the answer has a random NameID: Entra ID sends one if a transient one is requested.
func (a *App) sendsTransient(req *authnRequest) bool {
	return a.Profile == Entra && !a.IgnoreNameIDPolicy && req != nil && req.NameIDFormat != nil &&
		*req.NameIDFormat == NameIDTransient
}
