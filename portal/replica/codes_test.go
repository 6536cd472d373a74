package replica_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica"
)

func TestCodesTravelAndAreTakenOnce(t *testing.T) {
	us, eu, _ := three(t)
	ctx := background(t)
	taken := make(chan []byte, 1)
	go func() { // asks before the code is there
		v, _, err := eu.Codes().TakeCode(ctx, "c-1")
		assert.NoError(t, err)
		taken <- v
	}()
	require.NoError(t, us.Codes().PutCode(ctx, "c-1", []byte("who"), time.Now().Add(time.Minute)))
	assert.Equal(t, "who", string(<-taken))

	require.NoError(t, us.Codes().PutCode(ctx, "c-2", []byte("who"), time.Now().Add(time.Minute)))
	var got atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			v, _, err := eu.Codes().TakeCode(ctx, "c-2")
			if err == nil {
				assert.Equal(t, "who", string(v))
				got.Add(1)
				return
			}
			assert.ErrorIs(t, err, portal.ErrNoCode)
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, got.Load())
}

func TestCodesSayWhichRegionPutThem(t *testing.T) {
	us, eu, _ := three(t)
	for key, n := range map[string]*replica.Node{"c-us": us, "c-eu": eu} {
		require.NoError(t, n.Codes().PutCode(background(t), key, []byte("who"), time.Now().Add(time.Minute)))
		_, from, err := eu.Codes().TakeCode(background(t), key)
		require.NoError(t, err)
		assert.Equal(t, n.Region(), from)
	}
}

func TestCodesThatAreDropped(t *testing.T) {
	n := open(t, configOf(virginia, t.TempDir()))
	ctx := background(t)
	require.NoError(t, n.Codes().DropCode(ctx, "nothing"), "without waiting for it")
	require.NoError(t, n.Codes().PutCode(ctx, "c-1", []byte("who"), time.Now().Add(time.Minute)))
	require.NoError(t, n.Codes().DropCode(ctx, "c-1"))
	require.NoError(t, n.Codes().DropCode(ctx, "c-1"))
	_, _, err := n.Codes().TakeCode(ctx, "c-1")
	require.ErrorIs(t, err, portal.ErrNoCode)
}

// noticed is a context that says when somebody waits for its end.
type noticed struct {
	context.Context
	waits func()
}

func (n noticed) Done() <-chan struct{} {
	n.waits()
	return n.Context.Done()
}

func TestWaitingForCodesIsBounded(t *testing.T) {
	n := open(t, configOf(virginia, t.TempDir()))
	require.NoError(t, n.Codes().PutCode(background(t), "here", []byte("who"), time.Now().Add(time.Minute)))
	ctx, stop := context.WithCancel(background(t))
	defer stop()
	var wg sync.WaitGroup
	for range 256 {
		waiting := make(chan struct{})
		mark := sync.OnceFunc(func() { close(waiting) })
		wg.Go(func() {
			_, _, err := n.Codes().TakeCode(noticed{ctx, mark}, "nothing")
			assert.ErrorIs(t, err, context.Canceled)
		})
		<-waiting
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, _, err := n.Codes().TakeCode(short, "nothing")
	require.ErrorIs(t, err, portal.ErrNoCode, "who finds no room does not wait")
	v, _, err := n.Codes().TakeCode(ctx, "here")
	require.NoError(t, err, "what is here needs no room")
	assert.Equal(t, "who", string(v))
	stop()
	wg.Wait()
	short, cancel = context.WithTimeout(background(t), 20*time.Millisecond)
	defer cancel()
	_, _, err = n.Codes().TakeCode(short, "nothing")
	require.ErrorIs(t, err, context.DeadlineExceeded, "there is room again")
}

func TestCodesThatAreNot(t *testing.T) {
	c := configOf(virginia, t.TempDir())
	c.CodeWait = 20 * time.Millisecond
	n := open(t, c)
	ctx := background(t)
	_, _, err := n.Codes().TakeCode(ctx, "nothing")
	require.ErrorIs(t, err, portal.ErrNoCode)
	require.NoError(t, n.Codes().PutCode(ctx, "past", []byte("x"), time.Now().Add(-time.Second)))
	_, _, err = n.Codes().TakeCode(ctx, "past")
	require.ErrorIs(t, err, portal.ErrNoCode)
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err = n.Codes().TakeCode(over, "nothing")
	require.Error(t, err)
}
