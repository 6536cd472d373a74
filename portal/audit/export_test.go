package audit

import (
	"hash/crc32"
	"time"
)

// Small makes a Config for tests: small classes, and refusals without a rest.
func Small(cfg Config) Config {
	cfg.atLeast, cfg.rest = 1, time.Millisecond
	return cfg
}

// Tick does what a Log does by its clock: counts, sizes and rules.
func (l *Log) Tick() {
	l.tick()
	l.writeCounts(true)
}

// Blocks returns how many blocks a class has on disk.
func (l *Log) Blocks(c Class) (n int) {
	files, _ := l.chains[c].snapshot()
	for _, f := range files {
		good, _, _ := f.load()
		n += len(good)
	}
	return n
}

// Flush waits until everything that is queued is written.
func (l *Log) Flush() {
	for _, c := range l.chains {
		done := make(chan error, 1)
		_ = c.put(&entry{done: done})
		<-done
	}
}

// A Part is a part of a file.
type Part struct {
	From, To int
	First    uint64
	Count    uint32
	Body     []byte
}

// Parts returns the parts of a file's content.
func Parts(b []byte) (out []Part) {
	for _, p := range parts(b) {
		out = append(out, Part{p.from, p.to, p.first, p.count, p.body})
	}
	return out
}

// Block returns a block with a body.
func Block(first uint64, count uint32, body []byte) []byte {
	h := head{first: first, count: count, size: uint32(len(body)), sum: crc32.Checksum(body, castagnoli)}
	return append(h.append(nil), body...)
}
