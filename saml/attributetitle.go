package saml

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// AttributeName is the name of an attribute that a program needs, for messages to people.
type AttributeName struct {
	Name         string // in assertions, the preferred one; empty for the NameID
	FriendlyName string // such as mail; empty if no table has the Name
}

// String returns the FriendlyName, or else the Name.
func (n AttributeName) String() string { return cmp.Or(n.FriendlyName, n.Name) }

// titleOf returns what people call the attributes of a field: the first name in its tag
// that a table has, or a name that a table has for one of them. Okta's table is not asked,
// because its names are common words.
func titleOf(tagged string, names []string, tables []Names) AttributeName {
	tagged, _, _ = strings.Cut(tagged, ",")
	for short := range strings.SplitSeq(tagged, "|") {
		for _, table := range tables {
			if len(table[short]) > 0 {
				return AttributeName{names[0], short}
			}
		}
	}
	known := append(slices.Clone(tables), EduPersonNames(), LDAPNames(), SCHACNames(), MicrosoftNames())
	for _, name := range names {
		for _, table := range known {
			for _, short := range slices.Sorted(maps.Keys(table)) {
				if slices.Contains(table[short], name) {
					return AttributeName{names[0], short}
				}
			}
		}
	}
	return AttributeName{Name: names[0]}
}
