package codestest_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/codestest"
)

func TestCodesInAStoreKeepTheContract(t *testing.T) {
	codestest.Run(t, func(*testing.T) []codestest.Region {
		codes := portal.NewCodes(acs.NewMemoryStore(acs.MemoryConfig{}))
		return []codestest.Region{{Name: "us-east-1", Codes: codes}, {Name: "eu-central-1", Codes: codes}}
	}, codestest.Options{})
}

// faulty Codes have one fault.
type faulty struct {
	fault string

	mu   sync.Mutex
	live map[string][]byte

	looked atomic.Int32
	both   chan struct{} // closed when two callers have looked
}

// second returns when two callers have looked up the code and not yet removed it.
func (f *faulty) second() {
	if f.looked.Add(1) == 2 {
		close(f.both)
	}
	<-f.both
}

func (f *faulty) PutCode(_ context.Context, key string, v []byte, exp time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault != "aliases" {
		v = append([]byte(nil), v...)
	}
	if f.fault == "one key" {
		clear(f.live)
	}
	if exp.After(time.Now()) || f.fault == "takes expired codes" {
		f.live[key] = v
	}
	return nil
}

func (f *faulty) TakeCode(_ context.Context, key string) ([]byte, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v, ok := f.live[key]
	if !ok {
		return nil, "", portal.ErrNoCode
	}
	if f.fault == "takes in two steps" && strings.Contains(key, "ByMany") {
		f.mu.Unlock()
		f.second()
		f.mu.Lock()
	}
	if f.fault != "keeps on take" {
		delete(f.live, key)
	}
	if f.fault == "names another Region" {
		return v, "ap-south-1", nil
	}
	return v, "", nil
}

func (f *faulty) DropCode(_ context.Context, key string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.live[key]; !ok && f.fault == "drop of unknown fails" {
		return portal.ErrNoCode
	}
	if f.fault != "drops nothing" {
		delete(f.live, key)
	}
	return nil
}

var faults = []string{
	"none", "aliases", "one key", "takes expired codes", "takes in two steps", "keeps on take", "names another Region",
	"drop of unknown fails", "drops nothing",
}

const faultVariable = "CODESTEST_FAULT"

// TestFault runs the suite on codes with one fault. TestSuiteFindsFaults runs it in a child process
// to see it fail.
func TestFault(t *testing.T) {
	fault := os.Getenv(faultVariable)
	if fault == "" {
		return
	}
	codestest.Run(t, func(*testing.T) []codestest.Region {
		f := &faulty{fault: fault, live: map[string][]byte{}, both: make(chan struct{})}
		return []codestest.Region{{Name: "us-east-1", Codes: f}, {Name: "eu-central-1", Codes: f}}
	}, codestest.Options{Patience: 50 * time.Millisecond})
}

func TestSuiteFindsFaults(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestFault$")
			cmd.Env = append(os.Environ(), faultVariable+"="+fault)
			out, err := cmd.CombinedOutput()
			require.Contains(t, string(out), map[bool]string{true: "PASS", false: "FAIL"}[fault == "none"], "%s", out)
			require.Equal(t, fault == "none", err == nil, "%s", out)
			require.NotContains(t, string(out), "panic", "%s", out)
		})
	}
}
