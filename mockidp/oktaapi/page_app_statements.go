package oktaapi

import (
	"cmp"
	"errors"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// The values that the form of an app offers.
var (
	signatureMethods = []mockidp.SignatureMethod{mockidp.RSASHA256, mockidp.RSASHA384, mockidp.RSASHA512,
		mockidp.InsecureRSASHA1, mockidp.ECDSASHA256, mockidp.ECDSASHA384, mockidp.ECDSASHA512}
	encryptionMethods = []mockidp.EncryptionMethod{mockidp.AES256GCM, mockidp.AES192GCM, mockidp.AES128GCM,
		mockidp.AES256CBC, mockidp.AES192CBC, mockidp.AES128CBC}
	keyTransports = []mockidp.KeyTransport{mockidp.RSAOAEPMGF1P, mockidp.RSAOAEP, mockidp.InsecureRSA15}
	nameIDFormats = []string{mockidp.NameIDEmail, mockidp.NameIDUnspecified, mockidp.NameIDPersistent,
		mockidp.NameIDTransient, mockidp.NameIDX509Subject}
	nameFormats = []string{mockidp.AttrUnspecified, mockidp.AttrBasic, mockidp.AttrURI}
)

func signatureText(m mockidp.SignatureMethod) string {
	return strings.ReplaceAll(algorithmWords[m], "_", " with ")
}

func encryptionText(m mockidp.EncryptionMethod) string {
	return "with " + strings.Replace(strings.Replace(encryptionWords[m], "AES", "AES-", 1), "_", "-", 1)
}

func transportText(t mockidp.KeyTransport) string {
	return map[mockidp.KeyTransport]string{mockidp.RSAOAEPMGF1P: "RSA-OAEP of XML Encryption 1.0",
		mockidp.RSAOAEP: "RSA-OAEP of XML Encryption 1.1", mockidp.InsecureRSA15: "RSA 1.5, which is insecure"}[t]
}

// lastPart returns what follows the last colon of a URN.
func lastPart(urn string) string { return urn[strings.LastIndex(urn, ":")+1:] }

func suggested(list []string) []option {
	var out []option
	for _, s := range list {
		out = append(out, option{Value: s})
	}
	return out
}

func nameIDSection() section[mockidp.App] {
	format := textInput("nameIDFormat", "Format", "Empty: emailAddress.",
		func(a *mockidp.App) *string { return &a.NameIDFormat })
	format.options = suggested(nameIDFormats)
	return section[mockidp.App]{title: "NameID", inputs: []input[mockidp.App]{
		format,
		textInput("nameIDTemplate", "Value", "With ${user.login}, ${user.email} or ${user.ATTRIBUTE}. Empty: the login.",
			func(a *mockidp.App) *string { return &a.NameIDTemplate }, "NameIDTemplate"),
		checkInput("ignoreNameIDPolicy", "Ignore the format that a request asks for", "Otherwise another format is refused.",
			func(a *mockidp.App) *bool { return &a.IgnoreNameIDPolicy }),
	}}
}

// nameFormatColumn is the NameFormat of a statement. An empty one is unspecified.
func nameFormatColumn() column {
	c := column{name: "format", label: "Name format", kind: "select", options: []option{{"", "default"}}}
	for _, f := range nameFormats {
		c.options = append(c.options, option{f, lastPart(f)})
	}
	return c
}

func statementSection() section[mockidp.App] {
	columns := []column{{name: "name", label: "Name", kind: "text"}, nameFormatColumn(),
		{name: "values", label: "Values, one a line", kind: "area"}}
	encode := func(a mockidp.Attribute) []string { return []string{a.Name, a.NameFormat, joined(a.Values)} }
	decode := func(cells []string) (mockidp.Attribute, error) {
		if strings.TrimSpace(cells[0]) == "" {
			return mockidp.Attribute{}, errors.New("the name is missing")
		}
		return mockidp.Attribute{Name: cells[0], NameFormat: cells[1], Values: lines(cells[2])}, nil
	}
	omit := checkInput("omitAttributes", "Send no attributes", "Otherwise an app without statements sends default ones.",
		func(a *mockidp.App) *bool { return &a.OmitAttributes })
	omit.words = []string{"OmitAttributes"}
	return section[mockidp.App]{title: "Attribute statements", inputs: []input[mockidp.App]{{name: "attributes",
		label: "Attribute statements", hint: "${user.email} and ${user.ATTRIBUTE} stand for the user's values.",
		words: []string{"attribute statement"},
		rows: listRows(200, columns, func(a *mockidp.App) []mockidp.Attribute { return a.Attributes },
			func(a *mockidp.App, list []mockidp.Attribute) { a.Attributes = list }, encode, decode)},
		omit}}
}

func groupStatementSection() section[mockidp.App] {
	columns := []column{{name: "name", label: "Name", kind: "text"}, nameFormatColumn(),
		{name: "filter", label: "Groups", kind: "select"}, {name: "value", label: "Value", kind: "text"}}
	for _, w := range []word[mockidp.Filter]{{mockidp.AllGroups, "all"}, {mockidp.StartsWith, "that start with"},
		{mockidp.Equals, "equal to"}, {mockidp.Contains, "that contain"}, {mockidp.Regex, "that match the expression"}} {
		columns[2].options = append(columns[2].options, option{filterWords[w.value], w.text})
	}
	encode := func(g mockidp.GroupAttribute) []string {
		return []string{g.Name, g.NameFormat, filterWords[g.Filter], g.Value}
	}
	decode := func(cells []string) (mockidp.GroupAttribute, error) {
		filter, ok := keyOf(filterWords, cells[2])
		if !ok || strings.TrimSpace(cells[0]) == "" {
			return mockidp.GroupAttribute{}, errors.New("want a name and one of the filters")
		}
		return mockidp.GroupAttribute{Name: cells[0], NameFormat: cells[1], Filter: filter, Value: cells[3]}, nil
	}
	list := func(a *mockidp.App) []mockidp.GroupAttribute {
		return shown(a.GroupStatements(), func(g mockidp.GroupAttribute) mockidp.GroupAttribute {
			g.Name = cmp.Or(g.Name, "groups")
			return g
		})
	}
	put := func(a *mockidp.App, list []mockidp.GroupAttribute) { a.GroupAttribute, a.GroupAttributes = nil, list }
	return section[mockidp.App]{title: "Group statements", inputs: []input[mockidp.App]{{name: "groupAttributes",
		label: "Group statements", hint: "Each sends the names of the user's groups.", words: []string{"group filter"},
		rows: listRows(100, columns, list, put, encode, decode)}}}
}
