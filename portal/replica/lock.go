package replica

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// What a Node makes in its directory.
const (
	lockName  = "meridian.lock"
	storeName = "jetstream" // the embedded server's; and see spaceName
)

// errLocked: another process has the directory.
var errLocked = errors.New("replica: another Node has this directory")

// lock takes a directory for this Node alone, until the file is closed or the
// process ends, however it ends. The embedded server wouldn't notice a second
// one, and two write over each other.
func lock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// keepPrivate takes a directory that existed away from everybody but its owner,
// as one is that lock makes. It holds sessions and people. One with files of
// others in it, such as /tmp, stays as it is: what is below is private anyway.
func keepPrivate(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 || runtime.GOOS == "windows" {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !isOurs(e.Name()) }) {
		return errors.New("it is open to other users of this machine, and holds files that are not a Node's")
	}
	return os.Chmod(dir, 0o700)
}

// isOurs says whether a Node makes files of that name in its directory.
func isOurs(name string) bool {
	if name == lockName || name == storeName || name == spaceName {
		return true
	}
	return slices.ContainsFunc([]string{identityName, marksName, copiesName}, func(kept string) bool { return strings.HasPrefix(name, identityFile(kept)) })
}
