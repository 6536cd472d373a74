package audit

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A chain is the files of one class of events. One goroutine writes them. Classes share nothing: a class that is full
// or slow delays no other.
type chain struct {
	log   *Log
	class Class
	max   int64 // bytes on disk
	each  int64 // bytes of one file

	mu     sync.Mutex // guards queue to busy, and marks
	wake   *sync.Cond
	queue  []*entry
	queued int // bytes
	closed bool
	files  []file    // the last is the current one
	next   uint64    // number of the next event
	busy   time.Time // since when the writer writes; zero: it waits
	marks  map[string]uint64

	// Only the writer uses these.
	out   *os.File // the current file; nil: the next write begins one
	began time.Time
	held  []*entry // could not be written
	again bool     // whether another attempt is on its way
}

// An entry is what one call wrote: one event or several, all or none.
type entry struct {
	lines [][]byte
	size  int
	mark  string // with at: see Log.Once
	at    uint64
	once  bool       // not kept after an error
	done  chan error // nil: no caller waits
}

// Limits of what waits in memory, of each class.
const (
	maxQueued      = 8192
	maxQueuedBytes = 8 << 20
	maxHeld        = 1000
	maxFiles       = 4096
	retryEvery     = time.Second
)

const dirPerm, filePerm = 0o700, 0o600

func (l *Log) newChain(class Class, limit int64) *chain {
	c := &chain{log: l, class: class, max: limit, each: min(limit/8, 8<<20), next: 1, marks: map[string]uint64{}}
	c.wake = sync.NewCond(&c.mu)
	return c
}

func (c *chain) path(first uint64) string {
	return filepath.Join(c.log.cfg.Dir, fmt.Sprintf("%s-%020d.log", c.class, first))
}

// put queues an entry. It never waits.
func (c *chain) put(e *entry) error {
	for _, line := range e.lines {
		e.size += len(line) + 1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return newError(ReasonClosed, "event", "a Log that is open", "")
	case e.size > maxBlock:
		return newError(ReasonEvent, "events of one call", fmt.Sprintf("at most %d bytes", maxBlock), fmt.Sprint(e.size))
	case len(c.queue) >= maxQueued || c.queued+e.size > maxQueuedBytes:
		return newError(ReasonBusy, "event of "+string(c.class), fmt.Sprintf("at most %d that wait", maxQueued), "more")
	}
	c.queue, c.queued = append(c.queue, e), c.queued+e.size
	c.wake.Signal()
	return nil
}

// take waits for entries, and returns all of them, up to the size of a block. ok is false when the chain is closed and
// everything is taken.
func (c *chain) take() (batch []*entry, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) == 0 && !c.closed {
		c.wake.Wait()
	}
	size := 0
	for len(c.queue) > 0 && (len(batch) == 0 || size+c.queue[0].size <= maxBlock) {
		size += c.queue[0].size
		c.queued -= c.queue[0].size
		batch, c.queue = append(batch, c.queue[0]), c.queue[1:]
	}
	return batch, len(batch) > 0 || !c.closed
}

func (c *chain) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.wake.Broadcast()
}

// run writes what is queued until the chain is closed. All entries that wait while the disk works share the next write
// and its fsync.
func (c *chain) run() {
	for {
		batch, ok := c.take()
		if !ok {
			break
		}
		c.setBusy(time.Now())
		c.writeAll(batch)
		c.setBusy(time.Time{})
		if c.class == Refusals { // at most one fsync in that time, whatever clients send
			c.log.pause(c.log.cfg.rest)
		}
	}
	if err := c.writeHeld(); err != nil {
		c.log.cfg.Logger.Error("audit: events lost", "class", c.class, "entries", len(c.held), "error", err)
	}
	if c.out != nil {
		if err := c.out.Close(); err != nil {
			c.log.cfg.Logger.Error("audit: file not closed", "class", c.class, "error", err)
		}
	}
}

func (c *chain) setBusy(since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = since
}

// writing returns how long the writer has been at its current write.
func (c *chain) writing() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy.IsZero() {
		return 0
	}
	return time.Since(c.busy)
}

// writeAll writes a batch, after what could not be written before.
func (c *chain) writeAll(batch []*entry) {
	err := c.writeHeld()
	if err == nil {
		err = c.write(batch)
	}
	c.log.wrote(c.class, batch, err) // before a caller is told of a failure, so that its alert is there
	for _, e := range batch {
		switch {
		case len(e.lines) == 0: // of retry
			c.again = false
		case err != nil && len(c.held) < maxHeld && c.class != Refusals && !e.once:
			c.held = append(c.held, e)
		}
		if e.done != nil {
			e.done <- err
		}
	}
	c.retry()
}

// retry wakes the writer again, as long as there is something that could not be written.
func (c *chain) retry() {
	if len(c.held) == 0 || c.again {
		return
	}
	c.again = true
	time.AfterFunc(retryEvery, func() { _ = c.put(&entry{}) }) // a closed chain has had its last attempt
}

// writeHeld writes what could not be written before.
func (c *chain) writeHeld() error {
	for len(c.held) > 0 {
		n, size := 0, 0
		for n < len(c.held) && (n == 0 || size+c.held[n].size <= maxBlock) {
			size += c.held[n].size
			n++
		}
		if err := c.write(c.held[:n]); err != nil {
			return err
		}
		c.log.cfg.Logger.Info("audit: kept events are written", "class", c.class, "entries", n)
		c.held = c.held[n:]
	}
	c.held = nil
	return nil
}

// write writes entries as one block, and returns when it is on disk. After an error nothing of it is there, as far as
// the disk allows.
func (c *chain) write(batch []*entry) error {
	var lines [][]byte
	marks := map[string]uint64{}
	for _, e := range batch {
		if e.mark != "" {
			if e.at <= max(c.mark(e.mark), marks[e.mark]) {
				continue // it is written already
			}
			marks[e.mark] = e.at
		}
		lines = append(lines, e.lines...)
	}
	if len(lines) == 0 {
		return nil
	}
	if err := c.rotate(); err != nil {
		return err
	}
	if c.out == nil { // only the writer changes c.marks, so it reads them without the lock
		for name, at := range c.marks {
			marks[name] = max(marks[name], at)
		}
	}
	b, h, err := c.block(lines, marks)
	if err != nil {
		return err
	}
	if err := c.append(b, h); err != nil {
		return unavailable("write of "+string(c.class), err)
	}
	c.mu.Lock()
	maps.Copy(c.marks, marks)
	c.mu.Unlock()
	c.trim()
	return nil
}

func (c *chain) mark(name string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.marks[name]
}

// block seals events.
func (c *chain) block(lines [][]byte, marks map[string]uint64) ([]byte, head, error) {
	plain, err := json.Marshal(meta{marks})
	if err != nil {
		return nil, head{}, unavailable("block", err)
	}
	for _, line := range lines {
		plain = append(append(plain, '\n'), line...)
	}
	plain = append(plain, '\n')
	h := head{first: c.next, count: uint32(len(lines))}
	body := plain
	if s := c.log.cfg.Sealer; s != nil {
		if body, err = s.Seal(c.log.ctx, plain, c.bound(h)); err != nil {
			return nil, head{}, &Error{Reason: ReasonKey, Rule: "sealing", Want: "a key that may be used", Err: err}
		}
	}
	h.size, h.sum = uint32(len(body)), crc32.Checksum(body, castagnoli)
	return append(h.append(make([]byte, 0, headSize+len(body))), body...), h, nil
}
