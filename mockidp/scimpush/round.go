package scimpush

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/meridian-saml/meridian/mockidp"
)

// push is a Push, or all rounds of a Keep.
type push struct {
	*Pusher

	// The resources that are known to be up to date, by ID. They are not fetched again.
	doneUsers  map[string]*mockidp.User
	doneGroups map[string]*wantedGroup

	current      mockidp.Snapshot // of this round
	sent, resent atomic.Int64     // in this round
}

func (p *Pusher) newPush() *push {
	return &push{Pusher: p, doneUsers: map[string]*mockidp.User{}, doneGroups: map[string]*wantedGroup{}}
}

// round pushes one state: users first, because groups name them.
func (r *push) round(ctx context.Context) (report Report, err error) {
	r.current = r.idp.Snapshot()
	r.sent.Store(0)
	r.resent.Store(0)
	users := r.wantedUsers()
	err = each(ctx, r.c.Concurrency, users, r.doneUsers, &report.Users, r.pushUser)
	if ctx.Err() == nil {
		groups := r.wantedGroups(users)
		err = errors.Join(err, each(ctx, r.c.Concurrency, groups, r.doneGroups, &report.Groups, r.pushGroup))
	}
	report.Requests, report.Retries = int(r.sent.Load()), int(r.resent.Load())
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return report, err
}

// each pushes the wanted resources that are not done, several at once, and counts what was done. It joins the
// first ten errors.
func each[T any](ctx context.Context, concurrency int, wanted, done map[string]*T, counts *Pushed,
	push func(context.Context, string, *T, *Pushed) (*int, error)) error {
	var ids []string
	for id, want := range wanted {
		if was, ok := done[id]; ok && reflect.DeepEqual(was, want) {
			counts.Unchanged++
			continue
		}
		delete(done, id) // a request that fails may have been carried out
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var wg sync.WaitGroup
	var mu sync.Mutex // guards done, counts and failed
	var failed []error
	slots := make(chan struct{}, concurrency)
	for _, id := range ids {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			counter, err := push(ctx, id, wanted[id], counts)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, err)
				return
			}
			done[id] = wanted[id]
			if counter != nil {
				*counter++
			}
		})
	}
	wg.Wait()
	if n := len(failed); n > 10 {
		failed = append(failed[:10], fmt.Errorf("scimpush: and %d more errors", n-10))
	}
	return errors.Join(failed...)
}

// app returns the app whose users and groups are pushed; nil is all of them.
func (r *push) app() *mockidp.App {
	if r.c.App == "" {
		return nil
	}
	a, _ := r.current.App(r.c.App) // a removed app has no users
	return &a
}
