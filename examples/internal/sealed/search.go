package sealed

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// MinLength is the length of the shortest string that a Search finds: random bytes don't have one by chance.
const MinLength = 10

// A Search finds strings in data: as they are, in base64, in which JSON has bytes, and in base64 of that. It is safe
// for concurrent use.
type Search struct {
	// forms are what is searched, by their first two bytes.
	forms   [1 << 16][]form
	longest int // form

	mu    sync.Mutex
	found map[string]bool
	bytes int64 // that were searched
}

type form struct {
	text []byte
	of   string
}

// NewSearch makes a Search for strings of 10 bytes or more.
func NewSearch(all ...string) (*Search, error) {
	s := &Search{found: map[string]bool{}}
	slices.Sort(all)
	for _, one := range slices.Compact(all) {
		if len(one) < MinLength {
			return nil, fmt.Errorf("the string %q is too short to be searched", one)
		}
		s.add(one, one)
		for _, once := range inBase64(one) {
			s.add(once, one)
			for _, twice := range inBase64(once) {
				s.add(twice, one)
			}
		}
	}
	return s, nil
}

func (s *Search) add(text, of string) {
	at := int(text[0])<<8 | int(text[1])
	s.forms[at] = append(s.forms[at], form{[]byte(text), of})
	s.longest = max(s.longest, len(text))
}

// inBase64 returns how a string looks in base64, at any offset. What the bytes around it change is left out.
func inBase64(s string) (out []string) {
	for shift := range 3 {
		b := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + s))
		out = append(out, b[(shift*8+5)/6:len(b)-2])
	}
	return out
}

// In searches data.
func (s *Search) In(data []byte) { s.in(data, len(data)) }

// in searches data, of which the last bytes are new.
func (s *Search) in(data []byte, fresh int) {
	var found []string
	for i := range max(0, len(data)-1) {
		for _, f := range s.forms[int(data[i])<<8|int(data[i+1])] {
			if bytes.HasPrefix(data[i:], f.text) {
				found = append(found, f.of)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += int64(fresh)
	for _, one := range found {
		s.found[one] = true
	}
}

// Found returns the strings that were found, in order, and how many bytes were searched.
func (s *Search) Found() (all []string, searched int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := range s.found {
		all = append(all, one)
	}
	slices.Sort(all)
	return all, s.bytes
}

// Files searches all files of a directory, and returns how many there are. Servers may remove files meanwhile.
func (s *Search) Files(dir string) (files int, err error) {
	return files, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil
		} else if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		files++
		s.In(b)
		return err
	})
}

// Stream returns a Writer that searches what is written to it. One goroutine may use it.
func (s *Search) Stream() io.Writer { return &stream{search: s} }

// A stream keeps the last bytes: a string may begin in one write and end in the next.
type stream struct {
	search *Search
	last   []byte
}

// Write implements io.Writer.
func (s *stream) Write(b []byte) (int, error) {
	s.last = append(s.last, b...)
	s.search.in(s.last, len(b))
	s.last = bytes.Clone(s.last[max(0, len(s.last)-s.search.longest):])
	return len(b), nil
}
