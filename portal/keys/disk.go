package keys

import (
	"errors"
	"os"
	"path/filepath"
)

// load reads the file.
func load(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, newError(ReasonNoFile, "file of a Ring", "an existing file; CreateRing makes one", path)
	}
	if err != nil {
		return nil, unavailable("read of "+path, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, newError(ReasonCorrupt, "file of a Ring", "a regular file of at most 64 MiB", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, unavailable("read of "+path, err)
	}
	return b, nil
}

// replace replaces the file as a whole: a crash leaves the old one or the new one. first: there must be none yet.
func replace(path string, b []byte, first bool) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // 0600
	if err != nil {
		return unavailable("write of "+path, err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		if first {
			err = os.Link(f.Name(), path) // unlike a rename, it fails if the file exists
		} else {
			err = os.Rename(f.Name(), path)
		}
	}
	if err != nil || first {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	switch {
	case errors.Is(err, os.ErrExist):
		return newError(ReasonExists, "file of a Ring", "none", path)
	case err != nil:
		return unavailable("write of "+path, err)
	}
	d, err := os.Open(filepath.Dir(path))
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return unavailable("write of "+path, err)
	}
	return nil
}
