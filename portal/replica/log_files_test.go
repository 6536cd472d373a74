package replica_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The server cuts each file of a stream where it is damaged, and goes on with the next one. A
// killed Region has marks of a moment before, and a closed one may be writing. Both detect the
// damage.
func TestALogOfSeveralFilesIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{true, false} {
		dir, disk := t.TempDir(), t.TempDir()
		us := open(t, configOf(virginia, dir))
		signIn(t, us, "u-1", "s-out")
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-s-out", time.Time{}))
		long := strings.Repeat("x", 60_000)
		for i := range 150 {
			require.NoError(t, us.Sessions().EndSignIn(background(t), long, fmt.Sprint(i), time.Time{}))
		}
		marks := func() time.Time {
			info, err := os.Stat(filepath.Join(dir, "meridian.marks"))
			require.NoError(t, err)
			return info.ModTime()
		}
		for range 2 { // what was read before is marked then
			before := marks()
			require.NoError(t, us.Sessions().EndSignIn(background(t), "u-2", fmt.Sprint(before), time.Time{}))
			eventually(t, "marks", func() bool { return marks().After(before) })
		}
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-2", "after the marks", time.Time{}))
		if killed {
			require.NoError(t, os.CopyFS(disk, os.DirFS(dir)))
			us.Close()
		} else {
			us.Close()
			disk = dir
		}
		require.Greater(t, len(messages(t, disk, "revoked_us-east-1")), 1)
		overwrite(t, disk, "revoked_us-east-1", "signin-s-out", []byte{0})
		refusesToOpen(t, configOf(virginia, disk))
		refusesToOpen(t, configOf(virginia, disk))
	}
}
