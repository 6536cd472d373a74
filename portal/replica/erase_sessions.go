package replica

import (
	"context"
	"crypto/rand"
	"encoding/hex"
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

// outdateSessions looks for users that a transaction of the primary removes. The
// caller holds applying.
func (n *Node) outdateSessions(t merge.Transaction) {
	for _, r := range t.Records {
		if r.Kind == center.KindUser && r.Value == nil && n.log.usersGone.IsZero() {
			n.log.usersGone = time.Now()
			time.AfterFunc(n.cfg.EraseAfter, n.nudge)
		}
	}
}

// padSessions pads this Region's sessions, when it is time.
func (n *Node) padSessions(ctx context.Context) error {
	n.applying.Lock()
	since := n.log.usersGone
	n.applying.Unlock()
	if since.IsZero() || time.Since(since) < n.cfg.EraseAfter {
		return nil
	}
	for range fileSize/padPart + 1 {
		b := make([]byte, padPart/2)
		_, _ = rand.Read(b) // never fails
		// A code that was taken is nothing to anybody; no code has such a key.
		if _, err := n.put(ctx, entryWrite(merge.EntryTaken, merge.Entry{Key: hex.EncodeToString(b)}, n.cfg.Now().Add(padExpires))); err != nil {
			return err
		}
	}
	n.applying.Lock()
	defer n.applying.Unlock()
	if n.log.usersGone.Equal(since) {
		n.log.usersGone = time.Time{}
	}
	return nil
}
