package saml

// The tables are functions because a program may change what they return.

// EduPersonNames returns the names of eduPerson (REFEDS eduPerson 202208), isMemberOf of
// eduMember, and subject-id and pairwise-id ([AttributeSubjectID]). Those before
// eduPersonAssurance also have the older form of MACE-Dir, which some federations send
// beside the other (MACE-Dir SAML Attribute Profiles 2008-04).
func EduPersonNames() Names {
	const oid, mace = "urn:oid:1.3.6.1.4.1.5923.1.1.1.", "urn:mace:dir:attribute-def:"
	return Names{
		"eduPersonAffiliation":        {oid + "1", mace + "eduPersonAffiliation"},
		"eduPersonNickname":           {oid + "2", mace + "eduPersonNickname"},
		"eduPersonOrgDN":              {oid + "3", mace + "eduPersonOrgDN"},
		"eduPersonOrgUnitDN":          {oid + "4", mace + "eduPersonOrgUnitDN"},
		"eduPersonPrimaryAffiliation": {oid + "5", mace + "eduPersonPrimaryAffiliation"},
		"eduPersonPrincipalName":      {oid + "6", mace + "eduPersonPrincipalName"},
		"eduPersonEntitlement":        {oid + "7", mace + "eduPersonEntitlement"},
		"eduPersonPrimaryOrgUnitDN":   {oid + "8", mace + "eduPersonPrimaryOrgUnitDN"},
		"eduPersonScopedAffiliation":  {oid + "9", mace + "eduPersonScopedAffiliation"},
		"eduPersonTargetedID":         {oid + "10", mace + "eduPersonTargetedID"},
		"eduPersonAssurance":          {oid + "11"},
		"eduPersonPrincipalNamePrior": {oid + "12"},
		"eduPersonUniqueId":           {oid + "13"},
		"eduPersonOrcid":              {oid + "16"},
		"eduPersonAnalyticsTag":       {oid + "17"},
		"eduPersonDisplayPronouns":    {oid + "18"},
		"isMemberOf":                  {"urn:oid:1.3.6.1.4.1.5923.1.5.1.1"},
		"subject-id":                  {AttributeSubjectID},
		"pairwise-id":                 {AttributePairwiseID},
	}
}

// SCHACNames returns the names of SCHAC (REFEDS SCHAC 1.6.0, OID registry).
func SCHACNames() Names {
	const oid = "urn:oid:1.3.6.1.4.1.25178.1.2."
	return Names{
		"schacMotherTongue":         {oid + "1"},
		"schacGender":               {oid + "2"},
		"schacDateOfBirth":          {oid + "3"},
		"schacPlaceOfBirth":         {oid + "4"},
		"schacCountryOfCitizenship": {oid + "5"},
		"schacSn1":                  {oid + "6"},
		"schacSn2":                  {oid + "7"},
		"schacPersonalTitle":        {oid + "8"},
		"schacHomeOrganization":     {oid + "9"},
		"schacHomeOrganizationType": {oid + "10"},
		"schacCountryOfResidence":   {oid + "11"},
		"schacUserPresenceID":       {oid + "12"},
		"schacPersonalPosition":     {oid + "13"},
		"schacPersonalUniqueCode":   {oid + "14"},
		"schacPersonalUniqueID":     {oid + "15"},
		"schacExpiryDate":           {oid + "17"},
		"schacUserPrivateAttribute": {oid + "18"},
		"schacUserStatus":           {oid + "19"},
		"schacProjectMembership":    {oid + "20"},
		"schacProjectSpecificRole":  {oid + "21"},
		"schacYearOfBirth":          {"urn:oid:1.3.6.1.4.1.25178.1.0.2.3"},
	}
}

