package oktaapi

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// userExpression is an expression of Okta's as it stands in an attribute
// statement: user.email, where App says ${user.email}.
var userExpression = regexp.MustCompile(`^user\.([A-Za-z][A-Za-z0-9_]*)$`)

func fromExpression(v string) string {
	if m := userExpression.FindStringSubmatch(v); m != nil {
		return "${user." + m[1] + "}"
	}
	if len(v) > 1 && strings.HasPrefix(v, `"`) && strings.HasSuffix(v, `"`) {
		return v[1 : len(v)-1] // a constant, as Okta writes one
	}
	return v
}

func toExpression(v string) string {
	if inner := strings.TrimSuffix(strings.TrimPrefix(v, "${"), "}"); v == "${"+inner+"}" && userExpression.MatchString(inner) {
		return inner
	}
	return v
}

func (b *signOnBody) statements(a *mockidp.App) *apiError {
	all := map[string]bool{} // what was read is written back: then ".*" isn't Everyone as well
	for _, g := range a.GroupStatements() {
		all[cmp.Or(g.Name, "groups")] = g.Filter == mockidp.AllGroups
	}
	a.Attributes, a.GroupAttribute, a.GroupAttributes = nil, nil, nil
	for _, st := range b.AttributeStatements {
		if st.Type == "GROUP" {
			f, ok := keyOf(filterWords, st.FilterType)
			if !ok || st.FilterType == "" {
				return invalid("attributeStatements", "unknown filterType "+quote(st.FilterType))
			}
			if f == mockidp.Regex && st.FilterValue == ".*" && all[st.Name] {
				f, st.FilterValue = mockidp.AllGroups, ""
			}
			a.GroupAttributes = append(a.GroupAttributes, mockidp.GroupAttribute{Name: st.Name, NameFormat: st.Namespace, Filter: f, Value: st.FilterValue})
			continue
		}
		if st.Type != "" && st.Type != "EXPRESSION" {
			return invalid("attributeStatements", "unknown type "+quote(st.Type))
		}
		at := mockidp.Attribute{Name: st.Name, NameFormat: st.Namespace}
		for _, v := range st.Values {
			at.Values = append(at.Values, fromExpression(v))
		}
		a.Attributes = append(a.Attributes, at)
	}
	return nil
}

func statementsOf(a *mockidp.App) []statement {
	out := []statement{}
	for _, at := range a.Attributes {
		st := statement{Type: "EXPRESSION", Name: at.Name, Namespace: cmp.Or(at.NameFormat, mockidp.AttrUnspecified)}
		for _, v := range at.Values {
			st.Values = append(st.Values, toExpression(v))
		}
		out = append(out, st)
	}
	for _, g := range a.GroupStatements() {
		st := statement{Type: "GROUP", Name: cmp.Or(g.Name, "groups"), Namespace: cmp.Or(g.NameFormat, mockidp.AttrUnspecified), FilterType: filterWords[g.Filter], FilterValue: g.Value}
		if g.Filter == mockidp.AllGroups { // Okta has no word for it
			st.FilterType, st.FilterValue = filterWords[mockidp.Regex], ".*"
		}
		out = append(out, st)
	}
	return out
}
