package integrity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// An Item is the hash of one message: of its subject, its expiry and its plaintext.
type Item [32]byte

// HashItem hashes a message. until is when it expires, in seconds of Unix time; 0: never.
func HashItem(subject string, until int64, plain []byte) Item {
	head := binary.BigEndian.AppendUint64(nil, uint64(len(subject)))
	head = binary.BigEndian.AppendUint64(head, uint64(until))
	return sha256.Sum256(slices.Concat(head, []byte(subject), plain))
}

// HashKeyed hashes a message with a key that the message has, sealed beside its plaintext. The hash tells nothing about
// the plaintext without the key.
func HashKeyed(key []byte, subject string, until int64, plain []byte) Item {
	plainly := HashItem(subject, until, plain)
	h := hmac.New(sha256.New, key)
	h.Write(plainly[:])
	return Item(h.Sum(nil))
}

// A Message is one message of a stream, for a Content.
type Message struct {
	// Store names the original stream. A message of another store than the last
	// one begins a stream that replaces that one.
	Store string
	// Read counts how often the original was read again from its start. In the original itself it is 0. A copy keeps
	// the messages of an earlier read.
	Read uint64
	// Seq is the sequence in the original.
	Seq     uint64
	Subject string
	Until   int64 // when it expires, in seconds of Unix time; 0: never
	Item    Item
	// Replaces is set on the last message of a whole state: the subject of its first message. All messages before that
	// one are replaced. "": none.
	Replaces string
}

// A Content is the live content of one stream in one place: the last message of
// each subject.
type Content struct {
	store string
	read  uint64
	key   []byte
	last  uint64 // the sequence of the last message
	floor uint64 // a whole state has replaced everything before this sequence
	held  map[subjectKey]held
	sums  Sums
	count Counts
}

// subjectKey is a hash of a subject. It takes less memory.
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

// Begin notes that a stream is read from its start, so that an earlier read no longer counts. It does nothing if this
// read is already noted.
func (c *Content) Begin(store string, read uint64) {
	if store != c.store || read > c.read {
		c.reset(store, read)
	}
}

// Add adds a message. The messages of one read come in the order of the stream.
// Adding one again makes no difference.
func (c *Content) Add(m Message) {
	if m.Store == c.store && m.Read < c.read {
		return // left by an earlier read
	}
	c.Begin(m.Store, m.Read)
	c.last = max(c.last, m.Seq)
	k := keyOf(m.Subject)
	if c.held[k].seq > m.Seq || m.Seq < c.floor {
		return
	}
	c.drop(k)
	c.held[k] = held{m.Seq, m.Until, m.Item}
	c.sums.add(bucket(m.Until), c.weigh(k, m.Item), 1)
	c.count.add(bucket(m.Until), 1)
	if first, ok := c.held[keyOf(m.Replaces)]; ok && m.Replaces != "" {
		c.replaceBefore(first.seq)
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
		c.sums.add(bucket(h.until), c.weigh(k, h.item), minus)
		c.count.add(bucket(h.until), -1)
		delete(c.held, k)
	}
}

// weigh returns what a message adds to a sum. It is keyed: an attacker who doesn't
// know the key can't make messages with equal sums.
func (c *Content) weigh(k subjectKey, item Item) Sum {
	h := hmac.New(sha256.New, c.key)
	h.Write(k[:])
	h.Write(item[:])
	return Sum(h.Sum(nil))
}

// Forget drops messages that expired before an instant, in seconds of Unix time.
func (c *Content) Forget(before int64) {
	for k, h := range c.held {
		if h.until != 0 && h.until < before {
			c.drop(k)
		}
	}
}

// At returns the position of the last message: the store and the sequence there.
func (c *Content) At() (store string, seq uint64) { return c.store, c.last }

// Read returns how often the original was read again from its start.
func (c *Content) Read() uint64 { return c.read }

// Item returns the message of a subject that counts, and its sequence.
func (c *Content) Item(subject string) (seq uint64, item Item, ok bool) {
	h, ok := c.held[keyOf(subject)]
	return h.seq, h.item, ok
}

// Sum returns the sum of all messages that don't expire before the cutoff.
func (c *Content) Sum(cutoff int64) Sum { return c.sums.Beyond(cutoff) }

// Mark returns the position and the sums of the stream.
func (c *Content) Mark() Mark {
	return Mark{Store: c.store, Last: c.last, Sums: maps.Clone(c.sums), Counts: maps.Clone(c.count)}
}

// ReplacedBy returns the subject of the first message of a whole state, given that
// of its last message. They differ in the number after the last dot.
func ReplacedBy(last string) string { return last[:strings.LastIndex(last, ".")+1] + "0" }
