package merge

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

// A Directory is what all Regions wrote, and the result. The primary's log is
// everything but the applications of other Regions. Each other log is only its own
// Region's applications. Everything else in a log is ignored, so that a Region
// can't write what isn't its own.
type Directory struct {
	primary string
	also    []center.Kind // kinds of a later version, in its tests
	logs    map[string]*regionLog
	shown   map[Name]json.RawMessage // what the instance was told
	entries map[string]uint64        // by Region that was ever named: see Standing.Known
}

// NewDirectory returns an empty Directory of an instance with this primary.
// A later version knows other kinds, too.
func NewDirectory(primary string, also ...center.Kind) *Directory {
	return &Directory{
		primary: primary, also: also,
		logs: map[string]*regionLog{}, shown: map[Name]json.RawMessage{}, entries: map[string]uint64{},
	}
}

func (d *Directory) of(region string) *regionLog {
	l := d.logs[region]
	if l == nil {
		l = &regionLog{
			cells: map[Name]cell{}, apps: newApplications(), strange: map[Name]struct{}{}, knows: d.knows,
		}
		d.logs[region] = l
		if region != d.primary {
			l.void = d.number(d.primary, KindRemoved, region)
		}
	}
	return l
}

// Own returns a transaction of a Region's log without what is not that Region's to say.
func (d *Directory) Own(region string, t Transaction) Transaction {
	t.Records = slices.DeleteFunc(slices.Clone(t.Records), func(r Record) bool { return !d.may(region, r) })
	return t
}

// Counts says whether a record of a Region's transaction is the Region's last word about its
// name.
func (d *Directory) Counts(region string, r Record, t Transaction) bool {
	c, ok := d.of(region).cells[r.name()]
	return ok && c.stamp == r.WrittenIn(t)
}

// Changed says whether the last transaction that was folded changed what a Region's log
// says.
func (d *Directory) Changed(region string) bool { return d.of(region).changed }

// Fold takes in what is a Region's own of a transaction of its log. It returns the names
// touched, for Changes.
func (d *Directory) Fold(region string, t Transaction) []Name {
	t = d.Own(region, t)
	_, before := d.Unread(region)
	touched := d.of(region).fold(t)
	if region == d.primary {
		touched = append(touched, d.entered(t)...)
	}
	if _, after := d.Unread(region); before != after {
		touched = append(touched, d.of(region).apps.all()...)
	}
	return touched
}

// FoldEarly is Fold for a transaction that was heard before everything that precedes
// it in its log. What this Region writes next doesn't claim to know what it may
// lack: see Record.Base.
func (d *Directory) FoldEarly(region string, t Transaction) []Name {
	l := d.of(region)
	read, last := l.read, l.last
	touched := d.Fold(region, t)
	l.read, l.last = read, last
	return touched
}

func (d *Directory) may(region string, r Record) bool {
	switch r.Kind {
	case center.KindApplication:
		var a center.Application
		// A removal is of an application of the Region's own log.
		return r.Value == nil || json.Unmarshal(r.Value, &a) == nil && a.ID == r.Key && a.Region == region
	case KindReplicated, center.KindRotation:
		return r.Key == region
	}
	// What a later version writes is kept in its Region's log, and not shown.
	return region == d.primary || !element(r.Kind) && !internal(r.Kind)
}

// Complete says whether the Region's log was read up to a whole state.
func (d *Directory) Complete(region string) bool { return d.of(region).complete() }

// Last returns the highest stamp that the Region's log is known to hold.
func (d *Directory) Last(region string) uint64 { return d.of(region).last }

// Replicated returns the stamp that the Region's last KindReplicated names, or 0.
func (d *Directory) Replicated(region string) uint64 {
	return d.number(region, KindReplicated, region)
}

// number returns the stamp in a record of this package's own kinds, or 0.
func (d *Directory) number(region string, kind center.Kind, key string) uint64 {
	return stampIn(d.of(region).cell(Name{kind, key}).value)
}

// Entry returns a Region's entry in the directory, which must not be changed, and
// its stamp.
func (d *Directory) Entry(region string) (r center.Region, stamp uint64, ok bool) {
	c := d.of(d.primary).cell(Name{center.KindRegion, region})
	if c.region == nil {
		return r, 0, false
	}
	return *c.region, c.stamp, true
}

// Doubt notes whether what is known of a Region's log may be older than what was
// known before. Meanwhile its applications are not shown. It returns the names
// touched.
func (d *Directory) Doubt(region string, doubted bool) []Name {
	l := d.of(region)
	if l.doubted == doubted {
		return nil
	}
	l.doubted = doubted
	return l.apps.all()
}

// A Fact is one thing known, for comparing what two Regions know.
type Fact struct {
	Key   string
	Until time.Time // when it may be forgotten; zero: never
	Value any       // becomes JSON
	// Ends: it ends sessions. A Region may lack some that it made itself: see Sessions.Erased.
	Ends bool
	// Void: it is a session that this Region lets in in no case, whether or not it ended.
	Void bool
}

// Facts returns what every Region's log says, in no order. A Region that was removed and hasn't heard of it may go on
// writing, and only some Regions copy that. It counts for nothing, also if the Region is added again.
func (d *Directory) Facts() (out []Fact) {
	for region, l := range d.logs {
		if region != d.primary && d.Standing(region).Gone() {
			continue
		}
		for k, c := range l.cells {
			if c.value != nil && c.stamp > l.void {
				key := fmt.Sprintf("log %s %s %s", region, k.Kind, k.Key)
				out = append(out, Fact{Key: key, Value: []any{c.stamp, c.base, c.value}})
			}
		}
	}
	return out
}
