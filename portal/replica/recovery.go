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

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// recover does what Config.Recover asks for, before anything else is read. Until
// it is done the Region stays damaged. It changes no stream before all that was
// put together is on this Region's disk, in a stream beside them: see takeOver.
func (n *Node) recover(ctx context.Context) error {
	if err := n.deleteStream(ctx, n.stageStream()); err != nil { // what a start left that didn't get far
		return err
	}
	if len(n.cfg.Recover) == 0 {
		return nil
	}
	r := &recovery{n: n, last: map[streamKind]map[string]lasted{kindSessions: {}, kindRevoked: {}}}
	for _, k := range streamKinds {
		if err := r.own(ctx, k); err != nil {
			return err
		}
	}
	if err := r.fetch(ctx); err != nil {
		return err
	}
	count, err := r.stage(ctx)
	if err != nil {
		return err
	}
	err = n.changeIdentity(ctx, func(d *integrity.Identity) {
		d.Recovery = &integrity.Recovery{From: n.cfg.Recover, Count: count}
		d.Damage = &integrity.Damage{Why: "its recovery was not completed: start it again (with URL: one Node alone, with Config.Recover)", At: n.cfg.Now().UTC().Round(0)}
		for _, k := range streamKinds { // of what takes the streams' place: all Regions read it anew
			d.Stores[string(k)] = n.newStore()
		}
	})
	if err == nil {
		err = n.takeOver(ctx)
	}
	if err == nil && r.left > 0 {
		n.cfg.Logger.Error("replica: messages were left out of the recovery", "region", n.cfg.Region, "messages", r.left)
	}
	return err
}

// A recovery puts together what a Region wrote, from what is readable in its own
// streams and from other Regions' copies of them.
type recovery struct {
	n       *Node
	log     []merge.Piece // of the Region's own log, and of copies of it
	earlier []merge.Piece // of copies of logs that this one replaced without knowing it
	last    map[streamKind]map[string]lasted
	left    int // messages that were left out
}

// lasted is the last message of a subject.
type lasted struct {
	entry merge.Entry
	raw   json.RawMessage
	until int64
}

// own reads what is left of one of the Region's own streams.
func (r *recovery) own(ctx context.Context, k streamKind) error {
	end, s, err := r.n.lastOf(ctx, k)
	if err != nil {
		return err
	}
	var all []message
	for at := uint64(0); ; {
		msg, err := nextMessage(ctx, s, k.prefix(r.n.cfg.Region), at)
		if err != nil {
			return unavailable("read of stream "+k.stream(r.n.cfg.Region), err)
		}
		if msg == nil || msg.Sequence > end {
			break
		}
		at = msg.Sequence
		all = append(all, message{Orig: at, Subject: msg.Subject, Until: msg.Header.Get(headerUntil), Data: msg.Data})
	}
	r.take(k, all, r.n.identity.Load().Stores[string(k)], &r.log)
	return nil
}

// fetch reads the copies of all Regions that Config.Recover names, and waits for
// each: one that is left out silently might be the one that knows.
func (r *recovery) fetch(ctx context.Context) error {
	for _, name := range r.n.cfg.Recover {
		f := &follower{n: r.n, region: name, peer: r.n.cfg.Peers[name], flows: map[streamKind]*flow{}}
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
			r.n.cfg.Logger.Warn("replica: recovery waits", "region", r.n.cfg.Region, "peer", name, "error", err)
			if pause(ctx, time.Second); ctx.Err() != nil {
				return &Error{Reason: ReasonUnavailable, Rule: "recovery", Want: "the copies of Region " + name + ", which Config.Recover names; nothing was changed: start again when it answers, or without its name", Err: err}
			}
		}
	}
	return nil
}

