package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "samlcheck")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "samlcheck.exe")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// run gives the program's exit code and what it wrote.
func run(t *testing.T, stdin []byte, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// requireUsageError requires one line on standard error, and no verdict.
func requireUsageError(t *testing.T, want string, stdin []byte, args ...string) {
	t.Helper()
	code, stdout, stderr := run(t, stdin, args...)
	require.Equal(t, 2, code, "%s%s", stdout, stderr)
	require.Empty(t, stdout)
	require.Regexp(t, `\Asamlcheck: [^\n]+\n\z`, stderr, "one line")
	require.NotContains(t, stderr, "goroutine")
	require.Contains(t, stderr, want)
}

// write writes a file for a test.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// without removes a flag and its values.
func without(args []string, flag string, values int) []string {
	for i, a := range args {
		if a == flag {
			return append(append([]string{}, args[:i]...), args[i+1+values:]...)
		}
	}
	panic(fmt.Sprintf("no %s in %s", flag, strings.Join(args, " ")))
}
