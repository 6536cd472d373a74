package audit

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"path/filepath"
)

// A file is a sequence of blocks. A block is what one write added: events that were waiting together. It is a head, and
// a body that is sealed as a whole:
//
//	 0   magic, which no text contains
//	 4   length of the body
//	 8   number of the first event in its class, from 1
//	16   number of events
//	20   checksum of the body
//	24   checksum of this head
//
// The body is lines of JSON: a meta, and then the events. The checksums find what a crash or a disk damaged. What an
// attacker changed doesn't open: Region, class, first number and number of events are associated data.
const headSize = 28

var (
	magic      = []byte{0xfe, 0xff, 'M', 0x01}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// maxBlock bounds the events of one block, in bytes, and maxBody a body that is read: sealing adds a little.
const (
	maxBlock = 1 << 20
	maxBody  = maxBlock + maxEvent + 64<<10
)

// A head describes a block.
type head struct {
	first uint64
	count uint32
	size  uint32 // of the body
	sum   uint32 // of the body
}

// meta is the first line of a body.
type meta struct {
	// Marks are positions that the block's events stand for (see Log.Once). The first block of a file has all of them.
	Marks map[string]uint64 `json:"marks,omitempty"`
}

func (h head) next() uint64 { return h.first + uint64(h.count) }

func (h head) append(b []byte) []byte {
	at := len(b)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint32(b, h.size)
	b = binary.BigEndian.AppendUint64(b, h.first)
	b = binary.BigEndian.AppendUint32(b, h.count)
	b = binary.BigEndian.AppendUint32(b, h.sum)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[at:], castagnoli))
}

// readHead reads the head at the start of b.
func readHead(b []byte) (h head, ok bool) {
	if len(b) < headSize || !bytes.HasPrefix(b, magic) {
		return h, false
	}
	h = head{
		size: binary.BigEndian.Uint32(b[4:]), first: binary.BigEndian.Uint64(b[8:]),
		count: binary.BigEndian.Uint32(b[16:]), sum: binary.BigEndian.Uint32(b[20:]),
	}
	ok = crc32.Checksum(b[:24], castagnoli) == binary.BigEndian.Uint32(b[24:]) &&
		h.size > 0 && h.size <= maxBody && h.count > 0 && h.first > 0 && h.next() > h.first
	return h, ok
}

// A part is what was found at one place of a file: a block, or bytes that are none.
type part struct {
	head
	from, to int    // in the file
	body     []byte // nil: damaged
	headed   bool   // whether the head was read
}

// parts finds the blocks of a file's content. What isn't a block becomes damaged parts. Finding the next block after
// damage takes one pass over the content.
func parts(b []byte) (out []part) {
	lost := -1 // where damage begins
	end := func(at int) {
		if lost >= 0 {
			out, lost = append(out, part{from: lost, to: at}), -1
		}
	}
	for at := 0; at < len(b); {
		h, ok := readHead(b[at:])
		if !ok {
			if lost < 0 {
				lost = at
			}
			skip := bytes.Index(b[at+1:], magic)
			if skip < 0 {
				break
			}
			at += 1 + skip
			continue
		}
		end(at)
		to := at + headSize + int(h.size)
		p := part{head: h, from: at, to: min(to, len(b)), headed: true}
		if to <= len(b) && crc32.Checksum(b[at+headSize:to], castagnoli) == h.sum {
			p.body = b[at+headSize : to]
			out, at = append(out, p), to
			continue
		}
		// The length may be right although the body isn't: but look for a block inside, in case bytes are missing.
		next := len(b)
		if skip := bytes.Index(b[at+1:], magic); skip >= 0 {
			next = at + 1 + skip
		}
		p.to = next
		out, at = append(out, p), next
	}
	end(len(b))
	return out
}

// torn returns where the content of the last file ends, if what follows was never written as a whole: everything
// after the last good block.
func torn(all []part) (at int, isTorn bool) {
	for i := len(all); i > 0; i-- {
		if all[i-1].body != nil {
			return all[i-1].to, i < len(all)
		}
	}
	return 0, len(all) > 0
}

// bound is the associated data of a block.
func (c *chain) bound(h head) []byte {
	return fmt.Appendf(nil, "meridian audit 1|%s|%s|%d|%d", c.log.cfg.Region, c.class, h.first, h.count)
}

// opened opens a block, and returns its meta and its events' lines.
func (c *chain) opened(p part, file string) (m meta, lines [][]byte, err error) {
	plain := p.body
	if s := c.log.cfg.Sealer; s != nil {
		if plain, err = s.Open(c.log.ctx, p.body, c.bound(p.head)); err != nil {
			if key := c.log.keyError(); key != nil {
				return m, nil, key
			}
			return m, nil, damaged(file, p, err)
		}
	}
	lines = bytes.Split(bytes.TrimSuffix(plain, []byte("\n")), []byte("\n"))
	if len(lines) != int(p.count)+1 || json.Unmarshal(lines[0], &m) != nil {
		return m, nil, damaged(file, p, nil)
	}
	return m, lines[1:], nil
}

func damaged(file string, p part, cause error) *Error {
	want := "a block"
	if p.headed {
		want = fmt.Sprintf("events %d to %d", p.first, p.next()-1)
	}
	return &Error{
		Reason: ReasonDamaged, Rule: "file " + filepath.Base(file), Want: want,
		Got: fmt.Sprintf("bytes %d to %d", p.from, p.to), Err: cause,
	}
}
