//go:build unix

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/check"
)

var pids = regexp.MustCompile(`process (\d+)\)`)

// The program prints what to open and what to kill, and no child outlives it.
func TestChildrenEndWithTheParent(t *testing.T) {
	for name, end := range map[string]func(*exec.Cmd) error{
		"interrupted": func(c *exec.Cmd) error { return c.Process.Signal(os.Interrupt) },
		"killed":      func(c *exec.Cmd) error { return c.Process.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, "-processes")
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			var lines, children []string
			for in := bufio.NewScanner(stdout); len(lines) < 7 && in.Scan(); {
				lines = append(lines, in.Text())
				if m := pids.FindStringSubmatch(in.Text()); m != nil {
					children = append(children, m[1])
				}
			}
			text := strings.Join(lines, "\n")
			require.Len(t, children, 3, text)
			assert.Contains(t, text, "alice@example.com")
			assert.Contains(t, text, "kill -9 "+children[0])
			for _, pid := range children {
				assert.True(t, alive(t, pid))
			}
			require.NoError(t, end(cmd))
			_ = cmd.Wait()
			for _, pid := range children {
				assert.Eventually(t, func() bool { return !alive(t, pid) }, hang, 10*time.Millisecond, pid)
			}
		})
	}
}

// Another program may take a port before the child that is to serve there starts.
// Then all starts again with free ports.
func TestProcessesBeginAgainAtFreePorts(t *testing.T) {
	once := filepath.Join(t.TempDir(), "once")
	script := "#!/bin/sh\nif mkdir '" + filepath.Join(filepath.Dir(once), "began") + "'; then exit 1; fi\n" +
		"exec '" + command(t).Path + "' \"$@\"\n"
	require.NoError(t, os.WriteFile(once, []byte(script), 0o700))
	w, err := newWorld(background(t), worldConfig{Program: once, FixedPorts: true})
	require.NoError(t, err)
	t.Cleanup(w.close)
	assert.True(t, w.moved)
	line, held := check.Take(newWalker(background(t), w), signInAt(1))
	assert.True(t, held, line)
}

// alive reports whether a process runs. A zombie does not, where the system tells.
func alive(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(pid)
	require.NoError(t, err)
	return syscall.Kill(n, 0) == nil && !zombie(n)
}
