package replica

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// What an update removes or replaces is still in the log, and when a full
// transaction has taken the log's place it is still in the server's file. The
// server rewrites a file, when messages are purged, only if it has more than
// 2 MiB and less than half of that is left (compactLocked in its filestore.go);
// erasing single messages rewrites a file for each. So padding is written before
// such a full transaction: as much as that has, or half of the largest file, of
// 8 MiB, but more than 2 MiB. What is replaced is then in the smaller half, or in a file that
// goes as a whole. Whoever copies the transaction pads the copy.
const (
	leastPad = 2<<20 + 256<<10
	mostPad  = 4<<20 + 256<<10
	padPart  = 256 << 10
)

// replaces says whether an update changes or removes users that are there.
func replaces(inst *center.Instance, changes []center.Record) bool {
	for _, c := range changes {
		if c.Kind != center.KindUser || inst == nil {
			continue
		}
		if _, there := inst.Snapshot().UserByID(c.Key); there {
			return true
		}
	}
	return false
}

// outdate notes that the log holds what is to be erased, and wakes the maintenance
// when it is time. The caller holds applying.
func (n *Node) outdate() {
	if n.log.outdated.IsZero() {
		n.log.outdated = time.Now()
		time.AfterFunc(n.cfg.EraseAfter, n.wakeMaintenance)
	}
}

// toErase says whether it is time to erase. The caller holds applying.
func (n *Node) toErase() bool {
	return !n.log.outdated.IsZero() && time.Since(n.log.outdated) >= n.cfg.EraseAfter && n.log.unread == 0
}

// pad writes padding to the log. The caller holds applying.
func (n *Node) pad(ctx context.Context) error {
	for most := min(max(leastPad, n.log.size+n.log.since-n.log.padded), mostPad); n.log.padded < most; {
		at := n.log.read
		p := padding(n.dir.Last(n.cfg.Region)+1, at+1)
		if _, err := n.publish(ctx, write{kind: kindConfig, subject: fmt.Sprintf("tx.%d.0", at+1), body: p, part: partHeader(p, len(p.Records)), last: &at}); err != nil {
			return err
		}
		n.log.saw(at+1, p, size(p))
		n.log.wrote[at+1] = true
		n.log.padded += size(p)
	}
	return nil
}

// pad writes padding to the copy, where the copier is: it goes on from there.
func (c *copier) pad(ctx context.Context) error {
	for i := range mostPad/padPart + 1 {
		b, err := json.Marshal(padding(0, 0))
		if err != nil {
			return err
		}
		m := message{Seq: c.at.seq, Subject: fmt.Sprintf("%spad.%d", c.kind.prefix(c.region), i), At: strconv.FormatInt(c.n.cfg.Now().UnixMicro(), 10),
			More: map[string]string{headerFormat: strconv.Itoa(c.n.cfg.writes)}}
		if m.Data, err = c.n.cfg.Codec.Seal(m.Subject, b); err != nil {
			return err
		}
		if err := c.copy(ctx, c.at.store, m); err != nil {
			return err
		}
	}
	return nil
}

// padding is the beginning of a transaction that is never completed: every
// version passes it over.
func padding(stamp, first uint64) merge.Transaction {
	b := make([]byte, padPart/2)
	_, _ = rand.Read(b) // never fails
	return merge.Transaction{Stamp: stamp, First: first, Of: 2, Records: []merge.Record{{Kind: merge.KindGone, Key: hex.EncodeToString(b)}}}
}

// clear lets go of what a full transaction of this Region's log has replaced. The
// caller holds applying.
func (n *Node) clear(ctx context.Context) error {
	if n.log.full == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := n.forgetBefore(ctx, n.cfg.Region, n.log.full); err != nil {
		return err
	}
	n.log.full = 0
	return nil
}
