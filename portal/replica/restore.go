package replica

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A restored is the backup that a start restores. Its content is merged with that of the Regions in Config.Recover as
// if it was in the Region's own streams: see recovery. So the steps of a recovery make sure that a crash leaves a
// Region that doesn't start without the backup, or one that is restored as a whole.
type restored struct {
	Backup
	lines []backupLine
}

// unpack reads Config.Backup, and writes its Identity into an empty Region: from then on the Region is damaged, until
// everything is restored. It refuses a Region that has anything of its own.
func (n *Node) unpack(ctx context.Context) error {
	d, rev, err := n.readIdentity(ctx)
	if n.cfg.Backup == nil {
		if d != nil && d.Backup != "" && d.Recovery == nil {
			return damaged("", restoreIncomplete)
		}
		return nil // others report err
	}
	if err != nil {
		return err
	}
	b, lines, err := n.cfg.readBackup(n.cfg.Backup)
	if err != nil {
		return err
	}
	if d != nil && d.Backup != b.ID {
		return notEmpty("one that was not being restored from this backup")
	}
	n.backup = &restored{b, lines[1:]}
	if d != nil {
		return nil
	}
	for _, k := range streamKinds {
		if _, err := n.stream(ctx, k.stream(n.cfg.Region)); err == nil {
			return notEmpty("stream " + k.stream(n.cfg.Region))
		} else if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
	}
	next := *lines[0].Identity
	next.Backup, next.Recovery, next.Restoring = b.ID, nil, false
	next.Damage = n.damageOf("", restoreIncomplete)
	if err := n.writeIdentity(ctx, next, rev); err != nil {
		return err
	}
	return n.passes("unpacked")
}

const restoreIncomplete = "its restore from a backup was not completed: start it again with Config.Backup and the " +
	"same options (with URL: one Node alone)"

// incomplete returns why a Region is damaged whose recovery has begun.
func (n *Node) incomplete() string {
	if n.backup != nil {
		return restoreIncomplete
	}
	return "its recovery was not completed: start it again with the same options (with URL: one Node alone, with " +
		"Config.Recover or Config.Restored)"
}

func notEmpty(got string) error {
	return newError(ReasonConfig, "Backup", "a Region whose Dir or URL has nothing of it", got)
}

// takeBackup adds what a backup has to the recovery.
func (r *recovery) takeBackup(b *restored) error {
	piece := merge.Piece{Store: r.n.identity.Load().Stores[string(kindConfig)]}
	var parts merge.Assembler
	for _, l := range b.lines {
		var err error
		switch {
		case l.Kind == kindConfig:
			var p merge.Transaction
			if err = json.Unmarshal(l.Body, &p); err == nil {
				if whole, ok := parts.Add(p.First+uint64(p.Part), p); ok {
					piece.Log = append(piece.Log, whole)
				}
			}
		case knows(l.Entry) && entryStream[l.Entry] == l.Kind:
			var e merge.Entry
			if err = json.Unmarshal(l.Body, &e); err == nil {
				m := message{Subject: l.Kind.prefix(r.n.cfg.Region) + subject(nil, l.Entry, e), Until: l.Until}
				err = r.entry(l.Kind, m, opened{body: l.Body})
			}
		default:
			err = fmt.Errorf("an entry of kind %q", l.Entry)
		}
		if err != nil {
			return &Error{Reason: ReasonCorrupt, Rule: "backup", Want: "messages that this version reads", Err: err}
		}
	}
	if len(piece.Log) != 1 {
		return newError(ReasonCorrupt, "backup", "one whole state", fmt.Sprint(len(piece.Log)))
	}
	r.log = append(r.log, piece)
	return nil
}
