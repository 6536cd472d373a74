package replica

import (
	"errors"
	"os"
	"path/filepath"
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
	f, err := os.OpenFile(filepath.Join(dir, "meridian.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
