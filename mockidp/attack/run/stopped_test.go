package run_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// frail starts a service provider behind a front that can stop answering. how changes
// the front when D13 is received.
func frail(t *testing.T, how func(f *front)) (run.Target, *front) {
	t.Helper()
	f := new(front)
	to := broken(t, func(at string, response []byte) string {
		if hostile(response) {
			how(f)
		}
		if f.dead.Load() {
			panic(http.ErrAbortHandler)
		}
		return verified(t, at, response)
	}, f.wrap)
	to.Sign, to.Concurrency, to.Recovery = []attack.Sign{attack.SignResponse}, 1, 300*time.Millisecond
	to.Timeout = time.Minute // a busy machine answers late
	to.Only = []string{"B01", "D13", "D16", "D29", "D44/https", "D48/get"}
	return to, f
}

type front struct {
	dead  atomic.Bool
	grace atomic.Int64 // this many requests are answered before it is dead
}

func (f *front) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.dead.Load() {
			panic(http.ErrAbortHandler)
		}
		last := f.grace.Load() > 0 && f.grace.Add(-1) == 0
		next.ServeHTTP(w, r)
		if last {
			f.dead.Store(true)
		}
	})
}

// atOnce stops the front before it answers the message.
func atOnce(f *front) { f.dead.Store(true) }

// afterwards stops it after the message and the probe are answered.
func afterwards(f *front) { f.grace.Store(1) }

// hostile reports whether a message is D13, by its Destination.
func hostile(response []byte) bool {
	root := read(response)
	return root != nil && strings.Contains(root.SelectAttrValue("Destination", ""), "attacker.example/")
}

const stopped = "the service provider stopped answering"

// If a message stops a service provider, the next messages don't count as
// refused.
func TestRunNoticesThatItStopped(t *testing.T) {
	to, f := frail(t, atOnce)
	report := attacked(t, to)
	assert.Equal(t, "D13", report.StoppedAt)
	assert.Equal(t, 3, report.Exit())
	assert.Contains(t, report.Notes, stopped+" at D13")
	x := result(t, report, "D13")
	assert.Equal(t, run.Failed, x.Verdict)
	assert.Equal(t, stopped, x.Reason)
	assert.Equal(t, run.Refused, result(t, report, "B01").Verdict)
	rest := report.Rest()
	assert.Equal(t, []string{
		"D16", "D16/slash", "D16/query", "D16/host-case", "D16/longer", "D29", "D29/acs-url", "D29/among-others",
		"D44/https", "D48/get",
	}, rest)
	for _, id := range rest {
		x := result(t, report, id)
		assert.Equal(t, run.NotRun, x.Verdict, id)
		assert.Contains(t, x.Reason, "stopped answering", id)
		assert.Empty(t, x.Runs, id)
	}
	var text bytes.Buffer
	require.NoError(t, report.WriteText(&text))
	assert.Regexp(t, `(?m)^no clear answer +D13 .*\n +`+stopped, text.String())

	// After a restart, the remaining attacks are run.
	f.dead.Store(false)
	to.Only = rest
	all, next := *report, attacked(t, to)
	all.Merge(next)
	assert.Empty(t, all.StoppedAt)
	assert.Empty(t, all.Rest())
	assert.Equal(t, 3, all.Exit(), "for D13")
	assert.Equal(t, report.Duration+next.Duration, all.Duration)
	assert.Contains(t, all.Notes, stopped+" at D13")
	assert.Equal(t, run.Failed, result(t, &all, "D13").Verdict)
	for _, id := range rest {
		assert.NotContains(t, []run.Verdict{run.NotRun, run.Inconclusive}, result(t, &all, id).Verdict, id)
	}
}

// If a service provider answers before it stops, the next attack detects that,
// and is not named as StoppedAt.
func TestRunBlamesTheOneBefore(t *testing.T) {
	to, _ := frail(t, afterwards)
	report := attacked(t, to)
	assert.Equal(t, "D13", report.StoppedAt)
	assert.Equal(t, run.Failed, result(t, report, "D13").Verdict)
	assert.Equal(t, "D16", report.Rest()[0])

	to, _ = frail(t, afterwards)
	to.Only = []string{"D13"}
	report = attacked(t, to)
	assert.Equal(t, "D13", report.StoppedAt, "there is none after it")
	assert.Equal(t, 3, report.Exit())
	assert.Empty(t, report.Rest())
}

// An attack that succeeded before determines the exit status.
func TestRunLetInAndStopped(t *testing.T) {
	f := new(front)
	to := broken(t, func(_ string, response []byte) string {
		f.dead.Store(hostile(response))
		return firstNameID(read(response))
	}, f.wrap)
	to.Sign, to.Concurrency, to.Recovery = []attack.Sign{attack.SignResponse}, 1, 50*time.Millisecond
	to.Only = []string{"B01", "D13", "D29"}
	report := attacked(t, to)
	assert.Equal(t, "D13", report.StoppedAt)
	assert.Equal(t, run.LetIn, result(t, report, "B01").Verdict)
	assert.Equal(t, 1, report.Exit())
	assert.NotEmpty(t, report.Rest())
}

// The run waits for a busy service provider, and then runs all attacks.
func TestRunWaits(t *testing.T) {
	for name, deaf := range map[string]func(*front){"at once": atOnce, "afterwards": afterwards} {
		t.Run(name, func(t *testing.T) {
			to, _ := frail(t, func(f *front) {
				deaf(f)
				time.AfterFunc(500*time.Millisecond, func() { f.dead.Store(false) })
			})
			to.Recovery = time.Minute
			report := attacked(t, to)
			assert.Empty(t, report.StoppedAt)
			want := 0
			if result(t, report, "D13").Verdict == run.Failed {
				want = 3
			}
			assert.Equal(t, want, report.Exit())
			for _, x := range report.Results {
				if x.ID != "D13" {
					assert.Contains(t, []run.Verdict{run.Refused, run.Accepted, run.Tolerated}, x.Verdict, "%s: %s", x.ID, x.Reason)
				}
			}
		})
	}
}

// With Concurrency every attack in flight may be the one that stopped it, and the run
// ends.
func TestRunStopsForAll(t *testing.T) {
	to, _ := frail(t, atOnce)
	to.Concurrency, to.Only = 4, []string{"D"}
	report := attacked(t, to)
	assert.NotEmpty(t, report.StoppedAt)
	rest := report.Rest()
	assert.Greater(t, len(rest), len(report.Results)/2)
	assert.True(t, slices.Contains(rest, "D43/missing"))
	assert.Zero(t, report.Count(run.Inconclusive))
}
