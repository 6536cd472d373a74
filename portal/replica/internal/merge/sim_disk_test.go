package merge_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// The three streams of a Region, as package replica has them.
const (
	config = iota
	sessions
	revoked
	streams
)

// maxRegions is how many Regions a world can have.
const maxRegions = 6

// A streamID names one stream of one Region.
type streamID int

func streamOf(region, line int) streamID { return streamID(region*streams + line) }
func (s streamID) region() int           { return int(s) / streams }
func (s streamID) line() int             { return int(s) % streams }
func (s streamID) name() string          { return simLines[s.line()] }
func (s streamID) String() string        { return s.name() + " of " + simNames[s.region()] }

var simLines = []string{"config", "sessions", "revoked"}

// positions says something about each stream, by a number.
type positions [maxRegions * streams]uint64

// histories says what is known of each stream.
type histories [maxRegions * streams]spans

// A message is one message of a stream: a part of a transaction, or an entry.
// Copies share it, so it never changes.
type message struct {
	seq      uint64
	n        uint64 // counts all messages of the world, in order
	subject  string // of these, a stream keeps the last message
	until    time.Time
	tx       merge.Transaction
	kind     merge.EntryKind
	entry    merge.Entry
	item     integrity.Item
	replaces string     // a whole state: the subject of its first message
	update   *simUpdate // of which this is the last part
	// unreadable: in a format of a later version.
	unreadable bool
}

func (m *message) untilUnix() int64 {
	if m.until.IsZero() {
		return 0
	}
	return m.until.Unix()
}

// seal completes a message that is about to be written.
func (m *message) seal() *message {
	if m.tx.Of > 0 {
		m.subject = fmt.Sprintf("tx.%d.%d", m.tx.First, m.tx.Part)
		if m.tx.Full && m.tx.Part == m.tx.Of-1 {
			m.replaces = integrity.ReplacedBy(m.subject)
		}
	}
	m.item = integrity.HashItem(m.subject, m.untilUnix(), fmt.Append(nil, m.n))
	return m
}

// An origin is where a message of a copy came from: what the copy's headers say.
type origin struct {
	store   string
	read    uint64 // how often the original was read from its start again
	key     integrity.Key
	serving integrity.Generation
	latest  uint64 // the number of the Region's last generation
	history spans  // of the original, then
}

// kept is a message as one server keeps it.
type kept struct {
	*message
	local uint64    // its sequence there
	gone  time.Time // when the server drops it; zero: never
	from  *origin   // nil in the original
}

// proof shows the owner that it wrote this message.
func (k kept) proof(s streamID) *integrity.Proof {
	at := integrity.Place{Line: s.name(), Store: k.from.store, Seq: k.seq}
	return &integrity.Proof{Seq: k.seq, Item: k.item, Token: k.from.key.Prove(k.from.serving, at, k.item)}
}

// A disk is a stream as it is kept: the original, or another Region's copy.
type disk struct {
	last     uint64 // the local sequence of the last message that was written
	lastN    uint64
	messages []kept
	at       map[string]uint64 // the local sequence, by subject
	// Of a copy: where its copier is in the original.
	from *origin
	past uint64
	lost []loss // what is missing in it; it can't know
	part bool   // it is being read from its start
}

// A loss is what can't be known without a message, by number.
type loss struct {
	span
	of *message
}

func newDisk() *disk { return &disk{at: map[string]uint64{}} }

func (d *disk) clone() *disk {
	c := *d
	c.messages, c.at = slices.Clone(d.messages), maps.Clone(d.at)
	return &c
}

func (d *disk) find(local uint64) (int, bool) {
	return slices.BinarySearchFunc(d.messages, local, func(k kept, local uint64) int { return int(k.local) - int(local) })
}

// another says whether another message than the one that is proved is in its place.
func (d *disk) another(p integrity.Proof) bool {
	i, ok := d.find(p.Seq)
	return ok && d.messages[i].item != p.Item
}

