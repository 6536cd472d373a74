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
)

func TestCodesTravelAndAreTakenOnce(t *testing.T) {
	us, eu, _ := three(t)
	ctx := background(t)
	taken := make(chan []byte, 1)
	go func() { // asks before the code is there
		v, err := eu.Codes().TakeCode(ctx, "c-1")
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
			v, err := eu.Codes().TakeCode(ctx, "c-2")
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

func TestCodesThatAreNot(t *testing.T) {
	c := configOf(virginia, t.TempDir())
	c.CodeWait = 20 * time.Millisecond
	n := open(t, c)
	ctx := background(t)
	_, err := n.Codes().TakeCode(ctx, "nothing")
	require.ErrorIs(t, err, portal.ErrNoCode)
	require.NoError(t, n.Codes().PutCode(ctx, "past", []byte("x"), time.Now().Add(-time.Second)))
	_, err = n.Codes().TakeCode(ctx, "past")
	require.ErrorIs(t, err, portal.ErrNoCode)
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, err = n.Codes().TakeCode(over, "nothing")
	require.Error(t, err)
}
