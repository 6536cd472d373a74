package testkit

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The tests that Skip skipped, by reason. The tests write it and TestMain reads it.
var (
	skippedMu sync.Mutex
	skipped   = map[string][]string{} // guarded by skippedMu
)

// Skip skips a test; Main reports it.
func Skip(t testing.TB, why string) {
	t.Helper()
	skippedMu.Lock()
	skipped[why] = append(skipped[why], t.Name())
	skippedMu.Unlock()
	t.Skip(why)
}

// Main runs the tests of a package, then prints which were skipped and why. It also appends that to the file
// that the environment variable MERIDIAN_SKIPPED names. A TestMain needs nothing else:
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
func Main(m *testing.M) {
	m.Run() // the exit status is testing's to set
	lines := skippedLines()
	if lines == "" {
		return
	}
	fmt.Print(lines)
	if file := os.Getenv("MERIDIAN_SKIPPED"); file != "" {
		if err := appendTo(file, lines); err != nil {
			fmt.Fprintln(os.Stderr, "testkit:", err)
		}
	}
}

// MainLong is Main for a package whose tests take minutes. With -short it runs none, and prints why.
func MainLong(m *testing.M, why string) {
	if flag.Parse(); testing.Short() {
		fmt.Printf("skipped: all tests: -short: %s\n", why)
		return
	}
	Main(m)
}

// skippedLines returns a line for each reason, sorted.
func skippedLines() string {
	skippedMu.Lock()
	defer skippedMu.Unlock()
	program := os.Args[0]
	if info, ok := debug.ReadBuildInfo(); ok {
		program = strings.TrimSuffix(info.Path, ".test")
	}
	var lines []string
	for why, tests := range skipped {
		slices.Sort(tests)
		names := strings.Join(slices.Compact(tests), " ")
		lines = append(lines, fmt.Sprintf("skipped in %s: %s: %s\n", program, names, strings.Join(strings.Fields(why), " ")))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// appendTo appends to a file in one write, because packages run in parallel.
func appendTo(file, lines string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(lines)
	return errors.Join(err, f.Close())
}
