package replica

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Names in a Node's directory.
const (
	lockName  = "meridian.lock"
	storeName = "jetstream" // the embedded server's; and see spaceName
)

// errLocked: another Node has locked the directory.
var errLocked = errors.New("replica: another Node has this directory")

// lock locks a directory for this Node, until the file is closed or the process ends. The
// embedded server doesn't notice a second one, and both would overwrite the same files.
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

// keepPrivate makes an existing directory accessible to its owner only, like one that lock
// creates: it holds sessions and personal data. One with other files in it, such as /tmp,
// is not changed: the server's directory in it is private anyway.
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
		return errors.New("it is accessible to other users of this machine, and holds files that are not a Node's")
	}
	return os.Chmod(dir, 0o700)
}

// isOurs reports whether a Node creates files of that name in its directory.
func isOurs(name string) bool {
	if name == lockName || name == storeName || name == spaceName {
		return true
	}
	return slices.ContainsFunc(storedNames, func(stored string) bool { return strings.HasPrefix(name, identityFile(stored)) })
}
