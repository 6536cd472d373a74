package replica

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Sessions name their user, and the server keeps in the file that it is writing
// what has expired. So after users were removed the Node fills that file, of
// 4 MiB, with padding that expires: then it goes, as a whole, when the last
// session in it has expired. Other Regions copy the padding, and their files go
// as well.
const (
	fileSize   = 4 << 20
	padExpires = 5 * time.Second
)

// erasedName is the name, in the identityStore, of the stamp of the last removal of a user
// for which that was done. So it is also done by a Region that was off when users
// were removed, or whose process ended before it was time: each removal leaves a
// mark in the primary's log for good.
const erasedName = "erased"

// outdateSessions looks for users that a transaction of the primary removes, or
// says were removed. The caller holds applying.
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

// readErased reads what erasedName says. What was put back from elsewhere may be
// older than that.
func (n *Node) readErased(ctx context.Context) error {
	if n.vouched() {
		return nil
	}
	b, _, err := n.identityStore.read(ctx, erasedName)
	if err != nil {
		return unavailable("read of what was erased", err)
	}
	n.log.usersErased = number(string(b)) // no other goroutine runs yet
	return nil
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
		b := make([]byte, padPart/2)
		_, _ = rand.Read(b) // never fails
		// A code that was taken is nothing to anybody; no code has such a key.
		if _, err := n.publish(ctx, entryWrite(merge.EntryTaken, merge.Entry{Key: hex.EncodeToString(b)}, n.cfg.Now().Add(padExpires))); err != nil {
			return err
		}
	}
	if err := n.identityStore.put(ctx, erasedName, []byte(strconv.FormatUint(upTo, 10))); err != nil {
		n.cfg.Logger.Warn("replica: the next start pads the sessions again", "region", n.cfg.Region, "error", err)
	}
	n.applying.Lock()
	defer n.applying.Unlock()
	n.log.usersGone, n.log.usersErased = time.Time{}, upTo
	n.outdateSessions(merge.Transaction{}) // others may have been removed meanwhile
	return nil
}
