//go:build unix && !solaris && !aix

package audit

import (
	"errors"
	"os"
	"syscall"
)

// lockFile reports whether it locked the file. It can't if another process has.
func lockFile(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// unlockFile unlocks what lockFile locked. Closing the file alone would not be enough: a process that is being started
// at that moment shares the lock, until it runs its program.
func unlockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