// LDAPNames returns the names of person, organizationalPerson and inetOrgPerson, as the
// X.500/LDAP attribute profile writes them (Profiles 8.2; RFC 4519, RFC 4524, RFC 2798).
func LDAPNames() Names {
	const (
		x520     = "urn:oid:2.5.4."
		cosine   = "urn:oid:0.9.2342.19200300.100.1."
		netscape = "urn:oid:2.16.840.1.113730.3.1."
	)
	return Names{
		"cn":                       {x520 + "3"},
		"sn":                       {x520 + "4"},
		"c":                        {x520 + "6"},
		"l":                        {x520 + "7"},
		"st":                       {x520 + "8"},
		"street":                   {x520 + "9"},
		"o":                        {x520 + "10"},
		"ou":                       {x520 + "11"},
		"title":                    {x520 + "12"},
		"description":              {x520 + "13"},
		"businessCategory":         {x520 + "15"},
		"postalAddress":            {x520 + "16"},
		"postalCode":               {x520 + "17"},
		"postOfficeBox":            {x520 + "18"},
		"telephoneNumber":          {x520 + "20"},
		"facsimileTelephoneNumber": {x520 + "23"},
		"givenName":                {x520 + "42"},
		"initials":                 {x520 + "43"},
		"uid":                      {cosine + "1"},
		"mail":                     {cosine + "3"},
		"roomNumber":               {cosine + "6"},
		"manager":                  {cosine + "10"},
		"homePhone":                {cosine + "20"},
		"mobile":                   {cosine + "41"},
		"pager":                    {cosine + "42"},
		"carLicense":               {netscape + "1"},
		"departmentNumber":         {netscape + "2"},
		"employeeNumber":           {netscape + "3"},
		"employeeType":             {netscape + "4"},
		"preferredLanguage":        {netscape + "39"},
		"displayName":              {netscape + "241"},
		"labeledURI":               {"urn:oid:1.3.6.1.4.1.250.1.57"},
	}
}

// MicrosoftNames returns the claims of Entra ID (SAML token claims reference) and AD FS
// (the role of claims, and its claim descriptions). Names that LDAPNames has too mean the
// same. Entra ID sends groups.link instead of groups if there are more than 150.
func MicrosoftNames() Names {
	const (
		soap     = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
		older    = "http://schemas.xmlsoap.org/claims/" // AD FS 1.x
		windows  = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
		identity = "http://schemas.microsoft.com/identity/claims/"
	)
	return Names{
		"mail":                   {soap + "emailaddress", older + "EmailAddress"},
		"givenName":              {soap + "givenname"},
		"sn":                     {soap + "surname"},
		"cn":                     {older + "CommonName"},
		"displayName":            {identity + "displayname"},
		"name":                   {soap + "name"},
		"userPrincipalName":      {soap + "upn", older + "UPN"},
		"nameidentifier":         {soap + "nameidentifier"},
		"ppid":                   {soap + "privatepersonalidentifier"},
		"objectidentifier":       {identity + "objectidentifier"},
		"tenantid":               {identity + "tenantid"},
		"identityprovider":       {identity + "identityprovider"},
		"groups":                 {windows + "groups", older + "Group"},
		"groups.link":            {"http://schemas.microsoft.com/claims/groups.link"},
		"role":                   {windows + "role"},
		"authenticationmethod":   {windows + "authenticationmethod"},
		"authenticationinstant":  {windows + "authenticationinstant"},
		"wids":                   {windows + "wids"},
		"authnmethodsreferences": {"http://schemas.microsoft.com/claims/authnmethodsreferences"},
		"windowsaccountname":     {windows + "windowsaccountname"},
		"primarysid":             {windows + "primarysid"},
		"primarygroupsid":        {windows + "primarygroupsid"},
		"groupsid":               {windows + "groupsid"},
	}
}

// OktaNames returns the variables of Okta's default user profile (Okta API reference,
// User object) under the names of LDAP. At Okta the administrator names the attributes of
// each app; these are the names if they are those of the profile.
func OktaNames() Names {
	return Names{
		"uid":               {"login"},
		"mail":              {"email"},
		"givenName":         {"firstName"},
		"sn":                {"lastName"},
		"displayName":       {"displayName"},
		"title":             {"title"},
		"telephoneNumber":   {"primaryPhone"},
		"mobile":            {"mobilePhone"},
		"street":            {"streetAddress"},
		"l":                 {"city"},
		"st":                {"state"},
		"postalCode":        {"zipCode"},
		"c":                 {"countryCode"},
		"o":                 {"organization"},
		"ou":                {"division"},
		"departmentNumber":  {"department"},
		"employeeNumber":    {"employeeNumber"},
		"employeeType":      {"userType"},
		"manager":           {"manager"},
		"preferredLanguage": {"preferredLanguage"},
	}
}
