package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asProgram in the environment makes the test binary the program itself, which
// is also what children are.
const asProgram = "MERIDIAN_FAILOVER_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" || len(os.Args) == 2 && os.Args[1] == childFlag {
		main()
		return
	}
	os.Exit(m.Run())
}

// hang bounds what a test waits for; nothing comes near it unless it is broken.
const hang = 3 * time.Minute

func background(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	t.Cleanup(cancel)
	return ctx
}

func newTestWorld(t *testing.T, cfg worldConfig) *world {
	t.Helper()
	w, err := newWorld(background(t), cfg)
	require.NoError(t, err)
	t.Cleanup(w.close)
	return w
}
