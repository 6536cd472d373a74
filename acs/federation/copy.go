package federation

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// keep writes the last good document: beside its place, and renamed into it when it is
// whole and on disk.
func keep(path string, raw []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is not a file of at most %d bytes", path, limit)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// loadCopy is the document that was kept, verified as if it had just come.
func (s *source) loadCopy(path string, limit int64, last *document) (*document, error) {
	if path == "" {
		return nil, errNone
	}
	raw, err := readFile(path, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNone
	}
	if err != nil {
		return nil, &Error{Reason: ReasonFetch, Rule: s.Name, Err: err}
	}
	return s.accept(raw, last)
}

// copyOf is the file of one entity in a directory of copies.
func copyOf(dir, entityID string) string {
	if dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(entityID))
	return filepath.Join(dir, hex.EncodeToString(sum[:])+".xml")
}
