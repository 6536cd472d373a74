package main_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openPTY returns both ends of a pseudo-terminal.
func openPTY(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = ours.Close() })
	var number, unlock int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, ours.Fd(), request, uintptr(unsafe.Pointer(value)))
		require.Zero(t, errno)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	return ours, theirs
}

// onTerminal runs the subcommand with a terminal as standard error, and returns what it wrote there.
func onTerminal(t *testing.T, env []string, args ...string) string {
	t.Helper()
	ours, theirs := openPTY(t)
	cmd := exec.Command(binary(t), append([]string{"attack"}, args...)...)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), theirs
	require.NoError(t, cmd.Start())
	require.NoError(t, theirs.Close())
	var wrote bytes.Buffer
	_, _ = io.Copy(&wrote, ours) // it ends with EIO when the program has ended
	_ = cmd.Wait()
	require.Equal(t, 1, cmd.ProcessState.ExitCode(), wrote.String())
	return wrote.String()
}

// On a terminal, one line says how far the run is. In the end it is gone.
func TestAttackOnATerminal(t *testing.T) {
	_, args := credulous(t)
	args = append(args, "-only", "A03,B01")
	wrote := onTerminal(t, []string{"TERM=xterm", "NO_COLOR="}, args...)
	assert.Regexp(t, `\r1 of 3 attacks, (\d+m)?\d+s, about (\d+m)?\d+s left, 1 let in  A03/assertion`, wrote)
	assert.Contains(t, wrote, "B01  \x1b[31;1mlet in\x1b[0m as \"alice@example.com\"")
	assert.Regexp(t, `\r +\r$`, wrote)
	colors := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	for _, line := range strings.FieldsFunc(wrote, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if strings.Contains(line, " attacks, ") {
			assert.Less(t, utf8.RuneCountInString(colors.ReplaceAllString(line, "")), 80, line)
		}
	}

	wrote = onTerminal(t, []string{"TERM=xterm", "NO_COLOR=1"}, args...)
	assert.Contains(t, wrote, "B01  let in as ")
	wrote = onTerminal(t, []string{"TERM=dumb", "NO_COLOR="}, args...)
	assert.NotContains(t, wrote, "of 3 attacks")
	assert.NotContains(t, wrote, "\x1b")
}
