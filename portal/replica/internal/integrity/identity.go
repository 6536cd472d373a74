package integrity

import (
	"slices"
	"time"
)

// MaxGenerations is how many of a Region's generations its Identity remembers. A
// proof of an earlier one says nothing about generations.
const MaxGenerations = 64

// An Identity stands beside a Region's streams and says what they are. It is
// written as JSON.
type Identity struct {
	Format int    `json:"format"` // 1
	Region string `json:"region"`
	Key    Key    `json:"key"`
	// Began is the number of the first generation: when that was, in seconds of
	// Unix time. 0: 1, of an earlier version.
	Began uint64 `json:"began,omitempty"`
	// Generations are the last ones, in their order.
	Generations []Generation `json:"generations"`
	// Stores are the Region's own streams, by line.
	Stores map[string]string `json:"stores"`
	// Made says that the streams were all made: one that isn't there was lost.
	Made bool `json:"made,omitempty"`
	// Vouched says that the operator knows that these stores replace others, or
	// that they were there before the Region had an Identity. Without it they
	// may have taken the place of a disk that was lost.
	Vouched bool `json:"vouched,omitempty"`
	// Orphaned says that the streams were there before this Identity, so that what
	// is in them doesn't begin with it. A recovery clears it.
	Orphaned bool `json:"orphaned,omitempty"`
	// Followed says that another Region has shown a message of these stores.
	Followed bool `json:"followed,omitempty"`
	// Whole says that the Region's log once held a whole state.
	Whole bool `json:"whole,omitempty"`
	// Marked says that there were marks beside the streams.
	Marked bool `json:"marked,omitempty"`
	// Damage is what was found, until the operator recovers the Region.
	Damage *Damage `json:"damage,omitempty"`
	// Recovery is set while what was put together of other Regions' copies stands
	// beside the streams, and is taking their place.
	Recovery *Recovery `json:"recovery,omitempty"`
	// Restoring says that a start after which what is here is to count has begun,
	// and that the log doesn't say so yet.
	Restoring bool `json:"restoring,omitempty"`
	// Self is the generation of the Node that judges, of several that a Region
	// may have at once. Zero: the last.
	Self Generation `json:"-"`
}

// Damage says what is wrong with a Region's streams. Its text never holds what
// the streams hold.
type Damage struct {
	Line string    `json:"line,omitempty"` // "": all
	Why  string    `json:"why"`
	At   time.Time `json:"at"`
}

// A Recovery is one that can be completed from what the Region itself keeps.
type Recovery struct {
	From  []string `json:"from"`  // the Regions whose copies are in it
	Count uint64   `json:"count"` // of messages
}

// New returns the Identity of a Region that has nothing yet. now is seconds of
// Unix time: it numbers the generations from here on, so that they come after
// those of an earlier Identity, whose disk was lost. If an older copy of that disk
// is put back later, its generations show that it is older.
func New(region string, key Key, now int64) Identity {
	return Identity{Format: 1, Region: region, Key: key, Began: uint64(max(now, 1)), Stores: map[string]string{}}
}

// Start notes a new generation and returns it. id is random.
func (d *Identity) Start(id string) Generation {
	g := Generation{Number: max(d.Began, 1), ID: id}
	if n := len(d.Generations); n > 0 {
		g.Number = d.Generations[n-1].Number + 1
	}
	d.Generations = append(slices.Clone(d.Generations), g)
	if more := len(d.Generations) - MaxGenerations; more > 0 {
		d.Generations = d.Generations[more:]
	}
	return g
}

// First says whether the streams may have taken the place of others unknowingly:
// nothing vouches for them, and the Node that judges is in the Region's first
// generation, or no other Region has shown yet that it follows them.
func (d *Identity) First() bool {
	g := d.Self
	if n := len(d.Generations); n > 0 && g == (Generation{}) {
		g = d.Generations[n-1]
	}
	return !d.Vouched && (g.Number <= max(d.Began, 1) || !d.Followed)
}

// lost says whether the Region was in a generation that it doesn't know: one
// that came after what was put back, or of a copy that goes on elsewhere.
func (d *Identity) lost(g Generation) bool {
	if len(d.Generations) == 0 {
		return true
	}
	if g.Number < d.Generations[0].Number {
		return false // forgotten long ago
	}
	return !slices.Contains(d.Generations, g)
}
