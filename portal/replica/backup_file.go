package replica

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
)

// The file of a backup is one line, the Backup as JSON, and then frames: four bytes of length, and so many bytes that
// are sealed. Each is bound to the line, to its number, and to whether it is the last. So no frame can be changed,
// moved, left out, or put into another backup, and none of it opens as anything else.
const (
	maxBackupHead = 4 << 10
	backupFrame   = 512 << 10                     // a frame ends after so many bytes, and one line more
	maxFrame      = backupFrame + 2*maxSealed + 1 // of a sealed one; JSON has a body at most once
)

func frameKey(head []byte, number int, last bool) string {
	return fmt.Sprintf("%s %d %t", head, number, last)
}

// A backupWriter writes the file of a backup.
type backupWriter struct {
	Backup
	cfg    *Config
	w      io.Writer
	head   []byte
	number int
	plain  bytes.Buffer
}

func (c *Config) newBackupWriter(w io.Writer, b Backup) (*backupWriter, error) {
	out := &backupWriter{Backup: b, cfg: c, w: w}
	var err error
	if out.head, err = json.Marshal(b); err != nil {
		return out, err
	}
	return out, out.write(append(bytes.Clone(out.head), '\n'))
}

func (o *backupWriter) write(b []byte) error {
	if _, err := o.w.Write(b); err != nil {
		return &Error{Reason: ReasonUnavailable, Rule: "write of the backup", Err: err}
	}
	return nil
}

func (o *backupWriter) add(l backupLine) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	o.plain.Write(append(b, '\n'))
	if o.plain.Len() < backupFrame {
		return nil
	}
	return o.frame(false)
}

func (o *backupWriter) end() error { return o.frame(true) }

func (o *backupWriter) frame(last bool) error {
	sealed, err := o.cfg.seal("backup", frameKey(o.head, o.number, last), o.plain.Bytes())
	if err != nil {
		return err
	}
	o.number++
	o.plain.Reset()
	return o.write(append(binary.BigEndian.AppendUint32(nil, uint32(len(sealed))), sealed...))
}

// ReadBackup reads the description at the beginning of a backup's file. It doesn't check the rest: only Open with
// Config.Backup does, which needs the key. An error is an *Error with Reason Corrupt or Version.
func ReadBackup(r io.Reader) (Backup, error) {
	b, _, err := readBackupHead(bufio.NewReaderSize(r, maxBackupHead))
	return b, err
}

func readBackupHead(r *bufio.Reader) (b Backup, head []byte, err error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || errors.Is(err, io.EOF) {
		return b, nil, notABackup("no such line")
	} else if err != nil {
		return b, nil, backupUnread(err)
	}
	head = bytes.Clone(bytes.TrimSuffix(line, []byte("\n")))
	switch err := json.Unmarshal(head, &b); {
	case err != nil || b.Format < 1 || b.Region == "" || b.ID == "":
		return Backup{}, nil, notABackup("another line")
	case b.Format > backupFormat:
		return b, nil, needsVersion("backup", fmt.Sprintf("format %d", b.Format), fmt.Sprintf("format %d", backupFormat))
	}
	return b, head, nil
}

func notABackup(got string) *Error {
	return newError(ReasonCorrupt, "backup", "a file that begins with the line of a backup", got)
}

func backupUnread(err error) *Error {
	return &Error{Reason: ReasonUnavailable, Rule: "read of the backup", Err: err}
}

// readBackup reads and opens a whole backup of this Region. Its lines are in memory then, so nothing is written
// before everything was checked.
func (c *Config) readBackup(from io.Reader) (b Backup, lines []backupLine, err error) {
	r := bufio.NewReaderSize(from, maxBackupHead)
	b, head, err := readBackupHead(r)
	if err != nil {
		return b, nil, err
	}
	for _, is := range []struct{ what, want, got string }{
		{"Region of the backup", c.Region, b.Region}, {"primary of the backup", c.Primary, b.Primary},
		{"instance of the backup", c.instance(), b.Instance},
	} {
		if is.want != is.got {
			return b, nil, newError(ReasonConfig, is.what, is.want, is.got)
		}
	}
	left := c.MaxRecover
	for number, last := 0, false; !last; number++ {
		var plain []byte
		if plain, last, err = c.readFrame(r, head, number, left); err != nil {
			return b, nil, err
		}
		left -= int64(len(plain))
		for d := json.NewDecoder(bytes.NewReader(plain)); ; {
			var l backupLine
			if err := d.Decode(&l); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return b, nil, &Error{Reason: ReasonCorrupt, Rule: "backup", Want: "lines of JSON", Err: err}
			}
			lines = append(lines, l)
		}
	}
	if _, err := r.ReadByte(); err == nil {
		return b, nil, newError(ReasonCorrupt, "backup", "nothing after its last frame", "more")
	}
	if len(lines) == 0 || lines[0].Identity == nil || lines[0].Identity.Region != c.Region ||
		lines[0].Identity.Stores == nil {
		return b, nil, newError(ReasonCorrupt, "backup", "the identity of Region "+c.Region, "none")
	}
	return b, lines, nil
}

// readFrame reads the next frame. A frame that opens neither as the last nor as another one was changed.
func (c *Config) readFrame(r io.Reader, head []byte, number int, left int64) (plain []byte, last bool, err error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, false, cutBackup(number, err)
	}
	n := binary.BigEndian.Uint32(size[:])
	switch {
	case n > maxFrame || n > math.MaxInt32:
		return nil, false, newError(ReasonCorrupt, fmt.Sprintf("frame %d of the backup", number),
			fmt.Sprintf("at most %d bytes", maxFrame), fmt.Sprint(n))
	case int64(n) > left:
		return nil, false, newError(ReasonTooLarge, "backup",
			fmt.Sprintf("at most %d bytes, as Config.MaxRecover says", c.MaxRecover), "more")
	}
	sealed := make([]byte, n)
	if _, err := io.ReadFull(r, sealed); err != nil {
		return nil, false, cutBackup(number, err)
	}
	for _, last := range []bool{false, true} {
		plain, err = c.unseal("backup", frameKey(head, number, last), sealed)
		if err == nil {
			return plain, last, nil
		} else if lacksKey(err) {
			break
		}
	}
	e, _ := errors.AsType[*Error](err)
	return nil, false, &Error{Reason: e.Reason, Rule: fmt.Sprintf("frame %d of the backup", number),
		Want: "one that was sealed for this Region and instance, unchanged", Err: e.Err}
}

// cutBackup returns the error of a file that ends in a frame, or without its last one.
func cutBackup(number int, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return newError(ReasonCorrupt, "backup", "a file with its last frame",
			fmt.Sprintf("one that ends in frame %d: it was cut, or not finished", number))
	}
	return backupUnread(err)
}

// BackUpFile writes a backup to a file, which it creates or replaces as a whole, for its owner only: see BackUp. A
// crash leaves the earlier file, and perhaps one whose name ends in .new, which a restore refuses.
func (n *Node) BackUpFile(ctx context.Context, path string) (Backup, error) {
	failed := func(err error) error {
		if err == nil {
			return nil
		}
		return &Error{Reason: ReasonUnavailable, Rule: "file of the backup", Want: "space, and permission to write", Err: err}
	}
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return Backup{}, failed(err)
	}
	b, err := n.BackUp(ctx, f)
	if err == nil {
		err = failed(f.Sync())
	}
	err = cmp.Or(err, failed(f.Close()))
	if err == nil {
		err = failed(os.Rename(f.Name(), path))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return b, err
	}
	return b, failed(syncDir(filepath.Dir(path)))
}
