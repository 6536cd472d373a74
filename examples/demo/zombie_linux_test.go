package main

import (
	"bytes"
	"fmt"
	"os"
)

// zombie reports whether a process has ended and its parent has not waited for it.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	i := bytes.LastIndexByte(b, ')')
	return err == nil && i > 0 && bytes.HasPrefix(b[i+1:], []byte(" Z"))
}
