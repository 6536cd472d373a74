package replica

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Each Region writes an event for each change of the configuration, of whichever Region, when it reads the change from
// its own disk. The events of one change have the same ID in every Region. A Region that was killed reads its streams
// again, and continues after the last change whose event it has: events have the stamp of their change.
//
// A Region writes rising stamps. One that an attacker controls may not, and its changes have events all the same:
// see late. What additional Regions can cause is bounded by Region, in the queue and in the Log.

// auditing has the changes whose events are not on disk yet.
type auditing struct {
	mu      sync.Mutex // guards the fields below
	queue   []change
	regions map[string]*auditedLog
	wake    chan struct{}
}

// An auditedLog is what is known of one Region's log.
type auditedLog struct {
	reached uint64 // the highest stamp that was queued
	read    uint64 // the highest stamp that was read since this Node began
	first   uint64 // the position of the transaction with the stamp before, since the log was read from its start
	stamp   uint64 // of that one
	queued  int    // changes in the queue
	omitted int    // changes that the queue had no room for
}

type change struct {
	region string // whose log has it
	stamp  uint64
	late   bool // see auditedLog.late
	events []audit.Event
}

const (
	maxAuditing       = 10_000 // changes of this Region or the primary in the queue
	maxRemoteAuditing = 500    // and of each other Region
	// maxEvents is how many elements of one change have events of their own. A larger change is one event.
	maxEvents = 500
)

func newAuditing() auditing {
	return auditing{regions: map[string]*auditedLog{}, wake: make(chan struct{}, 1)}
}

func auditStream(region string) string { return "config " + region }

// of returns what is known of a Region's log. The caller holds mu.
func (a *auditing) of(region string) *auditedLog {
	if a.regions[region] == nil {
		a.regions[region] = &auditedLog{}
	}
	return a.regions[region]
}

// late notes a transaction that was read, and reports whether it took effect although one with a later stamp was read
// before: it changed what was read, or it follows in the log. A log that is read again from its start does neither.
func (l *auditedLog) late(t merge.Transaction, changed bool) bool {
	late := t.Stamp <= l.read && changed
	switch {
	case t.First <= l.first: // it is read again, or is a new one
		l.first, l.stamp = t.First, t.Stamp
	case t.Stamp <= l.stamp:
		late = true
	default:
		l.first, l.stamp = t.First, t.Stamp
	}
	l.read = max(l.read, t.Stamp)
	return late
}

// trusted reports whether a Region's changes are not bounded: it is this one, or the primary.
func (n *Node) trusted(region string) bool { return region == n.cfg.Region || region == n.cfg.Primary }

