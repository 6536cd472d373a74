package integrity

import (
	"slices"
	"time"
)

// MaxGenerations is how many of a Region's generations its Identity remembers. The generation in an older proof is not
// checked.
const MaxGenerations = 64

// An Identity describes a Region's streams. It is stored beside them, as JSON.
type Identity struct {
	Format int    `json:"format"` // 1, or 2 with SealedKey, so that an older version doesn't go on without the key
	Region string `json:"region"`
	// Key is not stored if SealedKey is set.
	Key Key `json:"key,omitzero"`
	// SealedKey is Key, sealed. Nil: the Region's data isn't sealed.
	SealedKey []byte `json:"sealedKey,omitempty"`
	// Began is the number of the first generation: when that was, in seconds of
	// Unix time. 0 means 1, of an earlier version.
	Began uint64 `json:"began,omitempty"`
	// Names is the key of the streams' subjects, sealed. Nil: they have none.
	Names []byte `json:"names,omitempty"`
	// Generations are the last ones, in order.
	Generations []Generation `json:"generations"`
	// Stores are the Region's own streams, by line.
	Stores map[string]string `json:"stores"`
	// Made: all streams were created. A missing one was lost.
	Made bool `json:"made,omitempty"`
	// Vouched: the operator has confirmed that these stores replace others, or they are older than the Identity.
	// Otherwise they may have replaced the stores of a lost disk.
	Vouched bool `json:"vouched,omitempty"`
	// Orphaned: the streams are older than this Identity, so their content doesn't
	// begin with it. A recovery clears it.
	Orphaned bool `json:"orphaned,omitempty"`
	// Followed: another Region has shown a message of these stores.
	Followed bool `json:"followed,omitempty"`
	// Whole: the Region's log once held a whole state.
	Whole bool `json:"whole,omitempty"`
	// Marked: there were marks beside the streams.
	Marked bool `json:"marked,omitempty"`
	// Damage describes the damage until the operator recovers the Region.
	Damage *Damage `json:"damage,omitempty"`
	// Recovery is set while the result of a recovery is beside the streams and
	// replaces them.
	Recovery *Recovery `json:"recovery,omitempty"`
	// Restoring: a start with Restored has begun, and the log doesn't say so yet.
	Restoring bool `json:"restoring,omitempty"`
	// Since is when a backup was last restored without the copies of other Regions, so that messages are missing which
	// may have ended sessions. In microseconds of Unix time. 0: never.
	Since int64 `json:"since,omitempty"`
	// Backup is the ID of the backup that the Region is being restored from. It stays until that is done.
	Backup string `json:"backup,omitempty"`
	// Self is the generation of the Node that uses this Identity. A Region may have several Nodes at once. Zero: the
	// last generation.
	Self Generation `json:"-"`
}

// Damage describes the damage of a Region's streams. Its text never contains the content of the streams.
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

// New returns the Identity of a Region that has nothing yet. now is in seconds of Unix time. Generations are numbered
// from there, after those of an earlier Identity whose disk was lost. If an older copy of that disk is restored, that
// copy's own generations show it.
func New(region string, key Key, now int64) Identity {
	return Identity{Format: 1, Region: region, Key: key, Began: uint64(max(now, 1)), Stores: map[string]string{}}
}

// Start notes a new generation and returns it. id is random.
func (d *Identity) Start(id string) Generation {
	g := Generation{Number: max(d.Began, 1), ID: id}
	if len(d.Generations) > 0 {
		g.Number = d.Latest() + 1
	}
	d.Generations = append(slices.Clone(d.Generations), g)
	d.Generations = d.Generations[max(0, len(d.Generations)-MaxGenerations):]
	return g
}

// Vouch notes that the operator has confirmed that the present streams replace the Region's earlier ones. Earlier
// generations are no evidence any more. now is in seconds of Unix time. Generations are numbered from there, after all
// before, including those that this Identity has never heard of. A copy of the disks from before this has none of the
// later generations, so it is detected if it is restored.
func (d *Identity) Vouch(now int64) {
	number := uint64(max(now, 0))
	if len(d.Generations) > 0 {
		number = max(number, d.Latest()+1)
	}
	d.Vouched, d.Damage = true, nil
	d.Generations = []Generation{{Number: number, ID: "vouched"}}
}

// Latest returns the number of the Region's last start, by any Node. 0: none.
func (d *Identity) Latest() uint64 {
	if n := len(d.Generations); n > 0 {
		return d.Generations[n-1].Number
	}
	return 0
}

// First says whether the streams may have replaced others without the operator's
// knowledge: they are not vouched for, and the Node that judges is in the Region's
// first generation or no other Region is known to follow them.
func (d *Identity) First() bool {
	number := d.Self.Number
	if d.Self == (Generation{}) {
		number = d.Latest()
	}
	return !d.Vouched && (number <= max(d.Began, 1) || !d.Followed)
}

// lost reports whether a generation of the Region is unknown to it: an older copy of the disks was restored, or a copy
// runs elsewhere.
func (d *Identity) lost(g Generation) bool {
	if len(d.Generations) == 0 {
		return true
	}
	if g.Number < d.Generations[0].Number {
		return false // forgotten long ago
	}
	return !slices.Contains(d.Generations, g)
}
