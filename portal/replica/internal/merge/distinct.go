package merge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// Distinct resolves what the result of Reunite may hold and an instance can't: two
// histories gave one userName, group name or URL to different elements. If the instance
// lists its identity providers, names are compared within one. The element that
// was changed last keeps it. Another user or group gets its ID for a name, and another
// Region loses the URL. A userName says who may sign in, and it is not known which of the
// users that is: all of them are disabled, and their sessions end, until an administrator
// decides. contested names them. last is the highest stamp of all.
func Distinct(records []Record, last uint64) (out []Record, highest uint64, contested []string) {
	out = slices.Clone(records)
	slices.SortStableFunc(out, func(a, b Record) int { return cmp.Compare(b.Stamp, a.Stamp) })
	first, all, lists := map[Name]string{}, map[Name]bool{}, listsProviders(out)
	within := func(r Record, name string) Name { // the name is unique within this
		if lists {
			name = providerOf(r.Value) + "\x00" + name
		}
		return Name{r.Kind, name}
	}
	for _, r := range out {
		_, name := nameOf(r)
		all[within(r, name)] = true
	}
	ended := map[string]bool{}
	for i, r := range out {
		switch r.Kind {
		case center.KindUser, center.KindGroup:
			field, name := nameOf(r)
			k := within(r, name)
			holder, taken := first[k]
			if first[k] = cmp.Or(holder, r.Key); !taken || name == "" {
				continue
			}
			for name = r.Key; all[within(r, name)]; name += "~" {
			}
			all[within(r, name)] = true
			out[i].Value = edited(r.Value, field, func(string) string { return name })
			if r.Kind == center.KindUser {
				ended[holder], ended[r.Key] = true, true
			}
		case center.KindRegion:
			for _, list := range []string{"portalUrls", "acsUrls"} {
				out[i].Value = edited(out[i].Value, list, func(urls []string) []string {
					return slices.DeleteFunc(urls, func(u string) bool {
						k := Name{r.Kind, u}
						first[k] = cmp.Or(first[k], r.Key)
						return first[k] != r.Key
					})
				})
			}
		}
	}
	if len(ended) == 0 {
		return sorted(out), last, nil
	}
	return disabled(out, ended, last+1), last + 1, slices.Sorted(maps.Keys(ended))
}

// disabled disables users, and ends their sessions by marks with this stamp.
func disabled(records []Record, users map[string]bool, stamp uint64) []Record {
	out := slices.DeleteFunc(records, func(r Record) bool { return r.Kind == KindEnded && users[r.Key] })
	for i, r := range out {
		if r.Kind == center.KindUser && users[r.Key] {
			out[i].Value = edited(r.Value, "active", func(bool) bool { return false })
		}
	}
	for id := range users {
		out = append(out, Record{Kind: KindEnded, Key: id, Value: fmt.Appendf(nil, "%d", stamp), Stamp: stamp})
	}
	return sorted(out)
}

// listsProviders says whether an instance lists its identity providers.
func listsProviders(records []Record) bool {
	return slices.ContainsFunc(records, func(r Record) bool {
		return r.Kind == center.KindIdentityProvider && r.Value != nil
	})
}

// nameOf returns the name of a user or a group that no other may have, and its field.
func nameOf(r Record) (field, name string) {
	var v struct{ UserName, Name string }
	switch {
	case r.Kind != center.KindUser && r.Kind != center.KindGroup || json.Unmarshal(r.Value, &v) != nil:
		return "", ""
	case r.Kind == center.KindUser:
		return "userName", v.UserName
	}
	return "name", v.Name
}
