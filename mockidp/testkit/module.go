package testkit

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A Module is a Go module of a test's own, in a folder of the test. A program in it may import what the module under
// test doesn't need.
type Module struct {
	Dir string

	t testing.TB
}

// NewModule writes a Module's files, by name and with a go.mod, and downloads the modules that it needs, such as
// example.com/sdk@v1.2.3, or all if none is named. With -short, or if they can't be downloaded, the test is skipped,
// or fails if MERIDIAN_REQUIRE lists the kind.
func NewModule(t testing.TB, kind string, files map[string]string, needs ...string) Module {
	t.Helper()
	Long(t, kind, "compiling a program in a module of its own takes a while")
	m := Module{t.TempDir(), t}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(m.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := m.Go(append([]string{"mod", "download"}, needs...)...); err != nil {
		Lacking(t, kind, "modules can't be downloaded: "+err.Error()+": "+out)
	}
	return m
}

// Go runs the go command in the Module, for ten minutes at most, and returns its output.
func (m Module) Go(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), 10*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir, c.WaitDelay = m.Dir, 10*time.Second
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod -trimpath", "GOWORK=off")
	out, err := c.CombinedOutput()
	return string(out), err
}

// Build compiles the program in the Module's folder, and returns its path.
func (m Module) Build() (program string) {
	m.t.Helper()
	program = filepath.Join(m.Dir, "program")
	if out, err := m.Go("build", "-o", program, "."); err != nil {
		m.t.Fatalf("the program doesn't compile: %v: %s", err, out)
	}
	return program
}
