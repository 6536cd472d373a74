package federation_test

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// loadFaults are the faults of the test below, in their order, with the Reason for the
// aggregate and for an entity of the query service, and that of a sign-in with an entity
// that isn't known yet; "" if it begins.
var loadFaults = []struct {
	name             string
	kind             mockidp.FaultKind
	reason, newcomer string
}{
	{"gone", mockidp.DropConnection, "MetadataFetch", "FindIdP"},
	{"failing", mockidp.ServerError, "MetadataFetch", "FindIdP"},
	{"slow", mockidp.MetadataSlow, "MetadataFetch", "FindIdP"},
	{"cut off", mockidp.MetadataAbort, "MetadataFetch", "FindIdP"},
	{"rolled back", mockidp.MetadataOld, "MetadataRollback", ""}, // there is nothing newer of the new entity
	{"wrong key", mockidp.MetadataOtherKey, "MetadataSignature", "MetadataSignature"},
	{"tampered", mockidp.MetadataTampered, "MetadataSignature", "MetadataSignature"},
	{"unsigned", mockidp.MetadataUnsigned, "MetadataUnsigned", "MetadataUnsigned"},
	{"huge", mockidp.MetadataEndless, "MetadataFetch", "FindIdP"},
	{"gzip bomb", mockidp.MetadataBomb, "MetadataFetch", "FindIdP"},
	{"expired", mockidp.MetadataExpired, "MetadataExpired", "MetadataExpired"},
	{"too long valid", mockidp.MetadataLongValidity, "MetadataValidity", "FindIdP"},
	{"HTML", mockidp.MetadataHTML, "Metadata", "Metadata"},
	{"looping", mockidp.MetadataRedirect, "MetadataFetch", "FindIdP"},
}

// Users sign in at two Regions with four identity providers, two of an aggregate and two
// of a query service, while both publishers have one fault after another. No sign-in
// fails while its metadata is in force. Each source reports the Reason of the fault, and
// a sign-in with an identity provider that isn't known yet is refused for it. Metadata
// past its end refuses every sign-in, also one that began before. Then the sources
// recover by themselves.
//
// At the end 100,000 unknown names are asked for (1 % of them without
// MERIDIAN_UNKNOWN_NAMES), half by one client and half by a client each. In 6.5 minutes
// on two busy cores the service got 280 requests of the one client, and one for each name
// of the others; the 10,000 names that each Region remembers took 22 MB together; 13,782
// users signed in meanwhile, and none failed (2026-11-29). The times of sign-ins are
// printed, and not asserted.
func TestSignInsDuringFaults(t *testing.T) {
	testkit.Long(t, "", "it walks through faults while users sign in")
	w := newLoadWorld(t)
	w.knows()
	end := w.visits()
	defer end()
	w.signInsGoOn()
	w.took.take()
	w.signInsGoOn()
	w.signInsGoOn()
	w.logTimes("no fault")
	for i, c := range loadFaults {
		w.inject(c.kind)
		var newcomers sync.WaitGroup
		for j, region := range loadRegions {
			newcomers.Go(func() { w.newcomer(region, w.outside.FederationEntityIDs()[100+10*i+j], c.newcomer) })
		}
		w.reported(c.reason)
		newcomers.Wait()
		w.signInsGoOn()
		w.logTimes(c.name)
		w.recovered()
	}
	w.flood(unknownNames(t))
	w.onlyResponses()
	w.expiry()
	end()
	w.asked.Range(func(name, _ any) bool {
		return assert.NotContains(t, name, "posted", "a response caused a fetch")
	})
}

func (w *loadWorld) logTimes(during string) {
	n, median, p99 := w.took.take()
	const digits = 100 * time.Microsecond
	w.t.Logf("%-16s %5d sign-ins, median %v, p99 %v", during, n, median.Round(digits), p99.Round(digits))
}

// knows makes both Regions know the query service's identity providers.
func (w *loadWorld) knows() {
	for _, region := range loadRegions {
		for _, name := range []string{"b1", "b2"} {
			p := w.chosen(w.browser("192.0.2.101", w.issuers[name]), region)
			require.Equal(w.t, http.StatusSeeOther, p.Status, "%v", p.Body)
		}
	}
}

