package replica

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// A name is what a record is about.
type name struct {
	kind center.Kind
	key  string
}

// A cell is the last that its owner said about a name.
type cell struct {
	stamp uint64
	base  uint64
	value json.RawMessage // nil: gone
	to    []string        // whom an application is assigned to: their goneKey
}

// An estate is what one Region wrote. It is the same whatever the order in
// which its transactions come, and however often: the highest stamp counts,
// name by name, and a full transaction removes what is older and not in it.
type estate struct {
	cells map[name]cell
	floor uint64 // the stamp of the last full transaction
	last  uint64 // the highest stamp
}

// fold takes a transaction in and returns the names that it touched.
func (e *estate) fold(t transaction) []name {
	if t.Stamp < e.floor {
		return nil
	}
	touched := map[name]bool{}
	if t.Full {
		e.floor = t.Stamp
		maps.DeleteFunc(e.cells, func(k name, c cell) bool {
			old := c.stamp <= t.Stamp
			touched[k] = touched[k] || old
			return old
		})
	}
	for _, r := range t.Records {
		k, c := name{r.Kind, r.Key}, cell{stamp: r.Stamp, base: r.Base, value: r.Value}
		if c.stamp == 0 {
			c.stamp = t.Stamp
		}
		if old, ok := e.cells[k]; !ok || c.stamp >= old.stamp {
			c.to = assignedTo(r)
			e.cells[k] = c
			touched[k] = true
		}
	}
	e.last = max(e.last, t.Stamp)
	return slices.Collect(maps.Keys(touched))
}

// all is a full transaction's records: what the estate holds.
func (e *estate) all() []record {
	out := make([]record, 0, len(e.cells))
	for k, c := range e.cells {
		if c.value != nil {
			out = append(out, record{k.kind, k.key, c.value, c.stamp, c.base})
		}
	}
	slices.SortFunc(out, func(a, b record) int { return compareNames(name{a.Kind, a.Key}, name{b.Kind, b.Key}) })
	return out
}

// A directory is what all Regions wrote, and what it comes to. The primary's
// estate is everything but the applications of other Regions, and each other
// estate only its own Region's applications: what a log says beyond that is
// ignored, so that a Region can't write what isn't its to write.
//
// The Node's applying lock guards it.
type directory struct {
	primary string
	estates map[string]*estate
	shown   map[name]json.RawMessage // what the instance was told
}

func newDirectory(primary string) *directory {
	return &directory{primary: primary, estates: map[string]*estate{}, shown: map[name]json.RawMessage{}}
}

func (d *directory) of(region string) *estate {
	e := d.estates[region]
	if e == nil {
		e = &estate{cells: map[name]cell{}}
		d.estates[region] = e
	}
	return e
}

// fold takes in a transaction of a Region's log, leaving out what is not that
// Region's to say. It returns the names touched.
func (d *directory) fold(region string, t transaction) []name {
	t.Records = slices.DeleteFunc(slices.Clone(t.Records), func(r record) bool { return !d.may(region, r) })
	return d.of(region).fold(t)
}

func (d *directory) may(region string, r record) bool {
	switch r.Kind {
	case center.KindApplication:
		if r.Value == nil {
			return true // of its own estate
		}
		var a center.Application
		return json.Unmarshal(r.Value, &a) == nil && a.ID == r.Key && a.Region == region
	case kindReplicated:
		return r.Key == region
	default:
		return region == d.primary
	}
}

// complete says whether the Region's log was read up to a whole state.
func (d *directory) complete(region string) bool { return d.of(region).floor > 0 }

// number is the stamp that a record of this package's own kinds holds.
func (d *directory) number(region string, kind center.Kind, key string) uint64 {
	var v uint64
	if c, ok := d.of(region).cells[name{kind, key}]; ok && json.Unmarshal(c.value, &v) != nil {
		return 0
	}
	return v
}

// entry returns a Region's entry in the directory and its stamp.
func (d *directory) entry(region string) (r center.Region, stamp uint64, ok bool) {
	c, ok := d.of(d.primary).cells[name{center.KindRegion, region}]
	if !ok || json.Unmarshal(c.value, &r) != nil {
		return r, 0, false
	}
	return r, c.stamp, true
}
