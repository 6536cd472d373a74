package merge_test

import (
	"maps"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// The three streams of a Region, as package replica has them.
const (
	config = iota
	sessions
	revoked
	streams
)

// A streamOf names one stream of one Region.
type streamOf struct {
	region string
	stream int
}

// A message is one message of a stream: a part of a transaction, or an entry.
type message struct {
	seq     uint64
	subject string // of these, a stream keeps the last message; "": all
	until   time.Time
	tx      merge.Transaction
	kind    merge.EntryKind
	entry   merge.Entry
}

// A disk is a stream as it is kept: the original, or another Region's copy.
type disk struct {
	last     uint64
	messages []message
}

func (d *disk) write(m message) {
	if m.subject != "" {
		d.messages = slices.DeleteFunc(d.messages, func(old message) bool { return old.subject == m.subject })
	}
	d.last = m.seq
	d.messages = append(d.messages, m)
	if m.tx.Full && m.tx.Part == m.tx.Of-1 { // stands for all that is before it
		d.messages = slices.DeleteFunc(d.messages, func(old message) bool { return old.seq < m.tx.First })
	}
}

// follows returns at most so many messages after a sequence.
func (d *disk) follows(after uint64, most int) []message {
	i, _ := slices.BinarySearchFunc(d.messages, after+1, func(m message, seq uint64) int { return int(m.seq) - int(seq) })
	return slices.Clone(d.messages[i:min(i+most, len(d.messages))])
}

// A simRegion is a Region: what is on its disks, and what is in memory while it
// is up.
type simRegion struct {
	name   string
	offset time.Duration // of its clock
	disks  map[streamOf]*disk
	asked  map[streamOf]uint64 // the question that is open, by its number

	up      bool
	memory  *region
	parts   map[string]*merge.Assembler // by whose log it is
	read    map[streamOf]uint64         // how far it was read
	heard   map[streamOf]uint64         // up to where all has taken effect for sure
	goal    map[streamOf]goal           // where it will have
	touched []merge.Name                // not shown yet
	writing *simWrite
	signIns []simSession // that were proved, and have no session yet
	swept   time.Time
}

// A goal is where a Region has read all of an answer that left nothing out: only
// then is it sure to know all that is before. A message in the middle may be one
// whose place a later message took.
type goal struct{ read, heard uint64 }

// A simWrite is a transaction on its way to the disk, part by part. Nothing else
// changes the directory meanwhile.
type simWrite struct {
	whole   arrival
	parts   []merge.Transaction
	changes []center.Record
}

func newSimRegion(name string) *simRegion {
	r := &simRegion{name: name, disks: map[streamOf]*disk{}, asked: map[streamOf]uint64{}}
	for _, from := range regions {
		for stream := range streams {
			r.disks[streamOf{from, stream}] = &disk{}
		}
	}
	return r
}

// crash loses what is in memory. keep says how many messages to keep of a copy
// that is flushed in the background.
func (r *simRegion) crash(keep func(of int) int) {
	r.up, r.memory, r.parts, r.read, r.heard, r.goal, r.touched, r.writing, r.signIns = false, nil, nil, nil, nil, nil, nil, nil, nil
	clear(r.asked)
	for _, from := range regions {
		d := r.disks[streamOf{from, sessions}]
		if from != r.name && len(d.messages) > 0 {
			d.messages = d.messages[:keep(len(d.messages))]
			d.last = 0
			if n := len(d.messages); n > 0 {
				d.last = d.messages[n-1].seq
			}
		}
	}
}

// start reads all that is on disk.
func (r *simRegion) start() {
	r.up, r.memory, r.parts = true, newRegion(r.name), map[string]*merge.Assembler{}
	r.read, r.heard, r.goal = map[streamOf]uint64{}, map[streamOf]uint64{}, map[streamOf]goal{}
	for _, from := range regions {
		r.parts[from] = &merge.Assembler{}
		for stream := range streams {
			s := streamOf{from, stream}
			if from == r.name {
				r.goal[s] = goal{0, r.disks[s].last}
			}
			r.apply(s, len(r.disks[s].messages))
		}
	}
	r.show()
}

// apply takes the next few messages of a stream from disk into memory.
func (r *simRegion) apply(s streamOf, most int) {
	for _, m := range r.disks[s].follows(r.read[s], most) {
		if s.stream != config {
			r.memory.hear(arrival{region: s.region, kind: m.kind, entry: m.entry})
		} else if whole, ok := r.parts[s.region].Add(m.seq, m.tx); ok {
			r.touched = append(r.touched, r.memory.hear(arrival{region: s.region, tx: &whole})...)
			r.heard[s] = m.seq
		}
		r.read[s] = m.seq
	}
	if g := r.goal[s]; s.stream != config && r.read[s] >= g.read {
		r.heard[s] = max(r.heard[s], g.heard)
	}
}

// may is how far a stream may have taken effect.
func (r *simRegion) may() map[streamOf]uint64 {
	out := maps.Clone(r.read)
	for _, from := range regions { // a transaction does when its last part is read
		out[streamOf{from, config}] = r.heard[streamOf{from, config}]
	}
	return out
}

func (r *simRegion) show() {
	r.memory.dir.Changes(r.touched)
	r.touched = nil
}

func (r *simRegion) expire(now time.Time) {
	for _, from := range regions {
		for stream := range streams {
			d := r.disks[streamOf{from, stream}]
			d.messages = slices.DeleteFunc(d.messages, func(m message) bool { return !m.until.IsZero() && m.until.Before(now) })
		}
	}
}

// shows is what the Region's instance was told of an element.
func (r *simRegion) shows(kind center.Kind, key string) string {
	for _, c := range r.memory.dir.Records() {
		if c.Kind == kind && c.Key == key {
			return string(c.Value)
		}
	}
	return ""
}

// owner is the Region of an application, as it is known here.
func (r *simRegion) owner(app string) string {
	return center.Record{Kind: center.KindApplication, Value: []byte(r.shows(center.KindApplication, app))}.Owner()
}
