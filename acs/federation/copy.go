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
	"strings"
)

// writeFile writes a temporary file in the same directory, syncs it, and renames it
// to path.
func writeFile(path string, raw []byte) (err error) {
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
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit { // opening a named pipe would block
		return nil, fmt.Errorf("%s is not a file of at most %d bytes", path, limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// keep stores the last good document at path, if path is not empty.
func (s *source) keep(path string, raw []byte) {
	if path == "" {
		return
	}
	if err := writeFile(path, raw); err != nil {
		s.cfg.Logger.Error("federation: metadata is not kept on disk", "source", s.Name, "error", err)
	}
}

// loadCopy returns the stored document after it is verified again. It may have
// expired: it then still prevents a rollback. Its age is that of its file.
func (s *source) loadCopy(path string, limit int64) (*document, error) {
	if path == "" {
		return nil, errNone
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNone
	}
	if err != nil {
		return nil, &Error{Reason: ReasonFetch, Rule: s.Name, Err: err}
	}
	raw, err := readFile(path, limit)
	if err != nil {
		return nil, &Error{Reason: ReasonFetch, Rule: s.Name, Err: err}
	}
	d, err := s.verify(raw)
	if err == nil && info.ModTime().Before(d.fetched) {
		d.fetched = info.ModTime()
	}
	return d, err
}

// copyOf returns the path of one entity's file in a directory of copies.
func copyOf(dir, entityID string) string {
	if dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(entityID))
	return filepath.Join(dir, hex.EncodeToString(sum[:])+".xml")
}

// removeCopies removes the files that copyOf names, and no others.
func removeCopies(dir string) error {
	if dir == "" {
		return nil
	}
	names, err := fs.Glob(os.DirFS(dir), strings.Repeat("[0-9a-f]", 2*sha256.Size)+".xml")
	for _, name := range names {
		err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
	}
	return err
}
