package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// load finds the chain's files, and cuts a torn end of the last one. It returns how many bytes it cut.
func (c *chain) load() (cutBytes int, err error) {
	names, err := filepath.Glob(filepath.Join(escapeGlob(c.log.cfg.Dir), string(c.class)+"-*.log"))
	if err != nil {
		return 0, unavailable("list of "+c.log.cfg.Dir, err)
	}
	slices.Sort(names)
	for _, name := range names {
		var first uint64
		base := strings.TrimPrefix(filepath.Base(name), string(c.class)+"-")
		if _, err := fmt.Sscanf(base, "%020d.log", &first); err != nil || c.path(first) != name {
			continue // not ours
		}
		info, err := os.Stat(name)
		if err != nil {
			return 0, unavailable("read of "+name, err)
		}
		c.files = append(c.files, file{path: name, first: first, size: info.Size()})
		c.next = max(c.next, first)
	}
	for i := len(c.files) - 1; i >= 0; i-- {
		f := &c.files[i]
		b, err := os.ReadFile(f.path)
		if err != nil {
			return 0, unavailable("read of "+f.path, err)
		}
		all := parts(b)
		if end, isTorn := torn(all); isTorn && i == len(c.files)-1 && len(b)-end <= headSize+maxBody {
			if err := cutFile(f.path, int64(end)); err != nil {
				return 0, unavailable("cut of "+f.path, err)
			}
			cutBytes, f.size = len(b)-end, int64(end)
			all = slices.DeleteFunc(all, func(p part) bool { return p.from >= end })
		} else if len(b) > 0 { // its name is taken, even if it has no block
			c.next = max(c.next, f.first+1)
		}
		found, err := c.loadBlocks(all, f.path)
		if err != nil || found {
			return cutBytes, err
		}
	}
	return cutBytes, nil
}

// loadBlocks takes the next number and the marks from a file. It reports whether the file had a whole block.
func (c *chain) loadBlocks(all []part, path string) (found bool, err error) {
	for _, p := range all {
		if p.headed {
			c.next = max(c.next, p.next())
		}
		if p.body == nil {
			continue
		}
		if c.class != Changes && c.class != Remote { // which alone have marks
			found = true
			continue
		}
		m, _, err := c.opened(p, path)
		if reasonOf(err) == ReasonKey {
			return false, err
		}
		if err != nil {
			continue
		}
		found = true
		for name, at := range m.Marks {
			c.marks[name] = max(c.marks[name], at)
		}
	}
	return found, nil
}

func cutFile(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}
