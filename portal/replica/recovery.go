package replica

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// recover does what Config.Recover asks for, before anything else is read. Until it is done the Region stays
// damaged, and no stream changes before the merged content is on this Region's disk: see takeOver.
func (n *Node) recover(ctx context.Context) error {
	if err := n.deleteStream(ctx, n.stageStream()); err != nil { // of an earlier start that was interrupted
		return err
	}
	converts, err := n.unsealed(ctx)
	if err != nil || len(n.cfg.Recover) == 0 && n.backup == nil && !converts {
		return err
	}
	r := &recovery{n: n, converts: len(n.cfg.Recover) == 0 && n.backup == nil,
		last: map[streamKind]map[string]lastMessage{kindSessions: {}, kindRevoked: {}}}
	for _, k := range streamKinds {
		if err := r.own(ctx, k); err != nil {
			return err
		}
	}
	if n.backup != nil {
		if err := r.takeBackup(n.backup); err != nil {
			return err
		}
	}
	if err := r.fetch(ctx); err != nil {
		return err
	}
	if err := r.stage(ctx); err != nil {
		return err
	}
	err = n.changeIdentity(ctx, func(d *integrity.Identity) {
		d.Recovery = &integrity.Recovery{From: n.cfg.Recover, Count: r.staged}
		d.Damage = n.damageOf("", n.incomplete())
		for _, k := range streamKinds { // of the new streams: all Regions read them from the start
			d.Stores[string(k)] = n.newStore()
		}
	})
	if err == nil {
		err = n.takeOver(ctx)
	}
	if err == nil && r.left > 0 {
		n.cfg.Logger.Error("replica: messages were left out of the recovery", "messages", r.left)
	}
	return err
}

// A recovery merges what a Region wrote, from its own streams and from other Regions' copies of them.
type recovery struct {
	n       *Node
	log     []merge.Piece // of the Region's own log, and of copies of it
	earlier []merge.Piece // of copies of logs that this one replaced without knowing it
	last    map[streamKind]map[string]lastMessage
	left    int // messages that were left out
	// converts: only the Region's own streams are read, to seal them.
	converts bool
	staged   uint64 // messages in the stage
}

// lastMessage is the last message of a subject.
type lastMessage struct {
	entry merge.Entry
	raw   json.RawMessage
	until int64
}

// own reads the remaining messages of one of the Region's own streams.
func (r *recovery) own(ctx context.Context, k streamKind) error {
	end, s, err := r.n.lastOf(ctx, k)
	if err != nil {
		return err
	}
	var all []message
	for msg, err := range messages(ctx, s, k.prefix(r.n.cfg.Region)) {
		if err != nil {
			return err
		}
		if msg.Sequence > end {
			break
		}
		all = append(all,
			message{Orig: msg.Sequence, Subject: msg.Subject, Until: msg.Header.Get(headerUntil), Data: msg.Data,
				More: passedOn(msg.Header)})
	}
	r.take(k, all, r.n.identity.Load().Stores[string(k)], &r.log)
	return nil
}

// fetch reads the copies of all Regions in Config.Recover, and waits for each, because only one of them may have a
// message.
func (r *recovery) fetch(ctx context.Context) error {
	for _, name := range r.n.cfg.Recover {
		f := r.n.newFollower(name, r.n.cfg.Peers[name])
		if err := f.peer.checkURL(name); err != nil {
			return err
		}
		for {
			err := r.from(ctx, f)
			if err == nil {
				break
			}
			if e, ok := errors.AsType[*Error](err); ok && (e.Reason == ReasonDamaged || e.Reason == ReasonTooLarge) {
				return err
			}
			r.n.cfg.Logger.Warn("replica: recovery waits", "peer", name, "error", err)
			if pause(ctx, time.Second); ctx.Err() != nil {
				return &Error{Reason: ReasonUnavailable, Rule: "recovery", Err: err, Want: "the copies of Region " + name +
					", which Config.Recover names; nothing was changed: start again when it answers, or without its name"}
			}
		}
	}
	return nil
}

