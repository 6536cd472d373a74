package replica

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// A recovery deletes the Region's own streams, because a server does not reliably continue with damaged files. These
// steps make sure that a crash or a full disk loses no readable message:
//
//  1. The Identity says that the Region is damaged. Everything is written into one more stream, the stage. A start
//     that finds this begins again.
//  2. The Identity says that the stage is complete, and names the new streams. From here on the stage counts. A
//     start that finds this goes on, and needs no other Region.
//  3. Each stream is deleted, created, filled from the stage and named. A stream with its new name is done.
//  4. The Identity says that nothing is damaged. The stage is deleted.

// stageStream is the stream in which a recovery is merged.
func (n *Node) stageStream() string { return stagePrefix + n.cfg.Region }

// stageSubjects begins the subjects of the stage; "": of all streams.
func (n *Node) stageSubjects(k streamKind) string {
	if k == "" {
		return "meridian.recovery." + n.cfg.Region + "."
	}
	return n.stageSubjects("") + string(k) + "."
}

// add writes a message to the stage, sealed for its subject in the new stream.
func (r *recovery) add(ctx context.Context, w write) error {
	n := r.n
	msg, _, err := n.message(w)
	if err != nil {
		return err
	}
	msg.Subject = n.stageSubjects(w.kind) + w.subject
	_, err = n.send(ctx, n.stageStream(), msg, jetstream.WithExpectLastSequence(r.staged))
	if errors.Is(err, errConflict) {
		return unavailable("write to stream "+n.stageStream(), err)
	} else if err != nil {
		return err
	}
	r.staged++
	return n.passes("staged " + w.subject)
}

// resume completes a start with Config.Restored or Config.Recover that was interrupted, before the streams are
// examined. If several Nodes may be started at once, the operator says which of them does that.
func (n *Node) resume(ctx context.Context) error {
	d, _, err := n.readIdentity(ctx)
	if n.operatorDecided() && reasonDamaged(err) {
		return nil // it is created anew
	}
	if err != nil || d == nil || d.Region != n.cfg.Region || n.cfg.URL != "" && !n.operatorDecided() {
		return err
	}
	n.cfg.Restored = n.cfg.Restored || d.Restoring && len(n.cfg.Recover) == 0
	if d.Recovery == nil {
		return nil
	}
	n.identity.Store(d)
	s, err := n.stream(ctx, n.stageStream())
	if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	count := d.Recovery.Count
	if err != nil || s.CachedInfo().State.Msgs != count || s.CachedInfo().State.LastSeq != count {
		if n.operatorDecided() {
			return n.changeIdentity(ctx, func(d *integrity.Identity) { d.Recovery = nil })
		}
		return damaged("", "its recovery was not completed, and what it had merged is damaged")
	}
	n.cfg.Logger.Warn("replica: an interrupted recovery goes on", "from", strings.Join(d.Recovery.From, ", "))
	from := d.Recovery.From
	if err := n.takeOver(ctx); err != nil {
		return err
	}
	if !slices.ContainsFunc(n.cfg.Recover, func(name string) bool { return !slices.Contains(from, name) }) {
		n.cfg.Recover = nil // it is done
	}
	return nil
}

// takeOver replaces the Region's own streams by the content of the stage.
func (n *Node) takeOver(ctx context.Context) error {
	if err := n.passes("complete"); err != nil {
		return err
	}
	for _, k := range []streamKind{kindRevoked, kindSessions, kindConfig} { // ends first
		if err := n.takeOverStream(ctx, k); err != nil {
			return err
		}
	}
	if err := n.markFresh(ctx); err != nil {
		return err
	}
	from := n.identity.Load().Recovery.From
	err := n.changeIdentity(ctx, func(d *integrity.Identity) {
		d.Vouch(n.cfg.Now().Unix())
		n.generation = d.Start(rand.Text()[:12])
		d.Recovery, d.Made, d.Orphaned, d.Whole = nil, true, false, false // see firstMarks
		d.Backup = ""
	})
	if err == nil {
		err = n.passes("undamaged")
	}
	if err == nil {
		err = n.deleteStream(ctx, n.stageStream())
	}
	backup := n.backup
	n.backup = nil // it is done
	if err == nil && backup != nil {
		n.cfg.Logger.Warn("replica: restored from a backup", "of", backup.At, "from", strings.Join(from, ", "))
	} else if err == nil && len(from) == 0 {
		n.cfg.Logger.Warn("replica: the Region's streams are sealed now")
	} else if err == nil {
		n.cfg.Logger.Warn("replica: recovered from other Regions' copies", "from", strings.Join(from, ", "))
	}
	return err
}

// takeOverStream creates one stream again, unless that is done.
func (n *Node) takeOverStream(ctx context.Context, k streamKind) error {
	old, err := n.stream(ctx, k.stream(n.cfg.Region))
	if err == nil && old.CachedInfo().Config.Metadata[storeID] == n.identity.Load().Stores[string(k)] {
		return nil
	} else if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	if err := n.recreate(ctx, k, n.cfg.Region); err != nil {
		return err
	}
	if err := n.passes("remade " + string(k)); err != nil {
		return err
	}
	s, err := n.stream(ctx, n.stageStream())
	if err != nil {
		return err
	}
	for msg, err := range messages(ctx, s, n.stageSubjects(k)) {
		if err == nil {
			err = n.moveStaged(ctx, k, msg)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(n.name(ctx, k), n.passes("named "+string(k)))
}

// moveStaged writes a message of the stage to its new stream.
func (n *Node) moveStaged(ctx context.Context, k streamKind, staged *jetstream.RawStreamMsg) error {
	rest := strings.TrimPrefix(staged.Subject, n.stageSubjects(k))
	msg := nats.NewMsg(k.prefix(n.cfg.Region) + rest)
	msg.Data = staged.Data
	maps.Copy(msg.Header, staged.Header)
	maps.DeleteFunc(msg.Header, func(key string, _ []string) bool { return !strings.HasPrefix(key, "Meridian-") })
	var opts []jetstream.PublishOpt
	if until := number(msg.Header.Get(headerUntil)); until > 0 {
		end, now := time.Unix(int64(until)-1, 0), n.cfg.Now()
		if end.Before(now) {
			return nil
		}
		opts = append(opts, jetstream.WithMsgTTL(ttl(end, now)))
	}
	if _, err := n.send(ctx, k.stream(n.cfg.Region), msg, opts...); err != nil {
		return err
	}
	return n.passes(fmt.Sprintf("moved %s %s", k, rest))
}

// clearRestoring notes that the effects of Config.Restored are in the log.
func (n *Node) clearRestoring(ctx context.Context) error {
	if !n.identity.Load().Restoring {
		return nil
	}
	if err := n.passes("restored"); err != nil {
		return err
	}
	return n.changeIdentity(ctx, func(d *integrity.Identity) { d.Restoring = false })
}

// passes allows a test to end a start after a step, like a crash.
func (n *Node) passes(step string) error {
	if n.cfg.passes == nil {
		return nil
	}
	return n.cfg.passes(step)
}