// write appends a message. A whole state replaces all that precedes it.
func (d *disk) write(m *message, gone time.Time, from *origin) {
	if i, ok := d.index(m.subject); ok {
		d.messages = slices.Delete(d.messages, i, i+1)
	}
	d.last++
	d.lastN = m.n
	d.at[m.subject] = d.last
	d.messages = append(d.messages, kept{m, d.last, gone, from})
	if m.replaces == "" {
		return
	}
	if i, ok := d.index(m.replaces); ok {
		for _, k := range d.messages[:i] {
			delete(d.at, k.subject)
		}
		d.messages = slices.Delete(d.messages, 0, i)
	}
}

func (d *disk) index(subject string) (int, bool) {
	local, ok := d.at[subject]
	if !ok {
		return 0, false
	}
	return d.find(local)
}

// get returns the message of a subject.
func (d *disk) get(subject string) *message {
	if i, ok := d.index(subject); ok {
		return d.messages[i].message
	}
	return nil
}

// after returns at most so many messages after a local sequence.
func (d *disk) after(local uint64, most int) []kept {
	i, _ := d.find(local + 1)
	return d.messages[i:min(i+most, len(d.messages))]
}

// end is the local sequence of the last message that is left, where a reader
// gets to.
func (d *disk) end() uint64 {
	if len(d.messages) == 0 {
		return 0
	}
	return d.messages[len(d.messages)-1].local
}

// position is where a copy is in the original: at its last message, or further
// if its copier knows that nothing follows.
func (d *disk) position() (store string, seq uint64) {
	if d.from == nil {
		return "", 0
	}
	if n := len(d.messages); n > 0 && d.messages[n-1].from.store == d.from.store &&
		d.messages[n-1].from.read == d.from.read {
		seq = d.messages[n-1].seq
	}
	return d.from.store, max(seq, d.past)
}

// cut leaves the first few messages of a stream.
func (d *disk) cut(leave int) {
	lost := d.messages[leave:]
	for _, k := range lost {
		delete(d.at, k.subject)
	}
	d.messages = slices.Clone(d.messages[:leave])
	if len(lost) == 0 {
		return
	}
	d.past, d.from = 0, nil
	if leave > 0 {
		d.from = d.messages[leave-1].from
	}
	d.last, d.lastN = lost[0].local-1, 0
	if leave > 0 {
		d.lastN = d.messages[leave-1].n
	}
}

// lose loses one message.
func (d *disk) lose(i int) {
	delete(d.at, d.messages[i].subject)
	d.messages = slices.Delete(d.messages, i, i+1)
}

// left returns a history without what is missing.
func (d *disk) left(history spans) spans {
	for _, lost := range d.lost {
		history = history.without(lost.span)
	}
	return history
}

// incomplete says whether a node that starts finds by the copy's mark that it lacks something.
func (d *disk) incomplete() bool { return d.part || len(d.lost) > 0 }

// agrees notes that the digest of a copy is that of its owner. So nothing is missing but
// what expires before the cutoff, which the digest leaves out, and which nothing has
// replaced.
func (d *disk) agrees(cutoff int64) {
	d.lost = slices.DeleteFunc(slices.Clone(d.lost), func(l loss) bool {
		return l.of.until.IsZero() || l.of.untilUnix() >= cutoff || d.get(l.of.subject) != nil
	})
}

// expire drops what is old.
func (d *disk) expire(now time.Time) {
	d.messages = slices.DeleteFunc(d.messages, func(k kept) bool {
		old := !k.gone.IsZero() && k.gone.Before(now)
		if old {
			delete(d.at, k.subject)
		}
		return old
	})
}

// contiguous says whether a log has no hole.
func (d *disk) contiguous() bool {
	return len(d.messages) == 0 || d.last-d.messages[0].local+1 == uint64(len(d.messages))
}
