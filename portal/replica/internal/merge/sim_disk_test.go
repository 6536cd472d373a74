package merge_test

import (
	"fmt"
	"slices"
	"time"

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

func (s streamID) String() string {
	return fmt.Sprint([]string{"config", "sessions", "revoked"}[s.line()], " of ", simNames[s.region()])
}

// positions says something about each stream, by a number of a message.
type positions [maxRegions * streams]uint64

// A message is one message of a stream: a part of a transaction, or an entry.
// Copies share it, so it never changes.
type message struct {
	seq     uint64
	n       uint64 // counts all messages of the world, in order
	subject string // of these, a stream keeps the last message; "": all
	until   time.Time
	tx      merge.Transaction
	kind    merge.EntryKind
	entry   merge.Entry
}

// ends says whether a message ends sessions.
func (m *message) ends() bool {
	switch m.kind {
	case merge.EntryEnded, merge.EntryRevoked, merge.EntrySignedOut, merge.EntryUser:
		return true
	}
	return false
}

// kept is a message as one server keeps it.
type kept struct {
	*message
	gone time.Time // when the server lets go of it; zero: never
}

// A disk is a stream as it is kept: the original, or another Region's copy.
type disk struct {
	last     uint64 // the sequence of the last message that was written
	lastN    uint64
	messages []kept
	at       map[string]uint64 // the sequence, by subject
}

func newDisk() *disk { return &disk{at: map[string]uint64{}} }

func (d *disk) find(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(d.messages, seq, func(k kept, seq uint64) int { return int(k.seq) - int(seq) })
}

func (d *disk) write(m *message, gone time.Time) {
	if m.subject != "" {
		if seq, ok := d.at[m.subject]; ok {
			if i, ok := d.find(seq); ok {
				d.messages = slices.Delete(d.messages, i, i+1)
			}
		}
		d.at[m.subject] = m.seq
	}
	d.last, d.lastN = m.seq, m.n
	d.messages = append(d.messages, kept{m, gone})
	if m.tx.Full && m.tx.Part == m.tx.Of-1 { // stands for all that is before it
		i, _ := d.find(m.tx.First)
		d.messages = slices.Delete(d.messages, 0, i)
	}
}

// get returns the message that stands under a subject.
func (d *disk) get(subject string) *message {
	if i, ok := d.find(d.at[subject]); ok {
		return d.messages[i].message
	}
	return nil
}

// after returns at most so many messages after a sequence.
func (d *disk) after(seq uint64, most int) []kept {
	i, _ := d.find(seq + 1)
	return d.messages[i:min(i+most, len(d.messages))]
}

// end is the sequence of the last message that is left, where a reader gets to.
func (d *disk) end() uint64 {
	if len(d.messages) == 0 {
		return 0
	}
	return d.messages[len(d.messages)-1].seq
}

// cut leaves the first few messages.
func (d *disk) cut(leave int) {
	d.messages = d.messages[:leave]
	d.last, d.lastN = 0, 0
	if leave > 0 {
		d.last, d.lastN = d.messages[leave-1].seq, d.messages[leave-1].n
	}
	d.index()
}

func (d *disk) index() {
	clear(d.at)
	for _, k := range d.messages {
		if k.subject != "" {
			d.at[k.subject] = k.seq
		}
	}
}

// expire lets go of what is old.
func (d *disk) expire(now time.Time) {
	before := len(d.messages)
	d.messages = slices.DeleteFunc(d.messages, func(k kept) bool { return !k.gone.IsZero() && k.gone.Before(now) })
	if len(d.messages) < before {
		d.index()
	}
}