// auditChange queues the events of what took effect of a transaction that was read. It doesn't wait, because the caller
// holds applying.
func (n *Node) auditChange(region string, t merge.Transaction) {
	log := n.cfg.Audit
	if log == nil {
		return
	}
	a := &n.auditing
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.of(region)
	reached := max(l.reached, log.Reached(auditStream(region)))
	l.reached = max(reached, t.Stamp)
	c := change{region: region, stamp: t.Stamp, late: l.late(t, n.dir.Changed(region))}
	if t.Stamp <= reached && !c.late {
		return
	}
	own := n.dir.Own(region, t)
	if c.late {
		own.Records = slices.DeleteFunc(own.Records, func(r merge.Record) bool { return !n.dir.Counts(region, r, t) })
		reached = 0
	}
	if c.events = n.eventsOf(region, own, reached); len(c.events) == 0 {
		return
	}
	most := maxRemoteAuditing
	if n.trusted(region) {
		most = maxAuditing
	}
	if l.queued >= most {
		l.omitted++
		return
	}
	a.queue = append(a.queue, c)
	l.queued++
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// eventsOf returns the events of a transaction's elements that were written after a stamp. A full transaction has
// earlier elements, too.
func (n *Node) eventsOf(region string, t merge.Transaction, after uint64) []audit.Event {
	var all []audit.Event
	details := map[string]merge.Record{} // by the key of their element
	for _, r := range t.Records {
		if r.Kind == center.KindDetails {
			details[r.Key] = r
		}
	}
	for _, r := range t.Records {
		if e, ok := eventOf(region, r, r.WrittenIn(t), details); ok && r.WrittenIn(t) > after {
			e.Identity = n.identityOf(region, r.ByIn(t))
			all = append(all, e)
		}
	}
	if len(all) <= maxEvents {
		return all
	}
	e := configEvent(region, t.Stamp, "ChangeConfiguration", map[string]string{"elements": fmt.Sprint(len(all))})
	e.Identity = n.identityOf(region, t.By)
	return []audit.Event{e}
}

// identityOf returns the userIdentity of a change in a Region's log. The log has the ID of a user; the name is that of
// the directory. Provisioning clients write in the primary only, so another Region can't name one.
func (n *Node) identityOf(region string, by *center.Actor) audit.Identity {
	if by == nil {
		return audit.Service()
	}
	switch a := by.Cut(); {
	case a.UserID != "":
		id := audit.User(a.UserID, "", a.Session)
		if i := n.instance.Load(); i != nil {
			u, _ := i.Snapshot().UserByID(a.UserID)
			id.UserName = u.UserName
		}
		return id
	case a.Client != "" && region == n.cfg.Primary:
		return audit.Identity{Type: audit.TypeClient, UserName: a.Client}
	}
	return audit.Service()
}

// maxEventStamp is the stamp of the last time that JSON can have. A Region may write any stamp.
var maxEventStamp = uint64(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).UnixMicro())

// configEvent is an event of a Region's configuration. Its ID depends on the change only.
func configEvent(region string, stamp uint64, name string, request map[string]string) audit.Event {
	return audit.Event{
		ID:   audit.EventID("config", region, fmt.Sprint(stamp), name, request["key"]),
		Time: time.UnixMicro(int64(min(stamp, maxEventStamp))), Source: audit.SourceSSO, Name: name,
		ClientAddr: audit.SourceSSO, UserAgent: audit.SourceSSO, Identity: audit.Service(), Request: request,
		Additional: map[string]string{"OriginRegion": region},
	}
}

// elementEvents are the last words of the names of events, by kind. Details without their element are of the same kind.
var elementEvents = map[center.Kind]struct{ source, word string }{
	center.KindRegion:            {audit.SourceSSO, "Region"},
	center.KindIdentityProvider:  {audit.SourceSSO, "IdentityProvider"},
	center.KindUser:              {audit.SourceDirectory, "User"},
	center.KindGroup:             {audit.SourceDirectory, "Group"},
	center.KindPermissionSet:     {audit.SourceSSO, "PermissionSet"},
	center.KindAccount:           {audit.SourceSSO, "Account"},
	center.KindAssignment:        {audit.SourceSSO, "AccountAssignment"},
	center.KindApplication:       {audit.SourceSSO, "Application"},
	center.KindInstance:          {audit.SourceSSO, "Instance"},
	center.KindFederation:        {audit.SourceSSO, "Federation"},
	center.KindParkedApplication: {audit.SourceSSO, "ParkedApplication"},
	center.KindResidency:         {audit.SourceSSO, "Residency"},
	center.KindRotation:          {audit.SourceSSO, "Rotation"},
}

// eventOf returns the event of one record. Marks of package merge have none, and details only without their element.
func eventOf(region string, r merge.Record, stamp uint64, details map[string]merge.Record) (audit.Event, bool) {
	of, known := elementEvents[r.Kind]
	if !known {
		return audit.Event{}, false
	}
	request := map[string]string{"kind": string(r.Kind), "key": r.Key}
	var v struct {
		UserName, Name, Status string
		Active                 *bool // of a user
	}
	if r.Value != nil && json.Unmarshal(r.Value, &v) == nil { // an unknown form has no more than its key
		request["userName"], request["name"], request["status"] = v.UserName, v.Name, v.Status
		if v.Active != nil && !*v.Active {
			request["status"] = "inactive"
		}
	}
	e := configEvent(region, stamp, verb(r, details[string(r.Kind)+" "+r.Key], v.Status)+of.word, request)
	e.Source = of.source
	return e, true
}

