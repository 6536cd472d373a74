package center

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// Update makes changes. It calls change with a transaction on a copy of the state, checks the
// result as a whole, and puts it in place. If change returns an error, if the transaction refused a
// change, or if the result is invalid, then nothing changes and that error is returned.
//
// Each method of Tx says in which Region it may be called: for anything but an application, only in
// the primary.
//
// Every update copies and checks the whole instance, so put many changes into one update. change
// must neither keep the transaction nor call Update. If the instance changes meanwhile, change is
// called again on the new state.
func (v *View) Update(change func(*Tx) error) error {
	for attempt := range maxAttempts {
		if err := v.try(change); !errors.Is(err, ErrConflict) {
			return err
		}
		// The conflicting change waits for the writing lock, or is about to.
		time.Sleep(min(time.Duration(attempt)*time.Millisecond, 20*time.Millisecond))
	}
	return fmt.Errorf("%w, in each of %d attempts", ErrConflict, maxAttempts)
}

// maxAttempts bounds how long an update competes with others, to about seven seconds: longer than a
// Journal waits for one that has no answer.
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
	if tx.err != nil || !tx.changed {
		return tx.err
	}
	if err := tx.checkRestored(); err != nil {
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

// Tx is an update in progress. Its methods refuse what the Region may not write. An update that
// ignores such an error fails with it.
type Tx struct {
	data    Data
	region  string
	changed bool
	ended   []string // IDs of users whose access ended
	err     error    // the first refusal
}

// Data returns a copy of the state so far.
func (t *Tx) Data() Data {
	d := t.data.Clone()
	d.defaults()
	return d
}

// primaryOnly is the rule for configuration, identities and permissions.
func (t *Tx) primaryOnly(what string, kind Kind) error {
	t.changed = true
	if primary := t.data.Regions[0].Name; t.region != primary {
		return t.refuse(&Error{
			Reason: ReasonNotPrimary, Rule: what + " of " + string(kind),
			Want: "the primary Region " + refusal.Quote(primary), Got: t.region, Primary: primary,
		})
	}
	return t.err
}

// ownRegion is the rule for applications. regions are those that the application is to have; the
// one that it has counts too.
func (t *Tx) ownRegion(what, id string, regions ...string) error {
	t.changed = true
	if i := indexOf(t.data.Applications, id); i >= 0 {
		regions = append(regions, t.data.Applications[i].Region)
	}
	for _, region := range regions {
		if region != t.region {
			return t.refuse(&Error{
				Reason: ReasonNotAppRegion, Rule: what + " of application " + refusal.Quote(id),
				Want: "the application's own Region " + refusal.Quote(region), Got: t.region,
			})
		}
	}
	return t.err
}

func (t *Tx) refuse(err error) error {
	t.err = cmp.Or(t.err, err)
	return t.err
}

func indexOf[T element](list []T, key string) int {
	return slices.IndexFunc(list, func(o T) bool { return o.key() == key })
}

// put replaces the element with v's key, or appends v. Primary only.
func put[T element](t *Tx, list *[]T, v T) error {
	if err := t.primaryOnly("write", v.kind()); err != nil {
		return err
	}
	upsert(list, v)
	return nil
}

func upsert[T element](list *[]T, v T) {
	if i := indexOf(*list, v.key()); i >= 0 {
		(*list)[i] = v
		return
	}
	*list = append(*list, v)
}

// remove removes the element with the key. Primary only.
func remove[T element](t *Tx, list *[]T, key string) error {
	var zero T
	if err := t.primaryOnly("removal", zero.kind()); err != nil {
		return err
	}
	return drop(t, list, key)
}

// drop removes the element with the key. It refuses a key that doesn't exist.
func drop[T element](t *Tx, list *[]T, key string) error {
	i := indexOf(*list, key)
	if i < 0 {
		var zero T
		return t.refuse(&Error{Reason: ReasonNotFound, Rule: string(zero.kind()), Want: "an existing one", Got: key})
	}
	*list = slices.Delete(*list, i, i+1)
	return nil
}
