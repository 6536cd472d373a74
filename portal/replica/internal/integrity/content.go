package integrity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"strings"
)

// An Item is the hash of one message: its subject, its expiry and what it says,
// opened. Where it is kept and how it was sealed make no difference.
type Item [32]byte

// HashItem hashes a message. until is when it expires, in seconds of Unix time;
// 0: never.
func HashItem(subject string, until int64, plain []byte) Item {
	h := sha256.New()
	var n [8]byte
	for _, v := range []uint64{uint64(len(subject)), uint64(until)} {
		binary.BigEndian.PutUint64(n[:], v)
		h.Write(n[:])
	}
	h.Write([]byte(subject))
	h.Write(plain)
	return Item(h.Sum(nil))
}

// A Message is one message of a stream on its way into a Content.
type Message struct {
	// Store names the original stream. Messages of another store than the last
	// one are of a stream that this one replaced.
	Store string
	// Read counts how often the original was read from its start. In the
	// original itself it is 0. A copy keeps what an earlier read left.
	Read uint64
	// Seq is the sequence in the original.
	Seq     uint64
	Subject string
	Until   int64 // when it expires, in seconds of Unix time; 0: never
	Item    Item
	// Replaces is set on the last message of a whole state: the subject of its
	// first message. All before that no longer counts. "": replaces nothing.
	Replaces string
}

// bucketSeconds is the width of the intervals in which expiries are summed.
const bucketSeconds = 600

// never is the bucket of what doesn't expire.
const never = int64(-1)

// A Content is the live content of one stream, as one place has it: the last
// message of each subject.
type Content struct {
	store string
	read  uint64
	key   []byte
	last  uint64 // the sequence of the last message
	floor uint64 // what is before has been replaced by a whole state
	held  map[subjectKey]held
	sums  Sums
	count Counts
}

// subjectKey stands for a subject, and takes less memory.
type subjectKey [16]byte

type held struct {
	seq   uint64
	until int64
	item  Item
}

// NewContent returns an empty Content.
func NewContent() *Content {
	c := &Content{}
	c.reset("", 0)
	return c
}

func (c *Content) reset(store string, read uint64) {
	key := sha256.Sum256([]byte("meridian digest of " + store))
	*c = Content{store: store, read: read, key: key[:], held: map[subjectKey]held{}, sums: Sums{}, count: Counts{}}
}

func keyOf(subject string) subjectKey {
	h := sha256.Sum256([]byte(subject))
	return subjectKey(h[:16])
}

// Begin takes note that a stream is read from its start: what was there before
// no longer counts. It does nothing if that is known.
func (c *Content) Begin(store string, read uint64) {
	if store != c.store || read > c.read {
		c.reset(store, read)
	}
}

// Add takes a message in. The messages of one read come in the order of the
// stream; one that comes again makes no difference.
func (c *Content) Add(m Message) {
	if m.Store == c.store && m.Read < c.read {
		return // left by an earlier read
	}
	c.Begin(m.Store, m.Read)
	c.last = max(c.last, m.Seq)
	k := keyOf(m.Subject)
	if old, ok := c.held[k]; ok && old.seq > m.Seq || m.Seq < c.floor {
		return
	}
	c.drop(k)
	c.held[k] = held{m.Seq, m.Until, m.Item}
	c.sums.add(bucket(m.Until), c.weigh(k, m.Item))
	c.count.add(bucket(m.Until), 1)
	if m.Replaces != "" {
		if first, ok := c.held[keyOf(m.Replaces)]; ok {
			c.replaceBefore(first.seq)
		}
	}
}

func (c *Content) replaceBefore(seq uint64) {
	c.floor = max(c.floor, seq)
	for k, h := range c.held {
		if h.seq < seq {
			c.drop(k)
		}
	}
}

func (c *Content) drop(k subjectKey) {
	if h, ok := c.held[k]; ok {
		c.sums.remove(bucket(h.until), c.weigh(k, h.item))
		c.count.add(bucket(h.until), -1)
		delete(c.held, k)
	}
}

// weigh is what a message adds to a sum. Outsiders don't know the key, so they
// can't make messages whose sums agree.
func (c *Content) weigh(k subjectKey, item Item) Sum {
	h := hmac.New(sha256.New, c.key)
	h.Write(k[:])
	h.Write(item[:])
	return Sum(h.Sum(nil))
}

// Forget lets go of what expired before an instant, in seconds of Unix time.
func (c *Content) Forget(before int64) {
	for k, h := range c.held {
		if h.until != 0 && h.until < before {
			c.drop(k)
		}
	}
}

// At is the position of the last message: the store and the sequence there.
func (c *Content) At() (store string, seq uint64) { return c.store, c.last }

// Read is which read of the original this is.
func (c *Content) Read() uint64 { return c.read }

// Len is how many messages count.
func (c *Content) Len() int { return len(c.held) }

// Item returns the message of a subject that counts, and its sequence.
func (c *Content) Item(subject string) (seq uint64, item Item, ok bool) {
	h, ok := c.held[keyOf(subject)]
	return h.seq, h.item, ok
}

// Sum is the sum of all that lives at least until the cutoff.
func (c *Content) Sum(cutoff int64) Sum { return c.sums.Beyond(cutoff) }

// Mark is how far the stream is and what it holds.
func (c *Content) Mark() Mark {
	return Mark{Store: c.store, Last: c.last, Sums: c.sums.clone(), Counts: maps.Clone(c.count)}
}

// ReplacedBy is the subject of the first message of a whole state, given that
// of its last message: they differ in the number after the last dot.
func ReplacedBy(last string) string { return last[:strings.LastIndex(last, ".")+1] + "0" }
