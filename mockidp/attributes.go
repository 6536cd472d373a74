package mockidp

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
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
	// Values are sent in order. ${user.login}, ${user.userName} (the same),
	// ${user.firstName}, ${user.lastName}, ${user.email} and ${user.anything}, for the user's own
	// Attributes, stand for the user's values; a Value that is nothing but
	// such an expression becomes all of them, inside other text the first. An
	// attribute that ends up with no value isn't sent.
	Values []string
}

// GroupAttribute sends the names of the user's groups.
type GroupAttribute struct {
	Name       string // zero: "groups"
	NameFormat string // zero: AttrUnspecified
	// Filter says which groups. Zero: all that the user was put in (Everyone
	// is sent only where a filter matches it).
	Filter Filter
	Value  string // what Filter compares with
}

// Filter is how a GroupAttribute picks groups.
type Filter int

// The filters; names as in Okta's API.
const (
	AllGroups Filter = iota
	StartsWith
	Equals
	Contains
	Regex // Go's syntax, matched anywhere in the name
)

var expression = regexp.MustCompile(`\$\{user\.([A-Za-z][A-Za-z0-9_]*)\}`)

func expressionName(s string) bool {
	m := expression.FindString("${user." + s + "}")
	return m == "${user."+s+"}"
}

// expand replaces expressions once: a user's value that looks like an
// expression stays what it is.
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

// sentAttribute is an attribute of one assertion.
type sentAttribute struct {
	name, format string
	values       []string
}

// attributesFor says what an assertion about the user holds.
func (a *App) attributesFor(u *User) []sentAttribute {
	var out []sentAttribute
	add := func(name, format string, values []string) {
		if len(values) > 0 {
			out = append(out, sentAttribute{name, cmp.Or(format, AttrUnspecified), values})
		}
	}
	for _, at := range a.Attributes {
		var values []string
		for _, v := range at.Values {
			values = append(values, expand(v, u)...)
		}
		add(at.Name, at.NameFormat, values)
	}
	for _, g := range a.GroupStatements() {
		add(cmp.Or(g.Name, "groups"), g.NameFormat, g.pick(u.Groups))
	}
	return out
}

// GroupStatements returns GroupAttribute, if there is one, and GroupAttributes.
func (a *App) GroupStatements() []GroupAttribute {
	if a.GroupAttribute == nil {
		return a.GroupAttributes
	}
	return slices.Concat([]GroupAttribute{*a.GroupAttribute}, a.GroupAttributes)
}

func (g *GroupAttribute) pick(groups []string) []string {
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

// checkAttributes is a part of App.prepared.
func (a *App) checkAttributes() *Error {
	for _, at := range a.Attributes {
		if strings.TrimSpace(at.Name) == "" {
			return badConfig("app %s: an attribute statement without a Name", quote(a.Label))
		}
		for _, v := range slices.Concat([]string{at.Name, at.NameFormat}, at.Values) {
			if err := checkText("app "+quote(a.Label), v); err != nil {
				return err
			}
			if badExpression(v) {
				return badConfig("app %s: only ${user.name} is understood, got %s", quote(a.Label), quote(v))
			}
		}
	}
	for _, g := range a.GroupStatements() {
		if err := g.check(quote(a.Label)); err != nil {
			return err
		}
	}
	return nil
}

// badExpression says that something that looks like an expression isn't one.
func badExpression(v string) bool { return strings.Contains(expression.ReplaceAllString(v, ""), "${") }

func (g *GroupAttribute) check(app string) *Error {
	if g.Filter < AllGroups || g.Filter > Regex {
		return badConfig("app %s: unknown group filter %d", app, g.Filter)
	}
	if g.Filter == Regex {
		if _, err := regexp.Compile(g.Value); err != nil {
			return &Error{Reason: ReasonConfig, Detail: "app " + app + ": group filter", Err: err}
		}
	}
	return checkText("app "+app, g.Name+g.NameFormat)
}
