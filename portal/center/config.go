package center

import (
	"cmp"
	"crypto/rand"
	"io"
	"time"
)

// Config describes an instance to Open.
type Config struct {
	Data Data // what New or NewJournaled takes; this or Records is required
	// Records are what NewStored takes. They count if Data has no Regions.
	Records []Record
	// Journal stores the updates. Nil: they are not stored, and Data must keep the rules of New.
	Journal Journal
	// Now is the clock of the dates that updates set. Nil: time.Now.
	Now func() time.Time
	// Support says what an application works with. An application that doesn't work with what the instance has can't be
	// put, and prevents a customer-managed key and additional Regions: see Snapshot.Deployable and Snapshot.CustomerKey.
	// It must be a pure function, safe for concurrent use, and the same in every Region. Nil: every application works
	// with everything, as links do.
	Support func(Application) AppSupport
	// Rand makes the IDs of new permission sets. It must be safe for concurrent use. Nil: crypto/rand.Reader.
	Rand io.Reader
}

// Open is New, or NewJournaled or NewStored if there is a Journal, with a clock and a source of randomness.
func Open(c Config) (*Instance, error) { return c.open(c.Journal == nil) }

// open makes an instance. Only one that is new must keep the rules for new elements: one that was stored may differ,
// and must still start.
func (c Config) open(isNew bool) (*Instance, error) {
	s, err := c.snapshot(isNew)
	if err != nil {
		return nil, err
	}
	s.support = c.Support
	i := &Instance{journal: c.Journal, now: c.Now, rand: cmp.Or(c.Rand, rand.Reader)}
	if i.now == nil {
		i.now = time.Now
	}
	i.current.Store(s)
	return i, nil
}

func (c Config) snapshot(isNew bool) (*Snapshot, error) {
	if len(c.Data.Regions) > 0 || len(c.Records) == 0 {
		return newSnapshot(c.Data.Clone(), isNew)
	}
	d := newDraft(emptySnapshot())
	if err := d.merge(c.Records); err != nil {
		return nil, err
	}
	return d.finish(isNew)
}
