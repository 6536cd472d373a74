package audit

import "time"

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