// from reads one Region's copies.
func (r *recovery) from(ctx context.Context, f *follower) error {
	got, left := map[streamKind][]message{}, r.n.cfg.MaxRecover
	for _, k := range streamKinds {
		err := r.n.eachOfCopy(ctx, f, k, func(m message) error {
			if left -= int64(m.size()); left < 0 {
				return newError(ReasonTooLarge, "copies of Region "+f.region,
					fmt.Sprintf("at most %d bytes, as Config.MaxRecover says; nothing was changed", r.n.cfg.MaxRecover), "more")
			}
			got[k] = append(got[k], m)
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, k := range streamKinds {
		if err := r.classify(f, k, got[k]); err != nil {
			return err
		}
	}
	return nil
}

// classify decides which messages of a copy are restored. Messages of the Region's current log need a valid proof.
// Messages of earlier logs, whose key was lost, are accepted without one; a copy may have a part of each. Messages of
// later logs, which are unknown to an outdated disk, need a valid proof. Messages that end access are always accepted,
// because any Region may end it.
func (r *recovery) classify(f *follower, k streamKind, all []message) error {
	id := r.n.identity.Load()
	var own []message
	earlier, later := map[string][]message{}, map[string][]message{}
	for _, m := range all {
		current := m.Store == id.Stores[string(k)]
		switch {
		case k == kindConfig && !strings.HasPrefix(m.Subject, k.prefix(r.n.cfg.Region)+"tx."): // padding
		case current && (r.recognises(k, m) || k == kindRevoked):
			own = append(own, m)
		case current && k == kindConfig:
			return damaged(k, fmt.Sprintf("Region %s has a message %d that this Region didn't write", f.region, m.Orig))
		case !current && id.Vouched && integrity.NumberIn(m.Proof) >= r.n.generation.Number && k != kindRevoked:
			if !r.recognises(k, m) {
				return damaged(k, fmt.Sprintf("Region %s has a copy of a later log, of start number %d, whose key is not here: "+
					"recover it on an empty disk, without this backup", f.region, integrity.NumberIn(m.Proof)))
			}
			later[m.Store] = append(later[m.Store], m)
		case current || id.Vouched && k != kindRevoked:
			r.left++
		default:
			earlier[m.Store] = append(earlier[m.Store], m)
		}
	}
	r.take(k, own, id.Stores[string(k)], &r.log)
	for _, store := range slices.Sorted(maps.Keys(earlier)) {
		r.take(k, earlier[store], store, &r.earlier)
	}
	for _, store := range slices.Sorted(maps.Keys(later)) {
		r.take(k, later[store], store, &r.log)
	}
	return nil
}

// recognises reports whether this Region made the proof of a message.
func (r *recovery) recognises(k streamKind, m message) bool {
	place := integrity.Place{Line: string(k), Store: m.Store, Seq: m.Orig}
	item, err := r.n.itemOf(m)
	if err != nil {
		return false
	}
	_, ok := r.n.identity.Load().Key.Check(m.Proof, place, item)
	return ok
}

// take adds messages of a stream of a store, in the order of the original.
func (r *recovery) take(k streamKind, all []message, store string, log *[]merge.Piece) {
	slices.SortStableFunc(all, func(a, b message) int { return cmp.Compare(a.Orig, b.Orig) })
	var parts merge.Assembler
	piece := merge.Piece{Store: store}
	for _, m := range all {
		o, err := r.n.cfg.openMessage(m)
		if err == nil && k == kindConfig {
			var p merge.Transaction
			if err = json.Unmarshal(o.body, &p); err == nil {
				if whole, ok := parts.Add(m.Orig, p); ok {
					piece.Log = append(piece.Log, whole)
				}
			}
		} else if err == nil {
			err = r.entry(k, m, o)
		}
		if err != nil {
			r.left++
			r.n.cfg.Logger.Error("replica: message left out of the recovery", "stream", string(k), "sequence", m.Orig, "error",
				err)
		}
	}
	if len(piece.Log) > 0 {
		*log = append(*log, piece)
	}
}

// entry keeps the newer of two messages of a subject, until the later of their expiries. Messages that end access are
// accepted from any Region without proof. So a message with a wrong subject is refused, and can't replace the right
// one.
func (r *recovery) entry(k streamKind, m message, o opened) error {
	v := lastMessage{raw: o.body, until: int64(number(m.Until))}
	if err := json.Unmarshal(o.body, &v.entry); err != nil {
		return err
	}
	about := strings.TrimPrefix(m.Subject, k.prefix(r.n.cfg.Region))
	kind := kindOf(about)
	// The key of sealed subjects may be lost, so a message counts under the subject that it should have.
	if want := subject(nil, kind, v.entry); knows(kind) && o.digest == nil && about != want {
		return newError(ReasonCorrupt, "message about sessions", "the subject "+want, about)
	} else if knows(kind) {
		about = r.n.subject(kind, v.entry)
	}
	if kind == merge.EntryUser && v.entry.Epoch > merge.MaxEpoch {
		return newError(ReasonCorrupt, "epoch of a user", fmt.Sprint("at most ", merge.MaxEpoch), fmt.Sprint(v.entry.Epoch))
	}
	old, ok := r.last[k][about]
	if ok && !v.entry.Newer(kind, old.entry) {
		v, old = old, v
	}
	switch {
	case !ok:
	case v.until == 0 || old.until == 0: // never
		v.until = 0
	default:
		v.until = max(v.until, old.until)
	}
	r.last[k][about] = v
	return nil
}

// stage writes everything that was merged into a stream beside the Region's own.
func (r *recovery) stage(ctx context.Context) error {
	log, err := r.mergedLog()
	if err != nil {
		return err
	}
	_, err = r.n.openStream(ctx, jetstream.StreamConfig{
		Name: r.n.stageStream(), Description: "Meridian: recovery of Region " + r.n.cfg.Region,
		Subjects: []string{r.n.stageSubjects("") + ">"}, Storage: jetstream.FileStorage, Replicas: r.n.cfg.Replicas,
	})
	if err != nil {
		return err
	}
	for _, k := range []streamKind{kindRevoked, kindSessions} {
		for _, about := range slices.Sorted(maps.Keys(r.last[k])) {
			v := r.last[k][about]
			w := write{kind: k, subject: about, body: v.raw}
			if v.until > 0 {
				w.until = time.Unix(v.until-1, 0) // as it was written
			}
			if v.until > 0 && w.until.Before(r.n.cfg.Now()) {
				continue
			}
			if err := r.add(ctx, w); err != nil {
				return err
			}
		}
	}
	for _, w := range log {
		if err := r.add(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// mergedLog returns the writes of the whole state of the merged logs. If there is an earlier log, the messages since
// the disk was lost were written without knowledge of earlier revocations, so only the access that they end is used.
// This doesn't apply if only the Region's identity was lost.
func (r *recovery) mergedLog() (out []write, err error) {
	n := r.n
	log, beside := r.log, []merge.Piece(nil)
	if _, _, whole := merge.Reunite(n.cfg.Primary, n.cfg.Region, r.earlier, nil); whole {
		if log, beside = r.earlier, r.log; n.identity.Load().Orphaned { // the earlier log is the one that is here
			log, beside = append(log, beside...), nil
		}
	}
	records, last, whole := merge.Reunite(n.cfg.Primary, n.cfg.Region, log, beside)
	switch {
	case !whole && n.cfg.Region == n.cfg.Primary:
		return nil, damaged(kindConfig, "no whole state of the instance is here or in the copies of the Regions "+
			"that Config.Recover names; others may have one")
	case !whole && r.converts && len(r.log) > 0:
		return nil, damaged(kindConfig, "its log has no whole state, and can't be sealed")
	case !whole:
		return nil, nil
	}
	records, last, contested := merge.Distinct(records, last)
	if len(contested) > 0 {
		n.cfg.Logger.Error("replica: users with one userName were recovered, disabled: see OPERATING.md", "users", contested)
	}
	t := merge.Transaction{Stamp: max(uint64(n.cfg.Now().UnixMicro()), last+1), Full: true, Records: records}
	parts, err := t.Parts(1)
	if err != nil {
		return nil, mergeError(ReasonTooLarge, err)
	}
	for i, p := range parts {
		out = append(out,
			write{kind: kindConfig, subject: fmt.Sprintf("tx.1.%d", i), body: p, part: partHeader(p, len(t.Records))})
	}
	return out, nil
}
