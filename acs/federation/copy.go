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

// writeFile writes a file beside its place, and renames it when it is whole and on disk.
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
	if !info.Mode().IsRegular() || info.Size() > limit { // to open a pipe would wait
		return nil, fmt.Errorf("%s is not a file of at most %d bytes", path, limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// keep keeps the last good document, where path is not empty.
func (s *source) keep(path string, raw []byte) {
	if path == "" {
		return
	}
	if err := writeFile(path, raw); err != nil {
		s.cfg.Logger.Error("federation: metadata is not kept on disk", "source", s.Name, "error", err)
	}
}

// loadCopy is the document that was kept, verified again. It may be over: it then still
// prevents a rollback. It is as old as its file.
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

// copyOf is the file of one entity in a directory of copies.
func copyOf(dir, entityID string) string {
	if dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(entityID))
	return filepath.Join(dir, hex.EncodeToString(sum[:])+".xml")
}

// removeCopies removes what copyOf names, and no other file.
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
