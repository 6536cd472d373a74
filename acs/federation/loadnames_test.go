package federation_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// unknownNames is how many unknown names are asked for: MERIDIAN_UNKNOWN_NAMES, or
// 1 % of 100,000.
func unknownNames(t *testing.T) int {
	text, set := os.LookupEnv("MERIDIAN_UNKNOWN_NAMES")
	if !set {
		return 1_000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "MERIDIAN_UNKNOWN_NAMES")
	return n
}

// floodWorkers is how many clients ask at once: too few to use all fetches of the service.
const floodWorkers = 8

// flood asks for n unknown names, half of them by one client, and half by a client each.
// At the same time responses name others, and users of new identity providers sign in.
func (w *loadWorld) flood(n int) {
	t, began := w.t, time.Now()
	var next, busy atomic.Int64
	var workers sync.WaitGroup
	for range floodWorkers {
		workers.Go(func() {
			for i := int(next.Add(1)); i <= n && !t.Failed(); i = int(next.Add(1)) {
				w.askUnknown(i, loadRegions[i/2%2], &busy)
			}
		})
	}
	require.Eventually(t, func() bool { return t.Failed() || next.Load() > int64(n/2) }, time.Hour, time.Millisecond)
	for _, region := range loadRegions {
		name := "new-" + region
		p, err := w.browser("198.51.100.2", w.issuers[name]).SignInAs(w.members[name],
			"https://"+loadHost(region)+"/login", mockidp.DefaultLogin)
		require.NoError(t, err)
		require.Equal(t, region+" "+w.issuers[name], p.Body)
	}
	workers.Wait()
	require.False(t, t.Failed())
	took := time.Since(began)
	one, many := w.askedFor("https://one.example/"), w.askedFor("https://many.example/")
	w.logTimes("unknown names")
	freed := w.forget()
	t.Logf("%d unknown names in %v: the service got %d requests of one client for %d, and %d of the others for %d; "+
		"they took %d KiB", n, took.Round(time.Second), one, n/2, many, n-n/2, freed>>10)
	minutes := int(took/time.Minute) + 2
	assert.LessOrEqual(t, one, len(loadRegions)*20*minutes, "20 a minute of one client in each Region")
	assert.Equal(t, n/2-one, int(busy.Load()), "the others were refused")
	assert.Equal(t, n-n/2, many, "a name that the service doesn't have is remembered")
	remembered := min(n-n/2, 10_000*len(loadRegions))
	assert.Less(t, freed, int64(8<<20+remembered*1500), "bytes of at most 10,000 names in each Region")
}

// askUnknown begins a sign-in with an unknown name, and posts a response that has one.
func (w *loadWorld) askUnknown(i int, region string, busy *atomic.Int64) {
	unknown := func(client, name string) {
		p := w.chosen(w.browser(client, longName(name, i)), region)
		why := w.log.take(p)
		if p.Status == http.StatusServiceUnavailable && strings.HasPrefix(name, "https://one.") {
			busy.Add(1)
			assert.Equal(w.t, "FindIdP", why.reason)
			assert.Contains(w.t, why.detail, "federation: Busy")
			return
		}
		assert.Equal(w.t, http.StatusForbidden, p.Status)
		assert.Equal(w.t, "MetadataEntity", why.reason, why.detail)
	}
	if i%2 == 0 {
		unknown("203.0.113.1", "https://one.example/")
	} else {
		client := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
		unknown(client, "https://many.example/")
		unknown(client, "https://many.example/")
	}
	if i%10 == 0 {
		w.postUnknown("203.0.113.2", region, fmt.Sprint("https://posted.example/", i))
	}
}

// longName returns an entity ID of about the longest length.
func longName(prefix string, i int) string {
	return fmt.Sprint(prefix, i, "/", strings.Repeat("a", 960))
}

// askedFor returns how many requests the query service got for names with a prefix.
func (w *loadWorld) askedFor(prefix string) (n int) {
	w.asked.Range(func(name, count any) bool {
		if strings.HasPrefix(name.(string), prefix) {
			n += int(count.(*atomic.Int64).Load())
			w.asked.Delete(name) // it isn't the federation's memory
		}
		return true
	})
	return n
}

// forget makes the Regions forget what they know of the query service, and returns how
// many bytes that was.
func (w *loadWorld) forget() int64 {
	w.steps.Lock() // a response of an entity that is forgotten would be refused
	defer w.steps.Unlock()
	before := heap()
	for _, f := range w.known {
		require.NoError(w.t, f.Reset(w.t.Context(), "query"))
	}
	defer w.knows()
	return before - heap()
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // of what pools had
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// onlyResponses posts responses while no sign-in begins: no metadata is fetched, except
// by what began before.
func (w *loadWorld) onlyResponses() {
	w.steps.Lock()
	defer w.steps.Unlock()
	var good []answered
	for i := range 40 {
		good = append(good, w.answer("198.51.100.3", loadRegions[i%2], []string{"b1", "b2"}[i/2%2]))
	}
	before := w.queries.requests.Load()
	for i, a := range good {
		region := loadRegions[i%2]
		require.Equal(w.t, http.StatusOK, w.post(a).Status)
		require.True(w.t, w.postUnknown("203.0.113.2", region, fmt.Sprint("https://posted.example/only/", i)))
		require.True(w.t, w.postUnknown("203.0.113.2", region, w.issuers["posted"]), "the service has it")
	}
	known := int64(len(loadRegions) * 2)
	assert.LessOrEqual(w.t, w.queries.requests.Load(), before+known, "a refresh of each that began before")
}
