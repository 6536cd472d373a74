package storeerr_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

func TestAMessageHasThePartsThatThereAre(t *testing.T) {
	down := errors.New("it is down")
	assert.Equal(
		t,
		`acs: Store: rule: detail: want "that", got "th\"is": it is down`,
		storeerr.Message("acs", "Store", "rule", "detail", "that", `th"is`, down),
	)
	assert.Equal(t, `acs: Store: want "", got "this"`, storeerr.Message("acs", "Store", "", "", "", "this", nil))
	long := strings.Repeat("é", 5000)
	assert.Less(t, len(storeerr.Message("acs", "Store", "", "", long, long, errors.New(long))), 700)
}

func TestDefaultsOfConfigs(t *testing.T) {
	requests, margin, timeout := 0, time.Duration(0), time.Duration(0)
	assert.Empty(t, storeerr.SetDefaults(&requests, &margin, &timeout))
	assert.Equal(t, 100_000, requests)
	assert.Equal(t, time.Duration(0), margin)
	assert.Equal(t, 5*time.Second, timeout)
	margin = -1
	assert.Equal(t, "Margin", storeerr.SetDefaults(&requests, &margin, &timeout))
}

func TestSinceNeverMovesBack(t *testing.T) {
	var m storeerr.Memory[string]
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	require.True(t, m.Since().IsZero())
	m.Learn("one", noon)
	m.Learn("two", noon.Add(-time.Hour))
	assert.Equal(t, noon, m.Since())
	assert.Equal(t, "two", m.Mark())
}

func is(known string) func(string) bool { return func(mark string) bool { return mark == known } }

func TestAStoreLearnsOnceHoweverManyCallsNoticed(t *testing.T) {
	var m storeerr.Memory[string]
	m.Learn("old", time.Now())
	before := m.Mark()
	var learned atomic.Int32
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			assert.NoError(t, m.Forget(is(before), func() error {
				learned.Add(1)
				m.Learn("new", time.Now())
				return nil
			}))
		})
	}
	calls.Wait()
	assert.EqualValues(t, 1, learned.Load())
	down := errors.New("it is down")
	assert.Equal(t, down, m.Forget(is("new"), func() error { return down }))
	assert.Equal(t, "new", m.Mark(), "and the next call tries again")
}
