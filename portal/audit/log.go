package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Class is a kind of events with files and a size of its own. Events of one class never displace those of another.
type Class string

// The classes.
const (
	Changes  Class = "changes"  // of the configuration, by operators, of keys, and of this log itself
	Access   Class = "access"   // sign-ins, sessions, their ends, and credentials, of users who proved who they are
	Refusals Class = "refusals" // what clients who proved nothing can cause
	Remote   Class = "remote"   // changes that additional Regions made, in the other Regions
)

var classes = [...]Class{Changes, Access, Refusals, Remote}

// A Log writes the events of one Region. It is safe for concurrent use. A nil Log writes nothing.
type Log struct {
	cfg    Config
	ctx    context.Context // ends in Close, after the last write
	cancel context.CancelFunc
	lock   *os.File
	chains map[Class]*chain
	quota  *quota
	alerts *alerts

	closing chan struct{} // closed when Close begins
	close   sync.Once
	writers sync.WaitGroup
	ticker  sync.WaitGroup

	mu       sync.Mutex
	exported Position // guarded by mu
}

// Position is how far something is in the events of each class: the number of the last event.
type Position map[Class]uint64

// Open opens the Log of a directory. It cuts what a crash left half written at the end of a file, and writes an event
// that says so. The error is an *Error: ReasonConfig, ReasonLocked, ReasonKey or ReasonUnavailable.
func Open(cfg Config) (*Log, error) {
	cfg.defaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, dirPerm); err != nil {
		return nil, unavailable("directory "+cfg.Dir, err)
	}
	l := &Log{cfg: cfg, chains: map[Class]*chain{}, closing: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.quota, l.alerts = newQuota(&l.cfg), newAlerts(l)
	if err := l.open(); err != nil {
		l.cancel()
		l.unlock()
		return nil, err
	}
	for _, k := range l.cfg.Keys {
		k.attach(l)
	}
	l.ticker.Go(l.ticks)
	return l, nil
}

func (l *Log) open() (err error) {
	path := filepath.Join(l.cfg.Dir, "lock")
	if l.lock, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, filePerm); err != nil {
		return unavailable("lock of "+l.cfg.Dir, err)
	}
	switch locked, err := lockFile(l.lock); {
	case err != nil:
		return unavailable("lock of "+l.cfg.Dir, err)
	case !locked:
		return newError(ReasonLocked, "directory", "one that no other Log writes to", l.cfg.Dir)
	}
	if err := l.loadExported(); err != nil {
		return err
	}
	limits := map[Class]int64{Changes: l.cfg.MaxChanges, Access: l.cfg.MaxAccess, Refusals: l.cfg.MaxRefusals,
		Remote: l.cfg.MaxRemote}
	cuts := map[Class]int{}
	for _, class := range classes {
		c := l.newChain(class, limits[class])
		if cuts[class], err = c.load(); err != nil {
			return err
		}
		l.chains[class] = c
	}
	for _, class := range classes {
		l.writers.Go(l.chains[class].run)
	}
	for class, n := range cuts {
		if n > 0 {
			l.cfg.Logger.Warn("audit: end of a file cut, which a crash left half written", "class", class, "bytes", n)
			l.own("AuditLogCut", map[string]string{"class": string(class), "bytes": strconv.Itoa(n)})
		}
	}
	return nil
}

// Close writes what waits, and ends the Log.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.close.Do(func() {
		close(l.closing)
		l.ticker.Wait()
		l.writeCounts(true)
		for _, k := range l.cfg.Keys {
			k.detach(l)
		}
		for _, c := range l.chains {
			c.close()
		}
		l.writers.Wait()
		l.cancel()
		l.unlock()
	})
	return nil
}

func (l *Log) unlock() {
	if l.lock != nil {
		if err := errors.Join(unlockFile(l.lock), l.lock.Close()); err != nil {
			l.cfg.Logger.Warn("audit: lock not released", "error", err)
		}
	}
}

// Region returns the Region that writes, or "" of a nil Log.
func (l *Log) Region() string {
	if l == nil {
		return ""
	}
	return l.cfg.Region
}

// Change writes an event of Changes. It returns when the event is on disk; until then it waits three seconds at most,
// whether or not ctx ends, which only says who the client is (WithClient). The error is an *Error. With ReasonKey and
// ReasonUnavailable the event is kept in memory, and written when that is possible: don't write it again.
func (l *Log) Change(ctx context.Context, e Event) error { return l.write(Changes, e.from(ctx)) }

// Access writes an event of Access, as Change does. Above Config.AccessPerHour the events of one user are counted
// instead.
func (l *Log) Access(ctx context.Context, e Event) error {
	if l == nil || !l.quota.access(e) {
		return nil
	}
	return l.write(Access, e.from(ctx))
}

// Grant is Access for what gives access. The caller gives it only if there is no error: the error is nil, except with
// Config.Required. As after Access, the event may be written later, although the access was refused.
func (l *Log) Grant(ctx context.Context, e Event) error {
	if err := l.Access(ctx, e); l != nil && l.cfg.Required {
		return err
	}
	return nil
}

