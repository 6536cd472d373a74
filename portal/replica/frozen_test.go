//go:build unix

package replica_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/natsstore"
)

// natsProcesses starts a cluster of processes, and gives the addresses for
// clients.
func natsProcesses(t *testing.T, region string, size int) (servers []*exec.Cmd, urls string) {
	t.Helper()
	spec := clusterSpec{region, t.TempDir(), freePorts(t, 2*size)}
	for i := range size {
		b, err := json.Marshal(map[string]any{"Region": spec.Region, "Dir": spec.Dir, "Ports": spec.Ports, "Index": i})
		require.NoError(t, err)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "MERIDIAN_NATS="+string(b))
		cmd.Stderr = os.Stderr
		_, err = cmd.StdinPipe() // which ends with this process, whatever ends it
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		servers = append(servers, cmd)
	}
	_, urls = spec.options()
	return servers, urls
}

// One of three servers is frozen, whichever it is: it answers nothing and keeps
// its connections. The Node and a natsstore.Store leave it and go on.
func TestFrozenServerIsLeft(t *testing.T) {
	t.Parallel()
	servers, urls := natsProcesses(t, virginia, 3)
	nc, err := nats.Connect(urls,
		append(natsstore.ConnectOptions(), nats.UserInfo("meridian", nodePassword), nats.RetryOnFailedConnect(true))...)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	eventually(t, "a cluster", func() bool {
		ctx, cancel := context.WithTimeout(background(t), time.Second)
		defer cancel()
		_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "up", Replicas: len(servers)})
		return err == nil
	})
	var store *natsstore.Store
	eventually(t, "a store", func() bool {
		store, err = natsstore.New(background(t), natsstore.Config{InsecurePlaintext: true,
			JetStream: js, Replicas: len(servers)})
		return err == nil
	})
	us := open(t, clusterConfig(virginia, urls, len(servers)))
	w := newWriters(us)
	for i, s := range servers {
		w.await(t, 30)
		require.NoError(t, s.Process.Signal(syscall.SIGSTOP))
		frozen := time.Now()
		w.await(t, 30)
		node := time.Since(frozen)
		eventually(t, "a record", func() bool {
			err := store.Add(background(t), fmt.Sprintf("frozen.%d", i), nil, time.Now().Add(time.Minute))
			return err == nil || errors.Is(err, acs.ErrExists) // a call that timed out may have worked
		})
		t.Logf("server %d frozen: 30 writes of each kind after %v, a record after %v", i, node, time.Since(frozen))
		require.NoError(t, s.Process.Signal(syscall.SIGCONT))
	}
	w.end()
	holds(t, us.Digest(), w.acked)
}
