package replica

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

func compareNames(a, b name) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
}

// internal says whether a kind is this package's own.
func internal(k center.Kind) bool { return k == kindGone || k == kindEnded || k == kindReplicated }

// changes returns what the instance must be told after these names were
// touched, sorted, and takes it as told.
func (d *directory) changes(touched []name) []center.Record {
	touched = append(touched, d.dependents(touched)...)
	slices.SortFunc(touched, compareNames)
	var out []center.Record
	for _, k := range slices.Compact(touched) {
		if internal(k.kind) {
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
		out = append(out, center.Record{Kind: k.kind, Key: k.key, Value: v})
	}
	return out
}

// dependents returns the applications that may come to something else after
// these names were touched: those assigned to a principal among them, and all
// of them after a change in the list of Regions.
func (d *directory) dependents(touched []name) []name {
	all, principals := false, map[string]bool{}
	for _, k := range touched {
		switch k.kind {
		case center.KindRegion:
			all = true
		case center.KindUser:
			principals[goneKey(center.Principal{Type: center.PrincipalUser, ID: k.key})] = true
		case center.KindGroup:
			principals[goneKey(center.Principal{Type: center.PrincipalGroup, ID: k.key})] = true
		case kindGone:
			principals[k.key] = true
		}
	}
	if !all && len(principals) == 0 {
		return nil
	}
	var out []name
	for _, e := range d.estates {
		for k, c := range e.cells {
			if k.kind == center.KindApplication && (all || slices.ContainsFunc(c.to, func(p string) bool { return principals[p] })) {
				out = append(out, k)
			}
		}
	}
	return out
}

// value is what a name comes to, or nil.
func (d *directory) value(k name) json.RawMessage {
	if k.kind != center.KindApplication {
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
func (d *directory) application(k name) (owner string, found cell) {
	for region, e := range d.estates {
		c, ok := e.cells[k]
		if !ok || c.value == nil || owner != "" && owner < region {
			continue
		}
		if _, _, listed := d.entry(region); listed {
			owner, found = region, c
		}
	}
	return owner, found
}

// assigned leaves out principals that aren't there, and those that were
// removed when the application's own Region hadn't heard of it. Somebody who
// is removed and comes back doesn't come back with the old access.
func (d *directory) assigned(c cell) json.RawMessage {
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
		there := d.of(d.primary).cells[name{kind, p.ID}].value != nil
		return !there || d.number(d.primary, kindGone, goneKey(p)) > c.base
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

func goneKey(p center.Principal) string { return string(p.Type) + " " + p.ID }

// assignedTo is whom an application is assigned to, each by its goneKey.
func assignedTo(r record) (out []string) {
	var a center.Application
	if r.Kind != center.KindApplication || r.Value == nil || json.Unmarshal(r.Value, &a) != nil {
		return nil
	}
	for _, p := range a.AssignedTo {
		out = append(out, goneKey(p))
	}
	return out
}

// records is all that the instance holds.
func (d *directory) records() []center.Record {
	var out []center.Record
	for k, v := range d.shown {
		out = append(out, center.Record{Kind: k.kind, Key: k.key, Value: v})
	}
	return out
}
