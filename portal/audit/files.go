package audit

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A file is one file of a chain.
type file struct {
	path  string
	first uint64 // the number of its first event
	size  int64  // of what is on disk for certain
	until uint64 // the number after its last event; only snapshot sets it
}

// rotate ends the current file if it is large or old.
func (c *chain) rotate() error {
	if c.out == nil {
		return nil
	}
	c.mu.Lock()
	size := c.files[len(c.files)-1].size
	c.mu.Unlock()
	if size < c.each && c.log.cfg.Now().Sub(c.began) < c.log.cfg.RotateEvery {
		return nil
	}
	err := c.out.Close()
	c.out = nil
	if err != nil {
		return unavailable("close of a file", err)
	}
	return nil
}

// append adds a block to the current file. After an error the file is ended: what the disk has of it is not known.
func (c *chain) append(b []byte, h head) (err error) {
	if c.out == nil {
		if err := c.begin(); err != nil {
			return err
		}
	}
	c.mu.Lock()
	at := c.files[len(c.files)-1].size
	c.mu.Unlock()
	if _, err = c.out.WriteAt(b, at); err == nil {
		err = c.out.Sync()
	}
	if err != nil {
		err = errors.Join(err, c.out.Truncate(at), c.out.Close())
		c.out = nil
		return err
	}
	c.mu.Lock()
	c.files[len(c.files)-1].size, c.next = at+int64(len(b)), h.next()
	c.mu.Unlock()
	return nil
}

// begin makes a new file. If an attempt failed, the file may exist, without a block.
func (c *chain) begin() error {
	path := c.path(c.next)
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, filePerm)
	if err != nil {
		return err
	}
	if err := syncDir(c.log.cfg.Dir); err != nil {
		return errors.Join(err, out.Close())
	}
	c.mu.Lock()
	if n := len(c.files); n > 0 && c.files[n-1].path == path {
		c.files = c.files[:n-1]
	}
	c.files = append(c.files, file{path: path, first: c.next})
	c.mu.Unlock()
	c.out, c.began = out, c.log.cfg.Now()
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// trim removes the oldest files while the class is larger than its limit.
func (c *chain) trim() {
	for {
		c.mu.Lock()
		total := int64(0)
		for _, f := range c.files {
			total += f.size
		}
		if len(c.files) < 2 || total <= c.max && len(c.files) <= maxFiles {
			c.mu.Unlock()
			return
		}
		oldest, until := c.files[0], c.files[1].first
		c.files = slices.Clone(c.files[1:])
		c.mu.Unlock()
		if err := os.Remove(oldest.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			c.log.cfg.Logger.Error("audit: file not removed", "file", filepath.Base(oldest.path), "error", err)
		}
		c.log.removed(c.class, oldest.first, until-1)
	}
}

// usage returns the bytes on disk, and how many of them Exported has not confirmed.
func (c *chain) usage(exported uint64) (total, unexported int64) {
	files, _ := c.snapshot()
	for _, f := range files {
		total += f.size
		if f.until-1 > exported {
			unexported += f.size
		}
	}
	return total, unexported
}

// snapshot returns the files as they are now.
func (c *chain) snapshot() ([]file, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Clone(c.files)
	for i := range all {
		all[i].until = c.next
		if i+1 < len(all) {
			all[i].until = all[i+1].first
		}
	}
	return all, c.next
}

// escapeGlob escapes a path for filepath.Glob.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
