package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// exportedFile has the Position up to which events were exported.
const exportedFile = "exported.json"

func (l *Log) loadExported() error {
	l.exported = Position{}
	b, err := os.ReadFile(filepath.Join(l.cfg.Dir, exportedFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unavailable("read of "+exportedFile, err)
	}
	if err := json.Unmarshal(b, &l.exported); err != nil { // then everything counts as not exported
		l.cfg.Logger.Error("audit: file not readable", "file", exportedFile, "error", err)
		l.exported = Position{}
	}
	return nil
}

// Exported notes that everything up to a Position of Export is kept elsewhere, so that its removal here loses nothing.
func (l *Log) Exported(p Position) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := Position{}
	for _, class := range classes {
		_, end := l.chains[class].snapshot()
		if next[class] = max(l.exported[class], p[class]); next[class] >= end {
			return newError(ReasonConfig, "Position of "+string(class), fmt.Sprintf("at most %d", end-1), fmt.Sprint(p[class]))
		}
	}
	b, err := json.Marshal(next)
	if err != nil {
		return unavailable("write of "+exportedFile, err)
	}
	if err := replaceFile(filepath.Join(l.cfg.Dir, exportedFile), b); err != nil {
		return unavailable("write of "+exportedFile, err)
	}
	l.exported = next
	return nil
}

// replaceFile replaces a file as a whole: a crash leaves the old one or the new one.
func replaceFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}
