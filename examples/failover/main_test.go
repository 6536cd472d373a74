package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/program"
)

// command is the program, to be started by the caller. It is killed if it
// takes longer than anything here should.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(background(t), path, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "TMPDIR="+t.TempDir())
	return cmd
}

func TestWalk(t *testing.T) {
	var out, errs bytes.Buffer
	cmd := command(t, "-walk")
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), out.String()+errs.String())
	assert.Empty(t, errs.String())
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Len(t, lines, 14, out.String())
	for i, line := range lines[:13] {
		assert.Regexp(t, fmt.Sprintf(`^%d\. ok    \S.*\S$`, i+1), line)
	}
	assert.Contains(t, lines[11], "0 differences")
	assert.Equal(t, "13 of 13 steps held", lines[13])
	left, err := filepath.Glob(tempOf(cmd) + "/*")
	require.NoError(t, err)
	assert.Empty(t, left, "directories that were left behind")
}

func tempOf(cmd *exec.Cmd) string {
	return strings.TrimPrefix(cmd.Env[len(cmd.Env)-1], "TMPDIR=")
}

func TestBadInputIsOneLineAndExit2(t *testing.T) {
	for _, args := range [][]string{{"-nonsense"}, {"walk"}, {"-walk=perhaps"}, {"-a\nb"}, {childFlag}} {
		var out, errs bytes.Buffer
		cmd := command(t, args...)
		cmd.Stdout, cmd.Stderr = &out, &errs
		require.Error(t, cmd.Run(), args)
		assert.Equal(t, 2, cmd.ProcessState.ExitCode(), args)
		assert.Empty(t, out.String())
		assert.Equal(t, 1, strings.Count(errs.String(), "\n"), errs.String())
		assert.True(t, strings.HasPrefix(errs.String(), "failover: "), errs.String())
	}
}

// Who ends the program while it starts is told that, and not that something
// broke.
func TestInterruptedStart(t *testing.T) {
	ctx, end := context.WithCancelCause(background(t))
	end(errors.New("interrupted"))
	_, err := newWorld(ctx, worldConfig{})
	assert.EqualError(t, err, "the process of the identity provider: interrupted")
}

// A program that is ended while it starts has nothing to complain about. A
// walk that was not taken did not hold.
func TestEndedWhileStarting(t *testing.T) {
	ctx, end := context.WithCancelCause(background(t))
	end(errors.New("terminated signal received"))
	var out bytes.Buffer
	code, err := run(ctx, nil, nil, &out, &out)
	assert.NoError(t, err)
	assert.Equal(t, program.OK, code)
	assert.Empty(t, out.String())
	code, err = run(ctx, []string{"-walk"}, nil, &out, &out)
	assert.NoError(t, err)
	assert.Equal(t, program.Failed, code)
}

func TestHelp(t *testing.T) {
	out, err := command(t, "-h").Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "-walk")
	assert.NotContains(t, string(out), childFlag)
}
