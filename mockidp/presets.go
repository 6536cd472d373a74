package mockidp

// preset is what an identity provider of a product sends about a user, as its administrators first meet it. Values are
// expressions, as in Attribute.
type preset struct {
	ID, Title    string
	NameIDFormat string
	NameID       string      // "" for a transient one: a random value
	Attributes   []Attribute // a NameFormat of "" is sent as such: without one
	Groups       *Attribute  // of the user's groups, without Values; nil: they aren't sent
}

// Names of claims in SAML tokens of Microsoft's products ("SAML token claims reference", Entra identity platform).
const (
	claims     = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	claimsMS   = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
	claimGroup = "http://schemas.xmlsoap.org/claims/Group"
)

// presets are the products, in the order of the page.
//
// Some of them send no attributes until an administrator adds some: Okta, AD FS and Google Workspace. There the table
// has what their forms and guides suggest.
var presets = []preset{
	// help.okta.com, "Application Integration Wizard SAML field reference": the Name ID format is Unspecified by default,
	// the application username is the Okta username. Attribute and group attribute statements are free text with the
	// name format Unspecified; these are the names of Okta's own user profile.
	{ID: "okta", Title: "Okta", NameIDFormat: NameIDUnspecified, NameID: "${user.login}", Attributes: []Attribute{
		{"firstName", AttrUnspecified, []string{"${user.firstName}"}},
		{"lastName", AttrUnspecified, []string{"${user.lastName}"}},
		{"email", AttrUnspecified, []string{"${user.email}"}},
	}, Groups: &Attribute{Name: "groups", NameFormat: AttrUnspecified}},

	// learn.microsoft.com/entra/identity-platform, "Customize SAML token claims": "By default" the token has the user
	// principal name as NameID, and claims with the mail address, the first and the last name. "SAML token claims
	// reference" has their names. The form's default format is emailAddress. Attributes have no NameFormat. A groups
	// claim is added by the administrator; its values are object IDs, for which names stand here.
	{ID: "entra", Title: "Microsoft Entra ID", NameIDFormat: NameIDEmail, NameID: "${user.login}", Attributes: []Attribute{
		{claims + "givenname", "", []string{"${user.firstName}"}},
		{claims + "surname", "", []string{"${user.lastName}"}},
		{claims + "emailaddress", "", []string{"${user.email}"}},
		{claims + "name", "", []string{"${user.login}"}},
	}, Groups: &Attribute{Name: claimsMS + "groups"}},

	// learn.microsoft.com/windows-server/identity/ad-fs, "Create a Rule to Send LDAP Attributes as Claims": the claim
	// types that its list offers. No rule issues a Name ID by default; a rule that transforms the UPN is usual, without a
	// format it is unspecified. Attributes have no NameFormat.
	{ID: "adfs", Title: "AD FS", NameIDFormat: NameIDUnspecified, NameID: "${user.login}", Attributes: []Attribute{
		{claims + "upn", "", []string{"${user.login}"}},
		{claims + "emailaddress", "", []string{"${user.email}"}},
		{claims + "givenname", "", []string{"${user.firstName}"}},
		{claims + "surname", "", []string{"${user.lastName}"}},
	}, Groups: &Attribute{Name: claimGroup}},

	// support.google.com/a, "Set up your own custom SAML app": the Name ID is the primary email in the format UNSPECIFIED
	// unless that is changed. Attribute mapping starts empty; firstName, lastName and email are the names in the guides of
	// many service providers. Attributes have no NameFormat.
	{ID: "google", Title: "Google Workspace", NameIDFormat: NameIDUnspecified, NameID: "${user.email}",
		Attributes: []Attribute{
			{"email", "", []string{"${user.email}"}},
			{"firstName", "", []string{"${user.firstName}"}},
			{"lastName", "", []string{"${user.lastName}"}},
		}, Groups: &Attribute{Name: "groups"}},

	// keycloak/keycloak, SamlProtocolFactory.java: a new client has the Name ID format "username", which is sent as
	// unspecified, and the scope role_list with the attribute Role in the format basic. The built-in mappers "X500 email",
	// "X500 givenName" and "X500 surname" use the names of X.500 in the format uri.
	{ID: "keycloak", Title: "Keycloak", NameIDFormat: NameIDUnspecified, NameID: "${user.login}", Attributes: []Attribute{
		{"urn:oid:1.2.840.113549.1.9.1", AttrURI, []string{"${user.email}"}},
		{"urn:oid:2.5.4.42", AttrURI, []string{"${user.firstName}"}},
		{"urn:oid:2.5.4.4", AttrURI, []string{"${user.lastName}"}},
	}, Groups: &Attribute{Name: "Role", NameFormat: AttrBasic}},

	// shibboleth.atlassian.net, "NameIDGenerationConfiguration": idp.nameid.saml2.default is transient. Its attribute
	// registry names attributes by the SAML V2.0 X.500/LDAP attribute profile (SAML Profiles 8.2) and eduPerson: here
	// eduPersonPrincipalName, uid, mail, givenName, sn and displayName, and isMemberOf for groups.
	{ID: "shibboleth", Title: "Shibboleth", NameIDFormat: NameIDTransient, Attributes: []Attribute{
		{"urn:oid:1.3.6.1.4.1.5923.1.1.1.6", AttrURI, []string{"${user.login}"}},
		{"urn:oid:0.9.2342.19200300.100.1.1", AttrURI, []string{"${user.login}"}},
		{"urn:oid:0.9.2342.19200300.100.1.3", AttrURI, []string{"${user.email}"}},
		{"urn:oid:2.5.4.42", AttrURI, []string{"${user.firstName}"}},
		{"urn:oid:2.5.4.4", AttrURI, []string{"${user.lastName}"}},
		{"urn:oid:2.16.840.1.113730.3.1.241", AttrURI, []string{"${user.firstName} ${user.lastName}"}},
	}, Groups: &Attribute{Name: "urn:oid:1.3.6.1.4.1.5923.1.5.1.1", NameFormat: AttrURI}},
}

func presetByID(id string) *preset {
	for i := range presets {
		if presets[i].ID == id {
			return &presets[i]
		}
	}
	return nil
}

// attributesFor returns the attributes with the user's values. One without values isn't sent.
func (p *preset) attributesFor(u *User) []Attribute {
	var out []Attribute
	for _, a := range p.Attributes {
		var values []string
		for _, v := range a.Values {
			values = append(values, expand(v, u)...)
		}
		if len(values) > 0 {
			out = append(out, Attribute{a.Name, a.NameFormat, values})
		}
	}
	if p.Groups != nil && len(u.Groups) > 0 {
		out = append(out, Attribute{p.Groups.Name, p.Groups.NameFormat, u.Groups})
	}
	return out
}