// inject injects a fault into both publishers.
func (w *loadWorld) inject(kind mockidp.FaultKind) {
	inject(w.t, w.inside, kind, mockidp.EndpointAggregate)
	inject(w.t, w.outside, kind, mockidp.EndpointQuery)
}

// reported waits until all sources have reported a Reason anew.
func (w *loadWorld) reported(reason string) {
	w.t.Helper()
	before := w.reportsOf(reason)
	require.Eventually(w.t, func() bool {
		now := w.reportsOf(reason)
		return w.t.Failed() || !slices.ContainsFunc(slices.Collect(maps.Keys(now)), func(source string) bool {
			return now[source] <= before[source]
		})
	}, 2*time.Minute, time.Millisecond, "%q since %v", reason, before)
	require.False(w.t, w.t.Failed())
}

// reportsOf returns how often each source of each Region reported a Reason.
func (w *loadWorld) reportsOf(reason string) map[string]int {
	out := map[string]int{}
	for region, r := range w.reports {
		for _, source := range []string{"aggregate", "query"} {
			out[region+" "+source] = r.count(source, reason)
		}
	}
	return out
}

// recovered ends all faults, and waits until the sources report it.
func (w *loadWorld) recovered() {
	w.t.Helper()
	w.inside.ClearFaults("")
	w.outside.ClearFaults("")
	w.reported("")
}

// newcomer is a user of an identity provider that the Region doesn't know yet. reason is
// why the sign-in doesn't begin.
func (w *loadWorld) newcomer(region, entityID, reason string) {
	p := w.chosen(w.browser("198.51.100.1", entityID), region)
	if reason == "" {
		assert.Equal(w.t, http.StatusSeeOther, p.Status, "%v", p.Body)
		return
	}
	assert.Equal(w.t, http.StatusServiceUnavailable, p.Status)
	assert.Contains(w.t, p.Text(), "Sign-in is not available right now")
	why := w.log.take(p)
	assert.Equal(w.t, reason, why.reason, why.detail)
}

// expiry makes both publishers disappear until the metadata expires.
func (w *loadWorld) expiry() {
	w.inject(mockidp.DropConnection)
	w.reported("MetadataFetch")
	first, last := w.ends()
	w.step(first.Add(-10*time.Minute).Sub(w.clock.now()), succeeds)
	w.signInsGoOn()
	w.logTimes("almost expired")
	var begun []answered
	for i := range 2 * len(loadMembers) {
		begun = append(begun, w.answer("198.51.100.4", loadRegions[i%2], loadMembers[i/2]))
	}
	w.step(last.Add(4*time.Minute).Sub(w.clock.now()), expires) // the skew is 3 min
	w.signInsGoOn()
	for _, a := range begun {
		w.requireExpired(w.post(a))
	}
	w.step(0, recovers)
	w.recovered()
	require.Eventually(w.t, func() bool { // users of each come, and have it fetched
		first, _ := w.ends()
		return w.t.Failed() || first.After(w.clock.now())
	}, time.Minute, time.Millisecond)
	w.step(0, succeeds)
	w.signInsGoOn()
	w.logTimes("recovered")
	w.t.Logf("%d sign-ins in all, and %d refused for expired metadata", w.signIns.Load(), w.refused.Load())
}

// ends returns the first and the last validUntil of the metadata in use. They are zero if
// some has expired.
func (w *loadWorld) ends() (first, last time.Time) {
	for _, f := range w.known {
		for _, name := range loadMembers {
			idp, err := f.IdP(w.issuers[name])
			if err != nil {
				return time.Time{}, time.Time{}
			}
			end := idp.ValidUntil()
			if first.IsZero() || end.Before(first) {
				first = end
			}
			if end.After(last) {
				last = end
			}
		}
	}
	return first, last
}

// step moves the clock, and changes what sign-ins are expected to do, between sign-ins.
func (w *loadWorld) step(d time.Duration, next expectation) {
	w.steps.Lock()
	defer w.steps.Unlock()
	w.clock.advance(d)
	w.expect = next
}
