package replica_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/keys"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A sealedRegion is what the processes of the primary are given: a Ring of their own.
type sealedRegion struct {
	ring, key string
}

func newSealedRegion(t *testing.T) sealedRegion {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	r, err := keys.CreateRing(keys.RingConfig{Path: path, Region: virginia, Key: make([]byte, 32)})
	require.NoError(t, err)
	made, err := r.Create(keys.KeyConfig{Policy: keys.Allow("portal")})
	require.NoError(t, err)
	return sealedRegion{path, made.ID}
}

func (s sealedRegion) job(dir string) job {
	return job{Dir: dir, Listen: "127.0.0.1:0", Ring: s.ring, Key: s.key}
}

// killed starts a process and kills it after that time, whatever it does then.
func killed(t *testing.T, j job, after time.Duration) {
	t.Helper()
	spec, err := json.Marshal(j)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "MERIDIAN_PROCESS="+string(spec))
	in, err := cmd.StdinPipe() // it ends with this process, whatever ends that
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // SIGKILL
	_ = cmd.Wait()
	_ = in.Close()
}

// A process is killed at any moment of a restore. Then the Region is as it was before, and the restore can be started
// again, or it has everything. Nothing in between serves.
func TestAProcessThatIsKilledWhileItRestores(t *testing.T) {
	t.Parallel()
	s, file := newSealedRegion(t), filepath.Join(t.TempDir(), "backup")
	c, err := s.job(t.TempDir()).config()
	require.NoError(t, err)
	us := open(t, c)
	const users = 600
	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		for i := range users {
			if err := tx.PutUser(center.User{ID: userName(i), UserName: userName(i)}); err != nil {
				return err
			}
		}
		return nil
	}))
	for i := range 50 {
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", fmt.Sprint("end-", i), time.Time{}))
	}
	want := us.Digest().Items
	_, err = us.BackUpFile(background(t), file)
	require.NoError(t, err)
	us.Close()

	j := s.job(t.TempDir())
	j.Backup = file
	began := time.Now()
	start(t, j).kill()
	whole := time.Since(began)
	before, between, after := 0, 0, 0
	const rounds = 10
	for i := range rounds {
		j.Dir = t.TempDir()
		killed(t, j, whole*time.Duration(i+1)/(rounds+1))
		left := identities(t, j.Dir)
		c, err := j.config()
		require.NoError(t, err)
		c.Backup, c.Restored = nil, false
		n, err := replica.Open(background(t), c)
		switch {
		case err == nil:
			after++
		case len(left) == 0: // nothing but an empty Region, which has no Seed
			assert.NotEqual(t, replica.ReasonDamaged, reasonOf(err), "%v", err)
			c.Dir = t.TempDir() // where this start has written
			before++
		default:
			require.Equal(t, replica.ReasonDamaged, reasonOf(err), "%v", err)
			between++
		}
		if err != nil {
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			c.Backup, c.Restored = bytes.NewReader(b), true
			n = open(t, c)
		}
		got := n.Digest().Items
		for what := range want {
			assert.Contains(t, got, what)
		}
		n.Close()
	}
	t.Logf("killed before anything was written: %d; in between: %d; when all was there: %d", before, between, after)
}

// A process is killed while it backs up, again and again. The file is always a whole backup, or isn't there. A file
// that was not finished is refused.
func TestAProcessThatIsKilledWhileItBacksUp(t *testing.T) {
	t.Parallel()
	s, file, dir := newSealedRegion(t), filepath.Join(t.TempDir(), "backup"), t.TempDir()
	c, err := s.job(dir).config()
	require.NoError(t, err)
	us := open(t, c)
	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		for i := range 3000 {
			if err := tx.PutUser(center.User{ID: userName(i), UserName: userName(i)}); err != nil {
				return err
			}
		}
		return nil
	}))
	us.Close()
	unfinished := 0
	for i := range 8 {
		p := start(t, s.job(dir))
		p.tell(t, "backup "+file)
		eventually(t, "a backup", func() bool {
			_, err := os.Stat(file)
			return err == nil
		})
		time.Sleep(time.Duration(i) * 3 * time.Millisecond) // any moment will do
		p.kill()
		for name, whole := range map[string]bool{file: true, file + ".new": false} {
			b, err := os.ReadFile(name)
			if !whole && errors.Is(err, os.ErrNotExist) {
				continue
			}
			require.NoError(t, err)
			c, err := s.job("").config()
			require.NoError(t, err)
			n, err := replica.Open(background(t), restoring(t, c, b))
			switch {
			case err == nil:
				_, there := userIn(n, userName(2999))
				assert.True(t, there)
				n.Close()
			default:
				unfinished++
				assert.False(t, whole, "%v", err)
				assert.Equal(t, replica.ReasonCorrupt, reasonOf(err), "%v", err)
			}
		}
	}
	t.Logf("files that were not finished: %d", unfinished)
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	b, err := replica.ReadBackup(f)
	require.NoError(t, err)
	assert.Equal(t, virginia, b.Region)
	assert.Equal(t, "ssoins-1", b.Instance)
}
