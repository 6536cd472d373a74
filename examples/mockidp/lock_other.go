//go:build !unix || solaris || aix

package main

import "os"

// lockFile locks nothing, as package syscall has no way to.
func lockFile(*os.File) error { return nil }

func unlockFile(*os.File) error { return nil }
