package oktaapi

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
)

// person is a user as the form edits one.
type person struct {
	mockidp.User
	attributes []attributeRow
}

// attributeRow is one of User.Attributes.
type attributeRow struct {
	name   string
	values []string
}

func personOf(u mockidp.User) person {
	p := person{User: u}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		p.attributes = append(p.attributes, attributeRow{name, u.Attributes[name]})
	}
	return p
}

// user returns the user. Two rows with one name are one attribute.
func (p person) user() mockidp.User {
	u := p.User
	u.Attributes = map[string][]string{}
	for _, row := range p.attributes {
		u.Attributes[row.name] = append(u.Attributes[row.name], row.values...)
	}
	return u
}

// personForm is the form of a user, or of a new one.
func (v *visit) personForm(isNew bool) form[person] {
	password := input[person]{name: "password", label: "Password", kind: "password",
		hint: "Empty: it stays as it is.", words: []string{"Password"},
		get: func(*person) string { return "" },
		set: func(p *person, s string) error { p.Password = s; return nil }}
	if isNew {
		password.hint = "Empty: " + mockidp.DefaultPassword
	}
	profile := section[person]{title: "Profile", inputs: []input[person]{
		required(textInput("login", "Login", "The name typed at sign-in, and usually the NameID.",
			func(p *person) *string { return &p.Login }, "User.Login", "already exists")),
		textInput("firstName", "First name", "", func(p *person) *string { return &p.FirstName }),
		textInput("lastName", "Last name", "", func(p *person) *string { return &p.LastName }),
		textInput("email", "Email", "Empty: the login.", func(p *person) *string { return &p.Email }),
	}}
	if isNew {
		profile.inputs = append(profile.inputs, textInput("id", "ID", "Empty: derived from the login.",
			func(p *person) *string { return &p.ID }, "an ID consists of", "same ID"))
	}
	signIn := section[person]{title: "Sign-in", inputs: []input[person]{
		password,
		textInput("secondFactor", "Code of the second factor",
			"The code that is asked for after the password. It never changes. Empty: the password is enough.",
			func(p *person) *string { return &p.SecondFactor }),
		selectInput("status", "Status", "", userStatuses, func(p *person) *mockidp.UserStatus { return &p.Status }),
	}}
	return form[person]{profile, signIn, v.membershipSection(), attributeSection()}
}

var userStatuses = []word[mockidp.UserStatus]{
	{mockidp.Active, "Active"}, {mockidp.LockedOut, "Locked out"}, {mockidp.Suspended, "Suspended"},
	{mockidp.Deprovisioned, "Deactivated"}, {mockidp.Staged, "Staged"},
}

func (v *visit) membershipSection() section[person] {
	names := column{name: "name", label: "Group", kind: "group"}
	for _, g := range v.Groups() {
		if len(names.options) < maxSuggested {
			names.options = append(names.options, option{Value: g.Name})
		}
	}
	decode := func(cells []string) (string, error) {
		if _, known := v.Group(cells[0]); !known {
			return "", fmt.Errorf("there is no group %s", quote(cells[0]))
		}
		return cells[0], nil
	}
	return section[person]{title: "Groups", inputs: []input[person]{{name: "groups", label: "Groups",
		hint: "Every user is in " + mockidp.Everyone + ".", words: []string{"names the group"},
		rows: listRows(1000, []column{names}, func(p *person) []string { return p.Groups },
			func(p *person, list []string) { p.Groups = list },
			func(g string) []string { return []string{g} }, decode)}}}
}

func attributeSection() section[person] {
	columns := []column{{name: "name", label: "Name", kind: "text"},
		{name: "values", label: "Values, one a line", kind: "area"}}
	decode := func(cells []string) (attributeRow, error) {
		if cells[0] == "" {
			return attributeRow{}, errors.New("an attribute needs a name")
		}
		return attributeRow{cells[0], lines(cells[1])}, nil
	}
	return section[person]{title: "Attributes", inputs: []input[person]{{name: "attributes", label: "Attributes",
		hint: "An attribute statement of an app sends one as ${user.NAME}.", words: []string{"attribute name"},
		rows: listRows(200, columns, func(p *person) []attributeRow { return p.attributes },
			func(p *person, list []attributeRow) { p.attributes = list },
			func(r attributeRow) []string { return []string{r.name, joined(r.values)} }, decode)}}}
}
