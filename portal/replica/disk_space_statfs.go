//go:build linux || darwin || freebsd

package replica

import "syscall"

// diskLeft returns how many bytes this process may still write to the file system of a directory.
func diskLeft(dir string) (bytes uint64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(max(0, int64(s.Bavail))) * uint64(s.Bsize), true
}
