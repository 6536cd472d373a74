package testkit

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
)

// skips has every test that Skip skipped, by the reason. It is of the process,
// because the tests write it and TestMain reads it.
type skips struct {
	mu    sync.Mutex
	tests map[string][]string // guarded by mu
}

var skipped = skips{tests: make(map[string][]string)}

// Skip skips a test, and lets Main say so.
func Skip(t testing.TB, why string) {
	t.Helper()
	skipped.mu.Lock()
	skipped.tests[why] = append(skipped.tests[why], t.Name())
	skipped.mu.Unlock()
	t.Skip(why)
}

// Main runs the tests of a package, and then says on standard output which were
// skipped and why. It also adds that to the file that the environment variable
// MERIDIAN_SKIPPED names. It is all that a TestMain needs:
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
func Main(m *testing.M) {
	m.Run() // the exit status is testing's to set
	lines := skipped.summary()
	if lines == "" {
		return
	}
	fmt.Print(lines)
	if file := os.Getenv("MERIDIAN_SKIPPED"); file != "" {
		if err := add(file, lines); err != nil {
			fmt.Fprintln(os.Stderr, "testkit:", err)
		}
	}
}

// summary has a line for each reason, sorted.
func (s *skips) summary() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for why, tests := range s.tests {
		slices.Sort(tests)
		lines = append(lines, fmt.Sprintf("skipped in %s: %s: %s\n", program(), strings.Join(slices.Compact(tests), " "), strings.Join(strings.Fields(why), " ")))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// program is the package that is tested.
func program() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return strings.TrimSuffix(info.Path, ".test")
	}
	return os.Args[0]
}

// add appends to a file in one write, because packages are tested at once.
func add(file, lines string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(lines)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
