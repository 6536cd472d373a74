package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

// What says who a user is, who may come in, and what for; and what else is kept
// under a name without parts.
var (
	accessNames = []string{"username", "active", "members"}
	plainNames  = []string{"id", "externalid", "displayname"}
)

// significant says whether a path is one of those. Of them only members has
// parts, and takes a filter.
func significant(p path) bool {
	return slices.Contains(accessNames, p.attr) || slices.Contains(plainNames, p.attr)
}

// resembles says whether a path that isn't read seems to be meant for one that
// is, as user_name, act.ive, isActive, member and user.active do. Otherwise it
// would be dropped as an attribute that isn't kept, and the client told success.
func resembles(p path) bool {
	attr, sub, both := letters(p.attr), letters(p.sub), letters(p.attr+p.sub)
	return slices.ContainsFunc(accessNames, func(name string) bool {
		name = letters(name)
		return name == attr || name == sub || name == both
	}) || slices.ContainsFunc(plainNames[1:], func(name string) bool { return name == attr || name == both }) ||
		strings.HasSuffix(attr, "active") || strings.HasSuffix(attr, "member")
}

// wraps says whether the value of an attribute that isn't kept is an object that
// names one of those that say who may come in, as {"user":{"active":false}} does.
func wraps(raw json.RawMessage) bool {
	fields, err := object(raw, maxFields, "attribute")
	return err == nil && slices.ContainsFunc(fields, func(f field) bool {
		name := letters(strings.ToLower(f.name))
		return slices.ContainsFunc(accessNames, func(known string) bool { return letters(known) == name })
	})
}

// letters is a lower-case name without anything but letters, and without an s at
// its end.
func letters(s string) string {
	return strings.TrimSuffix(strings.Map(func(c rune) rune {
		if c < 'a' || c > 'z' {
			return -1
		}
		return c
	}, s), "s")
}
