package replica_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/codestest"
	"github.com/meridian-saml/meridian/portal/replica"
)

func TestCodesTravelToARegionThatWaits(t *testing.T) {
	t.Parallel()
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
}

func TestCodesSayWhichRegionPutThem(t *testing.T) {
	t.Parallel()
	us, eu, _ := three(t)
	for key, n := range map[string]*replica.Node{"c-us": us, "c-eu": eu} {
		require.NoError(t, n.Codes().PutCode(background(t), key, []byte("who"), time.Now().Add(time.Minute)))
		_, from, err := eu.Codes().TakeCode(background(t), key)
		require.NoError(t, err)
		assert.Equal(t, n.Region(), from)
	}
}

func TestCodesKeepTheContract(t *testing.T) {
	t.Parallel()
	codestest.Run(t, func(t *testing.T) (out []codestest.Region) {
		var nodes []*replica.Node
		for _, region := range []string{virginia, frankfurt} {
			c := configOf(region, t.TempDir())
			c.CodeWait = 20 * time.Millisecond
			nodes = append(nodes, open(t, c))
			out = append(out, codestest.Region{Name: region, Codes: nodes[len(nodes)-1].Codes()})
		}
		mesh(t, nodes...)
		return out
	}, codestest.Options{})
}

// noticed is a context that reports when a caller waits for its end.
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
	short, cancel := context.WithTimeout(ctx, time.Minute) // under CodeWait
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

func TestTakingACodeEndsWithItsContext(t *testing.T) {
	c := configOf(virginia, t.TempDir())
	c.CodeWait = 20 * time.Millisecond
	n := open(t, c)
	ctx := background(t)
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err := n.Codes().TakeCode(over, "nothing")
	require.Error(t, err)
}
