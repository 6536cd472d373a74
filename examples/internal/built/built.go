// Package built lets the tests of a command run the command itself, built once for all of them.
package built

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Program is the command in the directory that the tests run in.
type Program struct {
	dir  string
	path func() (string, error)
}

// New returns a Program, for a variable of the test package. It is built when it is needed.
func New() *Program {
	p := &Program{}
	p.path = sync.OnceValues(func() (path string, err error) {
		if p.dir, err = os.MkdirTemp("", "meridian-built-"); err != nil {
			return "", err
		}
		path = filepath.Join(p.dir, "program")
		out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
		return path, nil
	})
	return p
}

// Main is the body of TestMain: it runs the tests, removes the program, and ends the process.
func (p *Program) Main(m *testing.M) {
	code := m.Run()
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
	os.Exit(code)
}

// Command returns the program, for the caller to start. It is killed after limit, which should be longer than any
// successful run takes.
func (p *Program) Command(t testing.TB, limit time.Duration, args ...string) *exec.Cmd {
	t.Helper()
	path, err := p.path()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	stuck := time.AfterFunc(limit, func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
	})
	t.Cleanup(func() { stuck.Stop() })
	return cmd
}
