package scimpush

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/meridian-saml/meridian/mockidp"
)

// push is a Push, or all rounds of a Keep.
type push struct {
	*Pusher
	slots chan struct{} // one for each request that may be under way

	// What the service provider had after the last round, by ID, and needn't be
	// looked at again: a *mockidp.User, which may be nil, and a *pushedGroup.
	doneUsers, doneGroups sync.Map

	mu      sync.Mutex // guards report
	report  Report
	sent    atomic.Int64
	resent  atomic.Int64
	current mockidp.Snapshot
}

func isDone(done *sync.Map, id string, want any) bool {
	was, ok := done.Load(id)
	return ok && reflect.DeepEqual(was, want)
}

// pushedGroup is a group as it was pushed.
type pushedGroup struct {
	name    string
	members []string // remote IDs, sorted
}

func (p *Pusher) newPush() *push {
	return &push{Pusher: p, slots: make(chan struct{}, p.c.Concurrency)}
}

// round pushes one state: users first, since groups name them.
func (r *push) round(ctx context.Context) (Report, error) {
	r.current, r.report = r.idp.Snapshot(), Report{}
	r.sent.Store(0)
	r.resent.Store(0)
	users := r.wanted()
	err := r.each(ctx, slices.Sorted(maps.Keys(users)), func(id string) error { return r.user(ctx, id, users[id]) })
	if ctx.Err() == nil {
		groups := r.wantedGroups(users)
		gerr := r.each(ctx, slices.Sorted(maps.Keys(groups)), func(id string) error { return r.group(ctx, id, groups[id]) })
		err = errors.Join(err, gerr)
	}
	r.report.Requests, r.report.Retries = int(r.sent.Load()), int(r.resent.Load())
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return r.report, err
}

// each calls f for all IDs, several at once. It joins the first ten errors.
func (r *push) each(ctx context.Context, ids []string, f func(string) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	next := atomic.Int64{}
	for range min(r.c.Concurrency, len(ids)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(ids) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := f(ids[i]); err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if n := len(failed); n > 10 {
		failed = append(failed[:10], fmt.Errorf("mockidp: and %d more", n-10))
	}
	return errors.Join(failed...)
}

// wanted are the people by ID: those to be there, and, with nil, those to be
// deactivated where they are.
func (r *push) wanted() map[string]*mockidp.User {
	out := map[string]*mockidp.User{}
	for _, id := range r.users.ids() {
		out[id] = nil
	}
	app := r.app()
	for _, u := range r.current.Users() {
		switch {
		case app != nil && !app.AssignedTo(u):
		case u.Status == mockidp.Staged && r.users.get(u.ID) == "":
		default:
			out[u.ID] = &u
		}
	}
	return out
}

func (r *push) app() *mockidp.App {
	if r.c.App == "" {
		return nil
	}
	a, _ := r.current.App(r.c.App) // of one that was removed since, nobody has it
	return &a
}

// wantedGroups are the groups by ID; nil is one to be deleted.
func (r *push) wantedGroups(users map[string]*mockidp.User) map[string]*pushedGroup {
	out := map[string]*pushedGroup{}
	for _, id := range r.groups.ids() {
		out[id] = nil
	}
	app := r.app()
	byName := map[string]*pushedGroup{}
	for _, g := range r.current.Groups() {
		if app == nil || slices.Contains(app.Groups, g.Name) {
			byName[g.Name] = &pushedGroup{name: g.Name}
			out[g.ID] = byName[g.Name]
		}
	}
	for id, u := range users {
		remote := r.users.get(id)
		if u == nil || remote == "" || !provisionable(u) {
			continue
		}
		for _, name := range u.Groups {
			if g := byName[name]; g != nil {
				g.members = append(g.members, remote)
			}
		}
	}
	for _, g := range byName {
		slices.Sort(g.members)
		g.members = slices.Compact(g.members)
	}
	return out
}

// provisionable says that the user is to be active there. As at Okta, being
// suspended or locked out ends sign-ins, and says nothing about an account.
func provisionable(u *mockidp.User) bool {
	return u.Status != mockidp.Deprovisioned && u.Status != mockidp.Staged
}

// count adds to the report.
func (r *push) count(n *int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}
