//go:build !unix || solaris || aix

package replica

import "os"

// lockFile locks nothing where the standard library has no way to.
func lockFile(*os.File) error { return nil }
