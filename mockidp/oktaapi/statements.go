package oktaapi

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// userExpression is an expression as Okta writes it in an attribute statement: user.email, where mockidp.App
// has ${user.email}.
var userExpression = regexp.MustCompile(`^user\.([A-Za-z][A-Za-z0-9_]*)$`)

func fromExpression(v string) string {
	if userExpression.MatchString(v) {
		return "${" + v + "}"
	}
	if len(v) > 1 && strings.HasPrefix(v, `"`) && strings.HasSuffix(v, `"`) {
		return v[1 : len(v)-1] // a constant
	}
	return v
}

func toExpression(v string) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(v, "${"), "}")
	if v == "${"+inner+"}" && userExpression.MatchString(inner) {
		return inner
	}
	return v
}

func (b *signOnBody) statements(a *mockidp.App) *apiError {
	all := map[string]bool{} // AllGroups is shown as ".*": written back, it must not become a regular expression
	for _, g := range a.GroupStatements() {
		all[cmp.Or(g.Name, "groups")] = g.Filter == mockidp.AllGroups
	}
	a.Attributes, a.GroupAttribute, a.GroupAttributes = nil, nil, nil
	for _, st := range b.AttributeStatements {
		switch st.Type {
		case "GROUP":
			f, ok := keyOf(filterWords, st.FilterType)
			if !ok || st.FilterType == "" {
				return invalid("attributeStatements", "unknown filterType "+quote(st.FilterType))
			}
			if f == mockidp.Regex && st.FilterValue == ".*" && all[st.Name] {
				f, st.FilterValue = mockidp.AllGroups, ""
			}
			a.GroupAttributes = append(a.GroupAttributes,
				mockidp.GroupAttribute{Name: st.Name, NameFormat: st.Namespace, Filter: f, Value: st.FilterValue})
		case "", "EXPRESSION":
			at := mockidp.Attribute{Name: st.Name, NameFormat: st.Namespace}
			for _, v := range st.Values {
				at.Values = append(at.Values, fromExpression(v))
			}
			a.Attributes = append(a.Attributes, at)
		default:
			return invalid("attributeStatements", "unknown type "+quote(st.Type))
		}
	}
	return nil
}

func statementsOf(a mockidp.App) []statement {
	out := shown(a.Attributes, func(at mockidp.Attribute) statement {
		return statement{Type: "EXPRESSION", Name: at.Name, Namespace: cmp.Or(at.NameFormat, mockidp.AttrUnspecified),
			Values: shown(at.Values, toExpression)}
	})
	for _, g := range a.GroupStatements() {
		st := statement{Type: "GROUP", Name: cmp.Or(g.Name, "groups"),
			Namespace:  cmp.Or(g.NameFormat, mockidp.AttrUnspecified),
			FilterType: filterWords[g.Filter], FilterValue: g.Value}
		if g.Filter == mockidp.AllGroups { // Okta has no name for it
			st.FilterType, st.FilterValue = filterWords[mockidp.Regex], ".*"
		}
		out = append(out, st)
	}
	return out
}
