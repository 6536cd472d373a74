package audit_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/keys"
)

// writeUntilKilled is the program that the test kills: it prints the ID of each event that is acknowledged.
func writeUntilKilled(dir string) {
	die := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	ring, err := keys.OpenRing(keys.RingConfig{
		Path: os.Getenv("AUDIT_TEST_RING"), Region: virginia, Key: bytes.Repeat([]byte{7}, 32),
	})
	die(err)
	sealer, err := keys.NewSealer(keys.Config{
		Key: ring.Use(os.Getenv("AUDIT_TEST_KEY"), "meridian"), Instance: "ssoins-7223aaaabbbbcccc",
	})
	die(err)
	l, err := audit.Open(audit.Small(audit.Config{Dir: dir, Region: virginia, Sealer: sealer, AccessPerHour: 1 << 30,
		MaxAccess: 1 << 30}))
	die(err)
	out := make(chan string)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				e := signIn("ada")
				e.ID = audit.EventID(fmt.Sprint(os.Getpid()), fmt.Sprint(rand.Uint64()))
				if i%5 == 0 {
					die(l.Change(context.Background(), e))
				} else {
					die(l.Access(context.Background(), e))
				}
				out <- e.ID
			}
		})
	}
	for id := range out {
		fmt.Println(id)
	}
}

// The process is killed at any moment of its work, again and again. All that it acknowledged is there.
func TestKilledLogLosesNothingAcknowledged(t *testing.T) {
	r := newRegion(t, virginia)
	ring := filepath.Join(t.TempDir(), "ring")
	made, err := keys.CreateRing(keys.RingConfig{Path: ring, Region: virginia, Key: bytes.Repeat([]byte{7}, 32)})
	require.NoError(t, err)
	k, err := made.Create(keys.KeyConfig{Policy: keys.Allow("meridian")})
	require.NoError(t, err)
	acked := map[string]bool{}
	for range 12 {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "AUDIT_TEST_WRITE="+r.cfg.Dir, "AUDIT_TEST_RING="+ring, "AUDIT_TEST_KEY="+k.ID)
		var said bytes.Buffer
		cmd.Stderr = &said
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(stdout)
		for range 20 + rand.N(200) {
			require.True(t, lines.Scan(), "%s", &said)
			acked[lines.Text()] = true
		}
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() { // what it still said before it died
			if len(lines.Text()) == 36 {
				acked[lines.Text()] = true
			}
		}
		require.Error(t, cmd.Wait())
	}
	sealer, err := keys.NewSealer(keys.Config{Key: made.Use(k.ID, "meridian"), Instance: "ssoins-7223aaaabbbbcccc"})
	require.NoError(t, err)
	r.cfg.Sealer = sealer
	all, wrong := exported(t, r.open())
	require.Empty(t, wrong)
	seen := map[string]int{}
	for _, e := range all {
		seen[e.ID]++
	}
	for id := range acked {
		require.Equal(t, 1, seen[id], id)
	}
	assert.Greater(t, len(acked), 240)
	t.Logf("%d acknowledged, %d events, %d cut", len(acked), len(all), len(named(all, "AuditLogCut")))
}
