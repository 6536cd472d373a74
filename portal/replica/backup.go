package replica

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A Backup describes a backup of a Region. It is readable without a key, and names no user.
type Backup struct {
	Format int `json:"meridianBackup"` // 1
	// Instance is the instance that the Sealer seals for; empty if the Sealer has no method Instance() string.
	Instance string    `json:"instance,omitempty"`
	Region   string    `json:"region"`
	Primary  string    `json:"primary"`
	At       time.Time `json:"at"` // when it was begun, by the Region's clock
	ID       string    `json:"id"` // random
}

const backupFormat = 1

// A backupLine is one JSON line of what a backup seals. The first has the Identity, each other a message.
type backupLine struct {
	Identity *integrity.Identity `json:"identity,omitempty"`
	Kind     streamKind          `json:"stream,omitempty"`
	Entry    merge.EntryKind     `json:"entry,omitempty"` // not of config
	Until    string              `json:"until,omitempty"` // as in headerUntil
	Body     json.RawMessage     `json:"body,omitempty"`
}

// BackUp writes a backup of the Region to w, from which Config.Backup restores it, while the Region serves. The
// backup has the Region's whole log at one moment: of the primary, that is the instance. It also has every epoch,
// sign-out and revocation that was on the Region's disk by then, and the shortcuts that were written there. It has no
// sessions and no codes: after a restore, users sign in again.
//
// Everything but the result, which begins the file, is sealed by Config.Sealer, for this instance, Region and time. It
// opens nowhere else. An *Error has Reason Config without a Sealer, Key if the key may not be used, and that of Ready
// if the Region doesn't serve. After an error, w holds a file that is refused.
func (n *Node) BackUp(ctx context.Context, w io.Writer) (Backup, error) {
	if n.cfg.Sealer == nil {
		return Backup{}, newError(ReasonConfig, "Sealer", "one: a backup is sealed", "")
	}
	if err := n.serves(); err != nil {
		return Backup{}, err
	}
	if err := n.readToEnd(ctx, kindConfig); err != nil { // other Nodes of the Region write too
		return Backup{}, err
	}
	out, err := n.cfg.newBackupWriter(w, Backup{Format: backupFormat, Instance: n.cfg.instance(), Region: n.cfg.Region,
		Primary: n.cfg.Primary, At: n.cfg.Now().UTC().Truncate(time.Second), ID: rand.Text()})
	if err == nil {
		err = out.add(backupLine{Identity: n.identity.Load()})
	}
	if err == nil {
		err = n.backUpLog(out)
	}
	if err == nil { // after the log, so that they are no older
		err = n.backUpEntries(ctx, out)
	}
	if err == nil {
		err = out.end()
	}
	return out.Backup, err
}

// serves returns why the Region doesn't serve, or nil.
func (n *Node) serves() error {
	if at := n.removedAt.Load(); at > 0 {
		return removedError(n.cfg.Region, at)
	}
	if err := n.damageFound(); err != nil {
		return err
	}
	why, _ := n.stops.first()
	if why == nil && !n.isReady() {
		why = newError(ReasonNotReady, "backup", "a Region that is ready", n.cfg.Region)
	}
	return asError(why)
}

// backUpLog adds the state of the Region's log, as a full transaction.
func (n *Node) backUpLog(out *backupWriter) error {
	n.applying.Lock()
	t, unread := n.dir.Whole(n.cfg.Region), n.log.unread
	n.applying.Unlock()
	if unread > 0 {
		return newError(ReasonCorrupt, "backup of the Region's log", "a readable log",
			fmt.Sprintf("unreadable message %d", unread))
	}
	parts, err := t.Parts(1)
	if err != nil {
		return mergeError(ReasonTooLarge, err)
	}
	for _, p := range parts {
		body, err := json.Marshal(p)
		if err == nil {
			err = out.add(backupLine{Kind: kindConfig, Body: body})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// backUpEntries adds what ends access, of every Region, and the shortcuts that this Region wrote. Any Region may end
// any access, so a restore writes all of it as the Region's own.
func (n *Node) backUpEntries(ctx context.Context, out *backupWriter) error {
	all, err := n.streamsToRead(ctx)
	if err != nil {
		return err
	}
	for _, region := range slices.Sorted(maps.Keys(all)) {
		if slices.Contains(all[region], kindSessions) {
			err = n.backUpStream(ctx, out, kindSessions, region, merge.EntryEnded)
		}
		if err == nil {
			err = n.backUpStream(ctx, out, kindRevoked, region, "")
		}
		if err == nil && region == n.cfg.Region {
			err = n.backUpStream(ctx, out, kindSessions, region, merge.EntryShortcuts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// backUpStream adds the last messages of a stream's subjects, of one kind or of all. A message that replaces an
// earlier one meanwhile comes after it.
func (n *Node) backUpStream(ctx context.Context, out *backupWriter, k streamKind, region string,
	only merge.EntryKind) error {
	s, err := n.stream(ctx, k.stream(region))
	if errors.Is(err, jetstream.ErrStreamNotFound) { // the Region was removed meanwhile
		return nil
	} else if err != nil {
		return err
	}
	prefix := k.prefix(region)
	if only != "" {
		prefix += string(only) + "."
	}
	for msg, err := range messages(ctx, s, prefix) {
		if err != nil {
			return err
		}
		entry := kindOf(strings.TrimPrefix(msg.Subject, k.prefix(region)))
		if !knows(entry) || entry == merge.EntryProbe {
			continue
		}
		subject, head := msg.Subject, msg.Header
		o, err := n.cfg.open(subject, head, msg.Data)
		if err == nil {
			err = out.add(backupLine{Kind: k, Entry: entry, Until: head.Get(headerUntil), Body: o.body})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// instance returns the instance that the Sealer seals for, or "".
func (c *Config) instance() string {
	if s, ok := c.Sealer.(interface{ Instance() string }); ok {
		return s.Instance()
	}
	return ""
}
