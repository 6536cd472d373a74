package replica_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// While the servers don't answer, updates fail as Unavailable, all together, and
// reads go on. Alone: the server is gone. Three: the leader of the log has lost
// the others, keeps the first write in flight and says of the next ones that
// another came first.
func TestUpdatesDuringAStalledWrite(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 3} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			c := newCluster(t, virginia, size)
			us := c.node(t, virginia)
			signIn(t, us, "u-1", "s")
			update := func(id string) error {
				return us.View().Update(putUser(center.User{ID: id, UserName: id + "@example.com"}))
			}
			eventually(t, "an update", func() bool { return update("first") == nil })
			var stopped []int
			leader := 0
			if size > 1 {
				s, err := c.streams(t).Stream(background(t), "KV_config_"+virginia)
				require.NoError(t, err)
				_, err = fmt.Sscanf(strings.TrimPrefix(s.CachedInfo().Cluster.Leader, virginia), "-%d", &leader)
				require.NoError(t, err)
			}
			for i := range size {
				if size == 1 || i != leader {
					c.stop(i)
					stopped = append(stopped, i)
				}
			}

			begun := time.Now()
			var updates sync.WaitGroup
			for i := range 8 {
				updates.Go(func() {
					for j := range 3 {
						err := update(fmt.Sprintf("u-%d-%d", i, j))
						var why *replica.Error
						if assert.ErrorAs(t, err, &why) {
							assert.Equal(t, replica.ReasonUnavailable, why.Reason, err)
						}
					}
				})
			}
			assert.True(t, alive(t, us, "s"))
			updates.Wait()
			assert.Less(t, time.Since(begun), time.Minute, "24 updates, which waited one after the other would take two minutes")

			for _, i := range stopped {
				c.start(t, i)
			}
			eventually(t, "an update", func() bool { return update("last") == nil })
		})
	}
}
