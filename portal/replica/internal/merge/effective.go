package merge

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// Changes returns what the instance must be told after these names were
// touched, sorted, and takes it as told.
func (d *Directory) Changes(touched []Name) []center.Record {
	touched = append(touched, d.dependents(touched)...)
	slices.SortFunc(touched, compareNames)
	var out []center.Record
	for _, k := range slices.Compact(touched) {
		if !element(k.Kind) {
			continue
		}
		v, was := d.value(k), d.shown[k]
		if bytes.Equal(v, was) {
			continue
		}
		if v == nil {
			delete(d.shown, k)
		} else {
			d.shown[k] = v
		}
		out = append(out, center.Record{Kind: k.Kind, Key: k.Key, Value: v})
	}
	return out
}

// dependents returns the applications that may come to something else after
// these names were touched: those assigned to a principal among them, and all
// of them after a change in the list of Regions.
func (d *Directory) dependents(touched []Name) []Name {
	all, principals := false, map[string]bool{}
	for _, k := range touched {
		switch k.Kind {
		case center.KindRegion:
			all = true
		case center.KindUser:
			principals[goneKey(center.UserPrincipal(k.Key))] = true
		case center.KindGroup:
			principals[goneKey(center.GroupPrincipal(k.Key))] = true
		case KindGone:
			principals[k.Key] = true
		}
	}
	if !all && len(principals) == 0 {
		return nil
	}
	var out []Name
	for _, l := range d.logs {
		for k, c := range l.cells {
			if k.Kind == center.KindApplication && (all || slices.ContainsFunc(c.to, func(p string) bool { return principals[p] })) {
				out = append(out, k)
			}
		}
	}
	return out
}

// value is what a name comes to, or nil.
func (d *Directory) value(k Name) json.RawMessage {
	if k.Kind != center.KindApplication {
		return d.of(d.primary).cells[k].value
	}
	_, c := d.application(k)
	if c.value == nil {
		return nil
	}
	return d.assigned(c)
}

// application returns whose application has this ID. If several Regions made
// one with the same ID at the same time, it is the one whose name sorts first,
// in every Region: they agree, and the others' are kept and not shown.
func (d *Directory) application(k Name) (owner string, found cell) {
	for region, l := range d.logs {
		c := l.cell(k)
		if c.value == nil || owner != "" && owner < region {
			continue
		}
		if _, unread := d.Unread(region); (unread || l.doubted) && region != d.primary {
			continue
		}
		if _, _, listed := d.Entry(region); listed {
			owner, found = region, c
		}
	}
	return owner, found
}

// assigned leaves out principals that aren't there, and those that were
// removed when the application's own Region hadn't heard of it. A user who is
// removed and comes back doesn't come back with the old access.
func (d *Directory) assigned(c cell) json.RawMessage {
	var a center.Application
	if json.Unmarshal(c.value, &a) != nil || len(a.AssignedTo) == 0 {
		return c.value
	}
	before := len(a.AssignedTo)
	a.AssignedTo = slices.DeleteFunc(a.AssignedTo, func(p center.Principal) bool {
		kind := center.KindUser
		if p.Type == center.PrincipalGroup {
			kind = center.KindGroup
		}
		there := d.of(d.primary).cells[Name{kind, p.ID}].value != nil
		return !there || d.number(d.primary, KindGone, goneKey(p)) > c.base
	})
	if len(a.AssignedTo) == before {
		return c.value
	}
	v, err := json.Marshal(a)
	if err != nil {
		return c.value // can't be: it was JSON a moment ago
	}
	return v
}

// Records is all that the instance was told.
func (d *Directory) Records() []center.Record {
	var out []center.Record
	for k, v := range d.shown {
		out = append(out, center.Record{Kind: k.Kind, Key: k.Key, Value: v})
	}
	return out
}