// Refused queues an event of Refusals, and doesn't wait: no client can delay another one by what it has refused. Above
// the quota (Config.RefusalsPerHour) the event is counted instead. The quota counts by the client's address: that of
// WithClient, or ClientAddr.
func (l *Log) Refused(ctx context.Context, e Event) {
	if l == nil {
		return
	}
	e = e.from(ctx)
	client := e.ClientAddr
	l.alerts.refused(e.ErrorCode)
	l.observe(ObservedRefusals, e.ErrorCode, 1)
	if !l.quota.refusal(client, e.ErrorCode) {
		return
	}
	line, err := l.line(e)
	if err == nil {
		err = l.chains[Refusals].put(&entry{lines: [][]byte{line}})
	}
	if err != nil {
		l.quota.more(client, e.ErrorCode)
	}
}

// Once writes the events of one change, all or none, once: a call with a position that is not after that of an earlier
// one has no effect, also after a restart. Stream names a sequence of changes, such as a Region's configuration, and at
// most a few hundred are known. At position 0 it writes them each time. It waits as Change does, but keeps nothing
// after an error: call it again.
func (l *Log) Once(stream string, at uint64, events ...Event) error {
	return l.once(Changes, stream, at, events)
}

// Remote is Once for changes that an additional Region made, in another Region: events of the class Remote. A Region
// may have Config.RemotePerHour of them in an hour. More are counted instead, and then their position doesn't count: a
// Region that an attacker controls can't use up the room of other events.
func (l *Log) Remote(region, stream string, at uint64, events ...Event) error {
	if l == nil || !l.quota.remote(region, len(events)) {
		return nil
	}
	err := l.once(Remote, stream, at, events)
	if err != nil {
		l.quota.remoteFailed(region, len(events))
	}
	return err
}

func (l *Log) once(class Class, stream string, at uint64, events []Event) error {
	if l == nil || len(events) == 0 {
		return nil
	}
	x := &entry{once: true}
	if at > 0 {
		x.mark, x.at = stream, at
	}
	for _, e := range events {
		line, err := l.line(e)
		if err != nil {
			return err
		}
		x.lines = append(x.lines, line)
	}
	return l.wait(l.chains[class], x)
}

// Reached returns the last position of Once or Remote for a stream, or 0.
func (l *Log) Reached(stream string) uint64 {
	if l == nil {
		return 0
	}
	return max(l.chains[Changes].mark(stream), l.chains[Remote].mark(stream))
}

func (l *Log) write(class Class, e Event) error {
	if l == nil {
		return nil
	}
	line, err := l.line(e)
	if err != nil {
		return err
	}
	return l.wait(l.chains[class], &entry{lines: [][]byte{line}})
}

func (l *Log) wait(c *chain, e *entry) error {
	e.done = make(chan error, 1)
	if err := c.put(e); err != nil {
		l.failed(c.class, 1, err)
		return err
	}
	late := time.NewTimer(l.cfg.wait - c.writing()) // a disk that doesn't answer delays the first callers only
	defer late.Stop()
	select {
	case err := <-e.done:
		return err
	case <-late.C:
		err := unavailable("write of an event", errors.New("the disk did not answer in time"))
		l.cfg.Logger.Error("audit: event not written yet", "class", c.class, "error", err)
		return err
	}
}

// own queues an event about the Log itself.
func (l *Log) own(name string, about map[string]string) {
	line, err := l.line(Event{
		Source: SourceSSO, Name: name, ClientAddr: SourceSSO, UserAgent: SourceSSO, Identity: Service(), Additional: about,
	})
	if err == nil {
		err = l.chains[Changes].put(&entry{lines: [][]byte{line}})
	}
	if err != nil {
		l.cfg.Logger.Error("audit: event not written", "event", name, "error", err)
	}
}

// wrote notes the result of a write.
func (l *Log) wrote(class Class, batch []*entry, err error) {
	n := 0
	for _, e := range batch {
		n += len(e.lines)
	}
	if n == 0 {
		return
	}
	if err != nil {
		l.failed(class, n, err)
		return
	}
	l.observe(ObservedEvents, string(class), float64(n))
}

func (l *Log) failed(class Class, n int, err error) {
	l.cfg.Logger.Error("audit: events not written", "class", class, "events", n, "error", err)
	l.alerts.failed(n)
	l.observe(ObservedFailed, string(class), float64(n))
}

// removed notes that a file was removed to make room.
func (l *Log) removed(class Class, first, last uint64) {
	l.mu.Lock()
	exported := l.exported[class]
	l.mu.Unlock()
	lost := uint64(0)
	if last > exported {
		lost = last - max(exported, first-1)
	}
	l.cfg.Logger.Info("audit: oldest events removed", "class", class, "first", first, "last", last, "not exported", lost)
	l.observe(ObservedRemoved, string(class), float64(last-first+1))
	if lost == 0 {
		return
	}
	l.observe(ObservedLost, string(class), float64(lost))
	if class == Refusals {
		return
	}
	l.alerts.lost(int(min(lost, 1<<30)))
	l.own("AuditEventsLost", map[string]string{
		"class": string(class), "first": fmt.Sprint(first), "last": fmt.Sprint(last), "notExported": fmt.Sprint(lost),
	})
}

// keyError returns an error if the Sealer says that its key can't be used now.
func (l *Log) keyError() *Error {
	if c, ok := l.cfg.Sealer.(interface{ Check(context.Context) error }); ok {
		if err := c.Check(l.ctx); err != nil {
			return &Error{Reason: ReasonKey, Rule: "key of the Region", Want: "one that may be used", Err: err}
		}
	}
	return nil
}

// pause waits, or until Close begins.
func (l *Log) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.closing:
	}
}

// isClass reports whether a class exists.
func isClass(c Class) bool { return slices.Contains(classes[:], c) }
