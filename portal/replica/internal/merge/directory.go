package merge

import (
	"encoding/json"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// A Directory is what all Regions wrote, and what it comes to. The primary's
// log is everything but the applications of other Regions, and each other log
// only its own Region's applications: what a log says beyond that is ignored,
// so that a Region can't write what isn't its to write.
type Directory struct {
	primary string
	also    []center.Kind // kinds of a later version, in its tests
	logs    map[string]*regionLog
	shown   map[Name]json.RawMessage // what the instance was told
	entries map[string]uint64        // by Region that was ever named: see Standing
}

// NewDirectory returns an empty Directory of an instance with this primary.
// A later version knows other kinds, too.
func NewDirectory(primary string, also ...center.Kind) *Directory {
	return &Directory{primary: primary, also: also, logs: map[string]*regionLog{}, shown: map[Name]json.RawMessage{}, entries: map[string]uint64{}}
}

func (d *Directory) of(region string) *regionLog {
	l := d.logs[region]
	if l == nil {
		l = &regionLog{cells: map[Name]cell{}, strange: map[Name]struct{}{}, knows: d.knows}
		d.logs[region] = l
		if region != d.primary {
			l.void = d.number(d.primary, KindRemoved, region)
		}
	}
	return l
}

// Fold takes in a transaction of a Region's log, leaving out what is not that
// Region's to say. It returns the names touched, for Changes.
func (d *Directory) Fold(region string, t Transaction) []Name {
	t.Records = slices.DeleteFunc(slices.Clone(t.Records), func(r Record) bool { return !d.may(region, r) })
	_, before := d.Unread(region)
	touched := d.of(region).fold(t)
	if region == d.primary {
		touched = append(touched, d.entered(t)...)
	}
	if _, after := d.Unread(region); before != after {
		touched = append(touched, d.of(region).applications()...)
	}
	return touched
}

func (d *Directory) may(region string, r Record) bool {
	switch r.Kind {
	case center.KindApplication:
		if r.Value == nil {
			return true // of its own log
		}
		var a center.Application
		return json.Unmarshal(r.Value, &a) == nil && a.ID == r.Key && a.Region == region
	case KindReplicated:
		return r.Key == region
	default:
		later := !element(r.Kind) && !internal(r.Kind) // kept in its own log, and not shown
		return region == d.primary || later
	}
}

// Complete says whether the Region's log was read up to a whole state.
func (d *Directory) Complete(region string) bool { return d.of(region).complete() }

// Last is the highest stamp that the Region's log is known to hold.
func (d *Directory) Last(region string) uint64 { return d.of(region).last }

// Replicated is the stamp that the Region's last KindReplicated names, or 0.
func (d *Directory) Replicated(region string) uint64 {
	return d.number(region, KindReplicated, region)
}

// number is the stamp that a record of this package's own kinds holds.
func (d *Directory) number(region string, kind center.Kind, key string) uint64 {
	return numberIn(Record{Value: d.of(region).cell(Name{kind, key}).value})
}

// Entry returns a Region's entry in the directory, which must not be changed, and
// its stamp.
func (d *Directory) Entry(region string) (r center.Region, stamp uint64, ok bool) {
	c := d.of(d.primary).cells[Name{center.KindRegion, region}]
	if c.region == nil {
		return r, 0, false
	}
	return *c.region, c.stamp, true
}