// from reads one Region's copies. Only what this Region recognises is taken of
// the log that it has. Earlier ones, which were lost with the key, are taken as
// they are: a copy may have a part of each. Later ones, of which an older copy of
// the disks doesn't know, are taken where this Region recognises them. What ends
// access is taken from anywhere: any Region may.
func (r *recovery) from(ctx context.Context, f *follower) error {
	got, left := map[streamKind][]message{}, r.n.cfg.MaxRecover
	for _, k := range streamKinds {
		err := r.n.eachOfCopy(ctx, f, k, func(m message) error {
			if left -= int64(m.size()); left < 0 {
				return &Error{Reason: ReasonTooLarge, Rule: "copies of Region " + f.region, Want: fmt.Sprintf("at most %d bytes, as Config.MaxRecover says; nothing was changed", r.n.cfg.MaxRecover), Got: "more"}
			}
			got[k] = append(got[k], m)
			return nil
		})
		if err != nil {
			return err
		}
	}
	id := r.n.identity.Load()
	for _, k := range streamKinds {
		var own []message
		earlier, later := map[string][]message{}, map[string][]message{}
		for _, m := range got[k] {
			current := m.Store == id.Stores[string(k)]
			switch {
			case k == kindConfig && !strings.HasPrefix(m.Subject, k.prefix(r.n.cfg.Region)+"tx."): // padding
			case current && (r.recognises(k, m) || k == kindRevoked):
				own = append(own, m)
			case current && k == kindConfig:
				return damaged(k, fmt.Sprintf("Region %s has a message %d in its copy that this Region doesn't recognise as its own", f.region, m.Orig))
			case !current && id.Vouched && integrity.NumberIn(m.Proof) >= r.n.generation.Number && k != kindRevoked:
				if !r.recognises(k, m) {
					return damaged(k, fmt.Sprintf("Region %s has a copy of a later log, of start number %d, whose key is not here: recover it on an empty disk, without this backup", f.region, integrity.NumberIn(m.Proof)))
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
	}
	return nil
}

// recognises says whether the Region can prove that it wrote a message.
func (r *recovery) recognises(k streamKind, m message) bool {
	_, ok := r.n.identity.Load().Key.Check(m.Proof, integrity.Place{Line: string(k), Store: m.Store, Seq: m.Orig}, r.n.itemOf(m))
	return ok
}

// take takes messages of a stream of a store, which it puts into the order of the
// original.
func (r *recovery) take(k streamKind, all []message, store string, log *[]merge.Piece) {
	slices.SortStableFunc(all, func(a, b message) int { return cmp.Compare(a.Orig, b.Orig) })
	var parts merge.Assembler
	piece := merge.Piece{Store: store}
	for _, m := range all {
		plain, err := r.n.cfg.Codec.Open(m.Subject, m.Data)
		if err == nil && k == kindConfig {
			var p merge.Transaction
			if err = json.Unmarshal(plain, &p); err == nil {
				if whole, ok := parts.Add(m.Orig, p); ok {
					piece.Log = append(piece.Log, whole)
				}
			}
		} else if err == nil {
			err = r.entry(k, m, plain)
		}
		if err != nil {
			r.left++
			r.n.cfg.Logger.Error("replica: message left out of the recovery", "region", r.n.cfg.Region, "stream", string(k), "sequence", m.Orig, "error", err)
		}
	}
	if len(piece.Log) > 0 {
		*log = append(*log, piece)
	}
}

// entry keeps of two messages of a subject the one that says more, for as long as
// either is to be kept. What ends access is taken from any Region, which may lie:
// what would stand where it doesn't belong can't replace what does.
func (r *recovery) entry(k streamKind, m message, plain []byte) error {
	v := lasted{raw: plain, until: int64(number(m.Until))}
	if err := json.Unmarshal(plain, &v.entry); err != nil {
		return err
	}
	about := strings.TrimPrefix(m.Subject, k.prefix(r.n.cfg.Region))
	kind, _, _ := strings.Cut(about, ".")
	entryKind := merge.EntryKind(kind)
	if want := subject(entryKind, v.entry); knows(entryKind) && about != want {
		return &Error{Reason: ReasonCorrupt, Rule: "message about sessions", Want: "the subject " + want, Got: about}
	} else if entryKind == merge.EntryUser && v.entry.Epoch > merge.MaxEpoch {
		return &Error{Reason: ReasonCorrupt, Rule: "epoch of a user", Want: fmt.Sprint("at most ", merge.MaxEpoch), Got: fmt.Sprint(v.entry.Epoch)}
	}
	old, ok := r.last[k][about]
	if ok && !v.entry.Newer(entryKind, old.entry) {
		v, old = old, v
	}
	switch {
	case !ok:
	case v.until == 0 || old.until == 0: // for good
		v.until = 0
	default:
		v.until = max(v.until, old.until)
	}
	r.last[k][about] = v
	return nil
}

// stage writes what was put together into a stream beside the Region's own. It
// returns how many messages that takes.
func (r *recovery) stage(ctx context.Context) (count uint64, err error) {
	log, err := r.united()
	if err != nil {
		return 0, err
	}
	st, err := r.n.makeStage(ctx)
	if err != nil {
		return 0, err
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
			if err := st.add(ctx, w); err != nil {
				return 0, err
			}
		}
	}
	for _, w := range log {
		if err := st.add(ctx, w); err != nil {
			return 0, err
		}
	}
	return st.count, nil
}

// united are the writes of the whole state that the log comes to. Where there is
// an earlier log, what was written since the disk was lost doesn't count, except
// for what it ended: it began without knowing of what was ended before. That isn't
// so where the Region's identity was lost alone.
func (r *recovery) united() (out []write, err error) {
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
		return nil, damaged(kindConfig, "no whole state of the instance is here or in the copies of the Regions that Config.Recover names; others may have one")
	case !whole:
		return nil, nil
	}
	records, last, contested := merge.Distinct(records, last)
	if len(contested) > 0 {
		n.cfg.Logger.Error("replica: users with one userName were recovered, and are disabled: make out who is who", "region", n.cfg.Region, "users", contested)
	}
	t := merge.Transaction{Stamp: max(uint64(n.cfg.Now().UnixMicro()), last+1), Full: true, Records: records}
	parts, err := t.Parts(1)
	if err != nil {
		return nil, refused(ReasonTooLarge, err)
	}
	for i, p := range parts {
		out = append(out, write{kind: kindConfig, subject: fmt.Sprintf("tx.1.%d", i), body: p, part: partHeader(p, len(t.Records))})
	}
	return out, nil
}
