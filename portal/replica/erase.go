package replica

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Data that an update removes or replaces stays in the log. When a full transaction has replaced the log, the data
// stays in the server's file. When messages are purged, the server rewrites a file only if it has more than 2 MiB and
// less than half of that is left (compactLocked in its filestore.go); erasing single messages rewrites a file for each.
// So padding is written before such a full transaction. It has the same size as the transaction, but more than 2 MiB
// and at most half of the largest file, which has 8 MiB. The replaced data is then in the smaller half, or in a file
// that is removed as a whole. A copier pads the copy in the same way.
const (
	leastPad = 2<<20 + 256<<10
	mostPad  = 4<<20 + 256<<10
	padPart  = 256 << 10
)

// replaces reports whether an update changes or removes existing users.
func replaces(inst *center.Instance, changes []center.Record) bool {
	return inst != nil && slices.ContainsFunc(changes, func(c center.Record) bool {
		if c.Kind != center.KindUser {
			return false
		}
		_, exists := inst.Snapshot().UserByID(c.Key)
		return exists
	})
}

// outdate notes that the log contains data to erase, and wakes the maintenance in time. The caller holds applying.
func (n *Node) outdate() {
	if n.log.outdated.IsZero() {
		n.log.outdated = time.Now()
		time.AfterFunc(n.cfg.EraseAfter, n.wakeMaintenance)
	}
}

// pad writes padding to the log. The caller holds applying.
func (n *Node) pad(ctx context.Context) error {
	for most := min(max(leastPad, n.log.size+n.log.since-n.log.padded), mostPad); n.log.padded < most; {
		at := n.log.read
		p := padding(n.dir.Last(n.cfg.Region)+1, at+1)
		w := write{kind: kindConfig, subject: fmt.Sprintf("tx.%d.0", at+1), body: p, part: partHeader(p, len(p.Records)),
			last: &at}
		if _, err := n.publish(ctx, w); err != nil {
			return err
		}
		n.log.count(at+1, p, size(p))
		n.log.wrote[at+1] = true
		n.log.padded += size(p)
	}
	return nil
}

// pad writes padding to the copy. The copier's position in the original stays.
func (c *copier) pad(ctx context.Context) error {
	for i := range mostPad/padPart + 1 {
		b, err := json.Marshal(padding(0, 0))
		if err != nil {
			return err
		}
		m := message{
			Seq: c.at.seq, Subject: fmt.Sprintf("%spad.%d", c.kind.prefix(c.region), i),
			At:   strconv.FormatInt(c.n.cfg.Now().UnixMicro(), 10),
			More: map[string]string{headerFormat: strconv.Itoa(c.n.cfg.writes)},
		}
		if c.n.cfg.Sealer != nil {
			m.More[headerBound] = schema
		}
		if m.Data, err = c.n.cfg.sealed(m.Subject, b); err != nil {
			return err
		}
		if err := c.copy(ctx, c.at.store, m); err != nil {
			return err
		}
	}
	return nil
}

// padding is the beginning of a transaction that is never completed: every version skips it.
func padding(stamp, first uint64) merge.Transaction {
	records := []merge.Record{{Kind: merge.KindGone, Key: randomHex()}}
	return merge.Transaction{Stamp: stamp, First: first, Of: 2, Records: records}
}

func randomHex() string {
	b := make([]byte, padPart/2)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// clear removes the messages that a full transaction of this Region's log has replaced. The caller holds applying.
func (n *Node) clear(ctx context.Context) error {
	if n.log.full == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := n.clearBefore(ctx, n.cfg.Region, n.log.full); err != nil {
		return err
	}
	n.log.full = 0
	return nil
}

// Sessions name their user, and the server keeps expired messages in the file to which it writes. So after users were
// removed, the Node fills that file, which has 4 MiB, with padding that expires. The file is removed when the last
// session in it has expired. Other Regions copy the padding, so their files are removed too.
const fileSize = 4 << 20

// outdateSessions looks for removed users in a transaction of the primary. Each removal leaves a mark in the primary's
// log forever. The stamp of the last removal for which sessions were padded is stored (erasedName), so a Region that
// was down during a removal pads them later. The caller holds applying.
func (n *Node) outdateSessions(t merge.Transaction) {
	for _, r := range t.Records {
		if r.Kind == merge.KindGone && strings.HasPrefix(r.Key, string(center.PrincipalUser)+" ") {
			n.log.usersUpTo = max(n.log.usersUpTo, number(string(r.Value)))
		}
	}
	if n.log.usersUpTo > n.log.usersErased && n.log.usersGone.IsZero() {
		n.log.usersGone = time.Now()
		time.AfterFunc(n.cfg.EraseAfter, n.wakeMaintenance)
	}
}

// readErased reads the stored stamp. After a backup was restored, the stamp may be too old.
func (n *Node) readErased(ctx context.Context) error {
	if n.operatorDecided() {
		return nil
	}
	b, _, err := n.identityStore.read(ctx, erasedName)
	n.log.usersErased = number(string(b)) // no other goroutine runs yet
	return err
}

// padSessions pads this Region's sessions, when it is time.
func (n *Node) padSessions(ctx context.Context) error {
	n.applying.Lock()
	since, upTo := n.log.usersGone, n.log.usersUpTo
	n.applying.Unlock()
	if since.IsZero() || time.Since(since) < n.cfg.EraseAfter {
		return nil
	}
	for range fileSize/padPart + 1 {
		// The mark that a code was taken has no effect. No code has such a key.
		w := n.entryWrite(merge.EntryTaken, merge.Entry{Key: randomHex()}, n.cfg.Now().Add(padExpires))
		if _, err := n.publish(ctx, w); err != nil {
			return err
		}
	}
	if err := n.store(ctx, erasedName, upTo, nil); err != nil {
		n.cfg.Logger.Warn("replica: the next start pads the sessions again", "error", err)
	}
	n.applying.Lock()
	defer n.applying.Unlock()
	n.log.usersGone, n.log.usersErased = time.Time{}, upTo
	n.outdateSessions(merge.Transaction{}) // other users may have been removed meanwhile
	return nil
}
