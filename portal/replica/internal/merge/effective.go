package merge

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// Changes returns what the instance must be told after these names were touched,
// sorted, and takes it as told.
func (d *Directory) Changes(touched []Name) (out []center.Record) {
	touched = append(touched, d.dependents(touched)...)
	slices.SortFunc(touched, compareNames)
	for _, k := range slices.Compact(touched) {
		if v := d.value(k); element(k.Kind) && !bytes.Equal(v, d.shown[k]) {
			d.show(k, v)
			out = append(out, center.Record{Kind: k.Kind, Key: k.Key, Value: v})
		}
	}
	return out
}

// show notes what the instance shows of a name.
func (d *Directory) show(k Name, v json.RawMessage) {
	if d.shown[k] = v; v == nil {
		delete(d.shown, k)
	}
}

// dependents returns what may change with these names: their details, and the
// applications assigned to a principal among them, and all after a change in the list of
// Regions, with the rotation of those that changed.
func (d *Directory) dependents(touched []Name) (out []Name) {
	all, principals, rotations := false, map[string]bool{}, []Name(nil)
	for _, k := range touched {
		switch k.Kind {
		case center.KindRegion:
			all = true
			rotations = append(rotations, Name{center.KindRotation, k.Key})
		case center.KindUser:
			principals[goneKey(center.UserPrincipal(k.Key))] = true
		case center.KindGroup:
			principals[goneKey(center.GroupPrincipal(k.Key))] = true
		case KindGone:
			principals[k.Key] = true
		}
	}
	out = append(d.detailed(touched), rotations...)
	for _, l := range d.logs {
		if all {
			out = append(out, l.apps.all()...)
			continue
		}
		for p := range principals {
			out = append(out, l.apps.of(p)...)
		}
	}
	return out
}

// value returns what the instance must show of a name, or nil.
func (d *Directory) value(k Name) json.RawMessage {
	if k.Kind == center.KindDetails && d.orphaned(k) {
		return nil
	}
	switch k.Kind {
	case center.KindRotation: // written by the Region that it is about
		if _, _, listed := d.Entry(k.Key); !listed {
			return nil
		}
		return d.of(k.Key).cell(k).value
	case center.KindApplication:
	default:
		return d.of(d.primary).cell(k).value
	}
	_, c := d.application(k)
	return d.assigned(c)
}

// application returns the application with this ID, and its Region. If several
// Regions made one at the same time, it is the one whose Region sorts first, in
// every Region. The others are kept and not shown.
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

// assigned leaves out principals that don't exist, and those that were removed
// without the knowledge of the application's Region. A user who is removed and added
// again doesn't get the old access back.
func (d *Directory) assigned(c cell) json.RawMessage {
	var a center.Application
	if json.Unmarshal(c.value, &a) != nil {
		return c.value
	}
	before := len(a.AssignedTo)
	a.AssignedTo = slices.DeleteFunc(a.AssignedTo, func(p center.Principal) bool {
		kind := center.KindUser
		if p.Type == center.PrincipalGroup {
			kind = center.KindGroup
		}
		missing := d.of(d.primary).cell(Name{kind, p.ID}).value == nil
		return missing || d.number(d.primary, KindGone, goneKey(p)) > c.base
	})
	if len(a.AssignedTo) == before {
		return c.value
	}
	v, err := json.Marshal(a)
	if err != nil {
		return c.value // impossible: it was decoded from JSON
	}
	return v
}

// Records returns everything that the instance was told.
func (d *Directory) Records() (out []center.Record) {
	for k, v := range d.shown {
		out = append(out, center.Record{Kind: k.Kind, Key: k.Key, Value: v})
	}
	return out
}
