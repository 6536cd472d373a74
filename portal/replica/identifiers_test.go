package replica_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A state that the baseline wrote gets IDs that are the same in every Region. It isn't known when its users were
// created. Of a user of this version it is known, also after the primary was rolled back to the baseline, changed the
// user there, and was upgraded again.
func TestIdentifiersOutliveARollback(t *testing.T) {
	t.Parallel()
	older, newer := build(t, baseline(t)), os.Args[0]
	dir, euDir := t.TempDir(), t.TempDir()
	us := startOf(t, older, job{Dir: dir, Listen: "127.0.0.1:0"})
	require.Equal(t, "ok", us.say(t, "user before active"))
	us.close(t)

	us = startOf(t, newer, job{Dir: dir, Listen: "127.0.0.1:0"})
	eu := startOf(t, newer, job{Region: frankfurt, Dir: euDir, Listen: "127.0.0.1:0"})
	followEach(t, us, eu)
	before := us.say(t, "about before")
	assert.True(t, strings.HasSuffix(before, " "+unknown()), before)
	require.Equal(t, "ok", us.say(t, "user after active"))
	after := us.say(t, "about after")
	assert.False(t, strings.HasSuffix(after, " "+unknown()), after)
	eu.becomes(t, before, "about before")
	eu.becomes(t, after, "about after")
	us.close(t)

	us = startOf(t, older, job{Dir: dir, Listen: "127.0.0.1:0"})
	followEach(t, us, eu)
	for _, id := range []string{"before", "after"} {
		require.Equal(t, "ok", us.say(t, "user %s inactive", id))
		eu.becomes(t, "inactive", "person %s", id)
	}
	agree(t, us, eu)
	assert.Equal(t, before, eu.say(t, "about before"))
	assert.Equal(t, after, eu.say(t, "about after"))
	us.close(t)

	us = startOf(t, newer, job{Dir: dir, Listen: "127.0.0.1:0"})
	us.becomes(t, "inactive", "person after")
	assert.Equal(t, before, us.say(t, "about before"))
	assert.Equal(t, after, us.say(t, "about after"))
	followEach(t, us, eu)
	agree(t, us, eu)
}

// unknown is a date that isn't known, as "about" says it.
func unknown() string { return fmt.Sprint(time.Time{}.UnixMilli()) }
