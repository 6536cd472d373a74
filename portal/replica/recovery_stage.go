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

// A recovery deletes the Region's own streams, as a server does not go on
// reliably with files that were damaged. So that a crash, or a disk that is
// full, loses nothing of what was readable, it has these steps:
//
//  1. The Identity says that the Region is damaged. All is written into one more
//     stream, the stage. A start that finds it so begins again.
//  2. The Identity says that the stage is complete, and how the new streams are
//     called. From here on the stage counts. A start that finds it so goes on,
//     and needs no other Region.
//  3. Stream by stream: it is deleted, made, filled from the stage and named. One
//     that has its new name is done.
//  4. The Identity says that nothing is damaged. The stage is deleted.

// stageStream is the stream in which a recovery is put together.
func (n *Node) stageStream() string { return stagePrefix + n.cfg.Region }

const stagePrefix = "recovery_"

// stagePlace is where a message of a stream stands in the stage, but for the rest
// of its subject.
func (n *Node) stagePlace(k streamKind) string {
	return "meridian.recovery." + n.cfg.Region + "." + string(k) + "."
}

// A recoveryStage is the stream while it is written.
type recoveryStage struct {
	n     *Node
	count uint64
}

func (n *Node) makeStage(ctx context.Context) (*recoveryStage, error) {
	c := jetstream.StreamConfig{
		Name: n.stageStream(), Description: "Meridian: recovery of Region " + n.cfg.Region,
		Subjects: []string{"meridian.recovery." + n.cfg.Region + ".>"}, Storage: jetstream.FileStorage, Replicas: n.cfg.Replicas,
	}
	_, err := asking(ctx, func(ctx context.Context) (jetstream.Stream, error) { return n.js.CreateStream(ctx, c) })
	if err != nil {
		return nil, unavailable("making of stream "+c.Name, err)
	}
	return &recoveryStage{n: n}, nil
}

// add writes a message, sealed for the place where it is to stand in the end.
func (s *recoveryStage) add(ctx context.Context, w write) error {
	n := s.n
	msg, _, err := n.message(w)
	if err != nil {
		return err
	}
	msg.Subject = n.stagePlace(w.kind) + w.subject
	if err := n.publishMsg(ctx, n.stageStream(), msg, jetstream.WithExpectLastSequence(s.count)); err != nil {
		return err
	}
	s.count++
	return n.passes("staged " + w.subject)
}

// publish writes a message of a recovery, and returns when it is on disk.
func (n *Node) publishMsg(ctx context.Context, stream string, msg *nats.Msg, opts ...jetstream.PublishOpt) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if _, err := n.js.PublishMsg(ctx, msg, opts...); err != nil {
		return unavailable("write to stream "+stream, err)
	}
	return nil
}

// resume completes what a start with Config.Restored, or with Config.Recover, has
// not, before the streams are looked at. Where several Nodes may be started at
// once the operator says which of them does that.
func (n *Node) resume(ctx context.Context) error {
	d, _, err := n.readIdentity(ctx)
	if n.vouched() && reasonDamaged(err) {
		return nil // it is made anew
	}
	if err != nil || d == nil || d.Region != n.cfg.Region || n.cfg.URL != "" && !n.vouched() {
		return err
	}
	n.cfg.Restored = n.cfg.Restored || d.Restoring && len(n.cfg.Recover) == 0
	if d.Recovery == nil {
		return nil
	}
	n.identity.Store(d)
	whole, err := n.stageWhole(ctx)
	if err != nil {
		return err
	}
	if !whole {
		if n.vouched() {
			return n.changeIdentity(ctx, func(d *integrity.Identity) { d.Recovery = nil })
		}
		return damaged("", "its recovery was not completed, and what it had put together is damaged")
	}
	n.cfg.Logger.Warn("replica: a recovery goes on that was interrupted", "region", n.cfg.Region, "from", strings.Join(d.Recovery.From, ", "))
	from := d.Recovery.From
	if err := n.takeOver(ctx); err != nil {
		return err
	}
	if !slices.ContainsFunc(n.cfg.Recover, func(name string) bool { return !slices.Contains(from, name) }) {
		n.cfg.Recover = nil // it is done
	}
	return nil
}

// stageWhole says whether the stage holds all that was written into it.
func (n *Node) stageWhole(ctx context.Context) (bool, error) {
	s, err := n.stream(ctx, n.stageStream())
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, nil
	} else if err != nil {
		return false, unavailable("look at stream "+n.stageStream(), err)
	}
	state, want := s.CachedInfo().State, n.identity.Load().Recovery.Count
	return state.Msgs == want && state.LastSeq == want, nil
}

// takeOver puts what is in the stage into the place of the Region's own streams.
func (n *Node) takeOver(ctx context.Context) error {
	if err := n.passes("complete"); err != nil {
		return err
	}
	for _, k := range []streamKind{kindRevoked, kindSessions, kindConfig} { // ends first
		if err := n.takeOverLine(ctx, k); err != nil {
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
		d.Recovery, d.Made, d.Orphaned, d.Whole = nil, true, false, false // see wasWhole
	})
	if err == nil {
		err = n.passes("undamaged")
	}
	if err == nil {
		err = n.deleteStream(ctx, n.stageStream())
	}
	if err == nil {
		n.cfg.Logger.Warn("replica: recovered from other Regions' copies", "region", n.cfg.Region, "from", strings.Join(from, ", "))
	}
	return err
}

// takeOverLine makes one stream anew, if that isn't done.
func (n *Node) takeOverLine(ctx context.Context, k streamKind) error {
	name := k.stream(n.cfg.Region)
	old, err := n.stream(ctx, name)
	if err == nil && old.CachedInfo().Config.Metadata[storeID] == n.identity.Load().Stores[string(k)] {
		return nil
	} else if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return unavailable("look at stream "+name, err)
	}
	if err := n.remake(ctx, k, n.cfg.Region); err != nil {
		return err
	}
	if err := n.passes("remade " + string(k)); err != nil {
		return err
	}
	s, err := n.stream(ctx, n.stageStream())
	if err != nil {
		return unavailable("look at stream "+n.stageStream(), err)
	}
	for at := uint64(0); ; {
		msg, err := nextMessage(ctx, s, n.stagePlace(k), at)
		if err != nil {
			return unavailable("read of stream "+n.stageStream(), err)
		} else if msg == nil {
			break
		}
		at = msg.Sequence
		if err := n.moveStaged(ctx, k, msg); err != nil {
			return err
		}
	}
	return errors.Join(n.name(ctx, k), n.passes("named "+string(k)))
}

// moveStaged writes a message of the stage to where it is to stand.
func (n *Node) moveStaged(ctx context.Context, k streamKind, staged *jetstream.RawStreamMsg) error {
	rest := strings.TrimPrefix(staged.Subject, n.stagePlace(k))
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
	if err := n.publishMsg(ctx, k.stream(n.cfg.Region), msg, opts...); err != nil {
		return err
	}
	return n.passes(fmt.Sprintf("moved %s %s", k, rest))
}

// wasRestored notes that the log says what Config.Restored was to bring about.
func (n *Node) wasRestored(ctx context.Context) error {
	if !n.identity.Load().Restoring {
		return nil
	}
	if err := n.passes("restored"); err != nil {
		return err
	}
	return n.changeIdentity(ctx, func(d *integrity.Identity) { d.Restoring = false })
}

// passes is where a test ends a start, as a crash does.
func (n *Node) passes(step string) error {
	if n.cfg.passes == nil {
		return nil
	}
	return n.cfg.passes(step)
}