// verb returns what happened to an element. Details have the dates of users, groups and permission sets.
func verb(r, details merge.Record, status string) string {
	assignment, region := r.Kind == center.KindAssignment, r.Kind == center.KindRegion
	var dates center.Dates
	switch {
	case r.Value == nil && region, region && status == string(center.RegionRemoving):
		return "Remove"
	case r.Value == nil:
		return "Delete"
	case region && status == string(center.RegionAdding):
		return "Add"
	case assignment, json.Unmarshal(details.Value, &dates) == nil && !dates.CreatedAt.IsZero() &&
		dates.CreatedAt.Equal(dates.UpdatedAt):
		return "Create"
	case slices.Contains([]center.Kind{
		center.KindUser, center.KindGroup, center.KindPermissionSet, center.KindRegion, center.KindInstance,
	}, r.Kind):
		return "Update"
	}
	return "Put" // created or updated
}

// writeAudits writes the events in the order of their changes. A change whose event can't be written is tried again,
// so that none is left out.
func (n *Node) writeAudits() {
	for {
		select {
		case <-n.auditing.wake:
		case <-n.ctx.Done():
			n.writeQueued(false)
			return
		}
		n.writeQueued(true)
	}
}

// writeQueued writes the queue. Without wait, it gives up after a failure.
func (n *Node) writeQueued(wait bool) {
	a := &n.auditing
	for {
		a.mu.Lock()
		if len(a.queue) == 0 {
			a.queue = nil
			a.mu.Unlock()
			return
		}
		next, l := a.queue[0], a.of(a.queue[0].region)
		omitted := l.omitted
		l.omitted = 0
		a.mu.Unlock()
		if omitted > 0 {
			more := configEvent(next.region, next.stamp, "MoreNotWritten", map[string]string{"changes": fmt.Sprint(omitted)})
			next.events = append([]audit.Event{more}, next.events...)
		}
		err := n.writeChange(next, next.events)
		if e, ok := errors.AsType[*audit.Error](err); ok && e.Reason == audit.ReasonEvent {
			one := configEvent(next.region, next.stamp, "ChangeConfiguration", map[string]string{
				"elements": fmt.Sprint(len(next.events)),
			})
			one.Identity = next.events[len(next.events)-1].Identity
			err = n.writeChange(next, []audit.Event{one})
		} else if ok && e.Reason == audit.ReasonClosed {
			return
		}
		if err != nil {
			a.mu.Lock()
			l.omitted += omitted
			a.mu.Unlock()
			if !wait || n.ctx.Err() != nil {
				return
			}
			pause(n.ctx, time.Second)
			continue
		}
		a.mu.Lock()
		a.queue = a.queue[1:]
		l.queued--
		a.mu.Unlock()
	}
}

// writeChange writes the events of a change.
func (n *Node) writeChange(c change, events []audit.Event) error {
	stream, at := auditStream(c.region), c.stamp
	if c.late {
		at = 0 // a later position is written
	}
	if n.trusted(c.region) {
		return n.cfg.Audit.Once(stream, at, events...)
	}
	return n.cfg.Audit.Remote(c.region, stream, at, events...)
}

// observers returns what receives the Node's values: the Log checks its rules with them.
func (c *Config) observers() (all observers) {
	if c.Observer != nil {
		all = append(all, c.Observer)
	}
	if c.Audit != nil {
		all = append(all, c.Audit)
	}
	return all
}

// An observers is several Observers.
type observers []Observer

// Observe implements Observer.
func (all observers) Observe(name, region string, value float64) {
	for _, o := range all {
		o.Observe(name, region, value)
	}
}
