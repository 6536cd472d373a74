//go:build linux || darwin || freebsd

package replica

import "syscall"

// diskLeft is how many bytes this process may still write to the file system
// that a directory is on.
func diskLeft(dir string) (bytes uint64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(max(0, int64(s.Bavail))) * uint64(s.Bsize), true
}
