package center

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Update is the one door for writes. It calls change with a transaction on a
// copy, checks the outcome as a whole, and puts it in place; if change returns
// an error, if the transaction refused anything, or if the outcome breaks a
// rule, nothing happens and that error is returned.
//
// Each method of Tx says where it may be called. Anything but an application
// is written in the primary Region only: elsewhere the error's Reason is
// ReasonNotPrimary and it names the primary.
//
// Every update copies and checks the whole instance, so many changes belong
// into one update. change must not keep the transaction, and must not call
// Update. It may be called more than once: if the instance turns out to have
// changed meanwhile, all is done again on what is there by then.
func (v *View) Update(change func(*Tx) error) error {
	for attempt := range maxAttempts {
		if err := v.try(change); !errors.Is(err, ErrConflict) {
			return err
		}
		// What is in the way waits for the writing lock, or is about to.
		time.Sleep(min(time.Duration(attempt)*time.Millisecond, 20*time.Millisecond))
	}
	return fmt.Errorf("%w, in each of %d attempts", ErrConflict, maxAttempts)
}

// maxAttempts bounds how long an update competes with others, to about seven
// seconds: longer than a Journal waits for one that has no answer.
const maxAttempts = 350

func (v *View) try(change func(*Tx) error) error {
	i := v.instance
	i.writing.Lock()
	defer i.writing.Unlock()
	before := i.Snapshot()
	tx := &Tx{data: before.Data(), region: v.region}
	if err := change(tx); err != nil {
		return err
	}
	if tx.err != nil {
		return tx.err
	}
	if !tx.changed {
		return nil
	}
	if err := tx.back(); err != nil {
		return err
	}
	s, err := newSnapshot(tx.data)
	if err != nil {
		return err
	}
	if err := checkNewNames(before, s); err != nil {
		return err
	}
	if i.journal != nil {
		changes := Diff(before, s)
		if len(changes) == 0 {
			return nil
		}
		if err := i.journal.Commit(v.region, changes); err != nil {
			return err
		}
	}
	i.current.Store(s)
	return nil
}

// A Tx is an update that is being made. Its methods refuse what the Region may
// not write; a refusal sticks, so an update that ignores it still fails.
type Tx struct {
	data    Data
	region  string
	changed bool
	ended   []string // users whose access ended
	err     error    // the first refusal
}

// Data returns a copy of the state so far.
func (t *Tx) Data() Data {
	d := t.data.Clone()
	d.defaults()
	return d
}

// primaryOnly is the rule for configuration, identities and permissions.
func (t *Tx) primaryOnly(what string) error {
	if primary := t.data.Regions[0].Name; t.region != primary {
		return t.refuse(&Error{Reason: ReasonNotPrimary, Rule: what, Want: "the primary Region " + quote(primary), Got: t.region, Primary: primary})
	}
	return t.begin()
}

// ownRegion is the rule for applications.
func (t *Tx) ownRegion(what, region string) error {
	if t.region != region {
		return t.refuse(&Error{Reason: ReasonNotAppRegion, Rule: what, Want: "the application's own Region " + quote(region), Got: t.region})
	}
	return t.begin()
}

func (t *Tx) begin() error {
	t.changed = true
	return t.err
}

func (t *Tx) refuse(err error) error {
	if t.err == nil {
		t.err = err
	}
	return t.err
}

// write replaces the element that same picks out, or appends v. Primary only.
func write[T any](t *Tx, what string, list *[]T, v T, same func(T) bool) error {
	if err := t.primaryOnly("write of " + what); err != nil {
		return err
	}
	upsert(list, v, same)
	return nil
}

func upsert[T any](list *[]T, v T, same func(T) bool) {
	if i := slices.IndexFunc(*list, same); i >= 0 {
		(*list)[i] = v
		return
	}
	*list = append(*list, v)
}

// remove removes the element that same picks out. Primary only.
func remove[T any](t *Tx, what string, list *[]T, key string, same func(T) bool) error {
	if err := t.primaryOnly("removal of " + what); err != nil {
		return err
	}
	return drop(t, what, list, key, same)
}

// drop removes the element that same picks out; its absence is a refusal.
func drop[T any](t *Tx, what string, list *[]T, key string, same func(T) bool) error {
	i := slices.IndexFunc(*list, same)
	if i < 0 {
		return t.refuse(&Error{Reason: ReasonNotFound, Rule: what, Want: "one that is there", Got: key})
	}
	*list = slices.Delete(*list, i, i+1)
	return nil
}
