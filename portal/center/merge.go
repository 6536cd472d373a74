package center

import (
	"cmp"
	"iter"
	"maps"
	"slices"
)

// merge takes records in. Of two with the same Kind and Key, the later one counts. Unknown principals of applications
// are dropped.
func (d *draft) merge(records []Record) error {
	regions, providers, details := map[string]*placedRegion{}, map[string]*IdentityProvider{}, detailsIn(records)
	for r := range byKey(records) { // new elements of a kind come in this order
		var err error
		switch r.Kind {
		case KindRegion:
			err = mergeInto(regions, r)
		case KindIdentityProvider:
			err = mergeInto(providers, r)
		case KindUser:
			err = d.users.merge(r, details)
		case KindGroup:
			err = d.groups.merge(r, details)
		case KindPermissionSet:
			err = d.sets.merge(r, details)
		case KindAccount:
			err = d.accounts.merge(r, details)
		case KindAssignment:
			err = d.assignments.merge(r, nil)
		case KindApplication:
			err = d.applications.merge(r, nil)
		case KindFederation:
			d.federations.mergeOptional(r)
		case KindParkedApplication:
			d.parked.mergeOptional(r)
		case KindResidency:
			d.residency.mergeOptional(r)
		case KindRotation:
			d.rotations.mergeOptional(r)
		case KindInstance:
			d.mergeMetadata(r, details)
		case KindDetails: // in the map
		default:
			err = &Error{Reason: ReasonInvalid, Rule: "kind of record", Want: "a known Kind", Got: string(r.Kind)}
		}
		if err != nil {
			return err
		}
	}
	d.mergeRegions(regions, details)
	d.mergeDetails(details)
	if len(providers) > 0 {
		d.setProviders(mergeList(d.s.providerList, providers))
	}
	d.dropDangling()
	return nil
}

// byKey yields records sorted by key, and those of one key as they come. It sorts their places, which costs less than
// to move them.
func byKey(records []Record) iter.Seq[Record] {
	order := make([]int, len(records))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(records[a].Key, records[b].Key), cmp.Compare(a, b))
	})
	return func(yield func(Record) bool) {
		for _, i := range order {
			if !yield(records[i]) {
				return
			}
		}
	}
}

// merge takes a record in. It removes from details what is of the element.
func (e *edit[T]) merge(r Record, details map[string][]byte) error {
	v, err := decode[T](r)
	switch {
	case err != nil:
		return err
	case v == nil:
		e.drop(r.Key)
	default:
		e.put(withDetails(*v, e.table.get(r.Key), details))
	}
	return nil
}

// mergeOptional takes a record of an optional kind in. One that can't be decoded counts as removed: it gives no access.
func (e *edit[T]) mergeOptional(r Record) {
	if e.merge(r, nil) != nil {
		e.drop(r.Key)
	}
}

func mergeInto[T element](next map[string]*T, r Record) (err error) {
	next[r.Key], err = decode[T](r)
	return err
}

// mergeList returns a list with these changes; nil: removed. New elements come last, sorted by key.
func mergeList[T element](list []T, next map[string]*T) (out []T) {
	for _, old := range list {
		switch v, touched := next[old.key()]; {
		case !touched:
			out = append(out, old)
		case v != nil:
			out = append(out, *v)
		}
		delete(next, old.key())
	}
	for _, key := range slices.Sorted(maps.Keys(next)) {
		if v := next[key]; v != nil {
			out = append(out, *v)
		}
	}
	return out
}

func (d *draft) mergeRegions(next map[string]*placedRegion, details map[string][]byte) {
	before, touched := map[string]*placedRegion{}, len(next) > 0
	for _, r := range placed(d.s.regionList) {
		before[r.Name] = &r
		_, has := details[detailsKey(KindRegion, r.Name)]
		touched = touched || has
	}
	if !touched {
		return
	}
	all := mergeList(placed(d.s.regionList), next)
	slices.SortStableFunc(all, func(a, b placedRegion) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Name, b.Name))
	})
	var list []Region
	for _, r := range all {
		list = append(list, defaultedRegion(withDetails(r, before[r.Name], details).Region))
	}
	d.setRegions(list)
}

// dropDangling removes unknown principals from the applications that were touched, and from those that were assigned to
// users and groups that are gone.
func (d *draft) dropDangling() {
	ids := map[string]bool{}
	for id := range d.applications.was {
		ids[id] = true
	}
	gone := func(p Principal) { d.s.relations.eachApp(p, func(id string) { ids[id] = true }) }
	for id := range d.users.was {
		if d.s.users.get(id) == nil {
			gone(UserPrincipal(id))
		}
	}
	for id := range d.groups.was {
		if d.s.groups.get(id) == nil {
			gone(GroupPrincipal(id))
		}
	}
	for id := range ids {
		if a := d.s.applications.get(id); a != nil && slices.ContainsFunc(a.AssignedTo, d.unknown) {
			d.applications.put(without(*a, d.unknown))
		}
	}
}

// unknown reports whether a principal doesn't exist.
func (d *draft) unknown(p Principal) bool {
	switch p.Type {
	case PrincipalUser:
		return d.s.users.get(p.ID) == nil
	case PrincipalGroup:
		return d.s.groups.get(p.ID) == nil
	}
	return true
}

// without returns an application without some of its principals.
func without(a Application, not func(Principal) bool) Application {
	a.AssignedTo = slices.DeleteFunc(slices.Clone(a.AssignedTo), not)
	return a
}
