package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// prove adds to each message of an answer what this Region recognises it by. It
// hashes what a message says, so that it doesn't matter how it was sealed.
func (n *Node) prove(k streamKind, a *answer) {
	key, name := n.identity.Load().Key, k.stream(n.cfg.Region)
	items := make([]integrity.Item, len(a.Messages))
	known := make([]bool, len(a.Messages))
	n.contents.with(name, func(c *integrity.Content) {
		for i, m := range a.Messages {
			seq, item, ok := c.Item(m.Subject)
			items[i], known[i] = item, ok && seq == m.Seq
		}
	})
	for i := range a.Messages {
		m := &a.Messages[i]
		if !known[i] { // the reader is not there yet
			items[i] = n.itemOf(*m)
		}
		m.Proof = key.Prove(n.generation, integrity.Place{Line: string(k), Store: a.Store, Seq: m.Seq}, items[i])
	}
}

// itemOf opens a message and hashes it.
func (n *Node) itemOf(m message) integrity.Item {
	plain, err := n.cfg.Codec.Open(m.Subject, m.Data)
	return itemOf(m.Subject, int64(number(m.Until)), plain, m.Data, err == nil)
}

// state adds to an answer what the Region says of the whole stream: in which
// generation, and, if this Node knows all of it, what it holds at its end.
func (n *Node) state(ctx context.Context, s jetstream.Stream, q question, a *answer) error {
	id := n.identity.Load()
	a.Generation, a.Latest, a.Vouched = &n.generation, id.Latest(), id.Vouched
	a.Again = q.Differs && n.isCleared(q)
	if a.Pending > 0 {
		return nil
	}
	d := integrity.Digest{Store: a.Store, Position: max(a.Last, a.end()), Cutoff: integrity.Cutoff(n.latestClock(), int64(n.cfg.Skew/time.Second))}
	var at uint64
	n.contents.with(q.Line.stream(n.cfg.Region), func(c *integrity.Content) {
		_, at = c.At()
		d.Sum = c.Sum(d.Cutoff)
	})
	if at < d.Position { // what is between may have expired
		more, err := next(ctx, s, q.Line.prefix(n.cfg.Region), at)
		if err != nil || more > 0 {
			return err
		}
	}
	if at <= d.Position {
		a.Digest = &d
	}
	return nil
}

// A suspect is a follower's copy of a stream.
type suspect struct {
	from string
	kind streamKind
}

// checkProof checks what a follower shows of its copy of one of this Region's own
// streams. It returns why the follower gets no answer, or "".
func (n *Node) checkProof(ctx context.Context, q question, info *jetstream.StreamInfo) (unanswered, error) {
	if err := n.damage.Load(); err != nil && n.isDamaged(q.Line) {
		return refusedDamaged, err
	}
	n.newer(ctx, q)
	shown := integrity.Shown{Line: string(q.Line), Store: q.Store, Position: q.After, Proof: q.Proof}
	v, why := n.identity.Load().Judge(shown, info.State.LastSeq)
	if v == integrity.Damaged {
		if why = n.confirm(ctx, q.Line, func(d *integrity.Identity, end uint64) (integrity.Verdict, string) { return d.Judge(shown, end) }); why != "" {
			return refusedDamaged, n.condemn(ctx, q.Line, why)
		}
		v = integrity.Fine
		if q.Store == info.Config.Metadata[storeID] && q.After > info.State.LastSeq {
			return refusedAhead, errBehind // this server may not lead the stream any more
		}
	}
	if q.Proof != nil && q.Store == info.Config.Metadata[storeID] && v != integrity.Claim {
		n.followed(ctx)
	}
	if q.Differs {
		n.checkClaim(q.From, q.Line, "its copy holds something else")
	}
	if v != integrity.Claim {
		return "", nil
	}
	if q.Store != info.Config.Metadata[storeID] {
		n.checkClaim(q.From, q.Line, why)
		return "", nil
	}
	if q.After > info.State.LastSeq && info.Config.Replicas > 1 && !n.lasts(suspect{leader, q.Line}) {
		return refusedAhead, errBehind // this server may not lead the stream any more
	}
	n.reportClaim(suspect{q.From, q.Line}, "a follower claims what it doesn't show", why)
	if q.After > info.State.LastSeq {
		return refusedAhead, fmt.Errorf("the log ends at %d and the question begins behind that, with no proof that the log was ever there", info.State.LastSeq)
	}
	return "", nil
}

// hearsDenied judges what a Region shows that this one doesn't list: a primary
// that was put back to before it listed the Region hears of that from no other.
// It returns the answer. The list of a Region that has stopped counts no more, so
// the one that asks hears of the damage, and goes on with what it has.
func (n *Node) hearsDenied(ctx context.Context, q question, a answer) answer {
	if !a.Unlisted || a.Removed > 0 || q.Of != "" {
		return a
	}
	if q.Proof != nil && n.condemned() == nil {
		shown := integrity.Shown{Line: string(q.Line), Store: q.Store, Position: q.After, Proof: q.Proof}
		judge := func(d *integrity.Identity, end uint64) (integrity.Verdict, string) { return d.Judge(shown, end) }
		read, _ := n.progress.get(q.Line.stream(n.cfg.Region))
		if v, _ := judge(n.identity.Load(), read.seq); v == integrity.Damaged {
			if why := n.confirm(ctx, q.Line, judge); why != "" {
				_ = n.condemn(n.ctx, q.Line, why)
			}
		}
	}
	if err := n.condemned(); err != nil {
		return answer{Error: err.Error(), Refused: refusedDamaged}
	}
	return a
}

// followed notes that another Region has shown a message that this one wrote to
// the streams that it has.
func (n *Node) followed(ctx context.Context) {
	if d := n.identity.Load(); d.Followed || d.Vouched {
		return
	}
	if err := n.changeIdentity(ctx, func(d *integrity.Identity) { d.Followed = true }); err != nil {
		n.cfg.Logger.Warn("replica: not noted that this Region is followed", "region", n.cfg.Region, "error", err)
	}
}

func (n *Node) isDamaged(k streamKind) bool {
	d := n.identity.Load().Damage
	return d == nil || d.Line == "" || streamKind(d.Line) == k
}

// confirm looks again before anything is taken for lost: at what stands beside
// the streams, where another Node of the Region may have begun a generation, and
// at the stream's end. A server of a cluster that was cut off may answer, and
// lack what was written since, so a majority of the servers has to agree. It
// returns what is damaged, or "".
func (n *Node) confirm(ctx context.Context, k streamKind, judge func(*integrity.Identity, uint64) (integrity.Verdict, string)) string {
	ctx, cancel := context.WithTimeout(ctx, askTimeout) // a follower goes on hearing where the server doesn't answer
	defer cancel()
	d, _, err := n.readIdentity(ctx)
	if err != nil || d == nil {
		return ""
	}
	d.Self = n.generation
	n.identity.Store(d)
	end, s, err := n.lastOf(ctx, k)
	if err != nil {
		return ""
	}
	v, why := judge(d, end)
	if v != integrity.Damaged || s.CachedInfo().Config.Replicas > 1 && !n.lasts(suspect{leader, k}) {
		return ""
	}
	return why
}

// leader is who is suspected where the stream's leader may be a deposed one.
const leader = " leader"

// deposed is longer than a server of a cluster that was cut off can take itself
// for a stream's leader.
const deposed = 30 * time.Second

// errBehind: the server that answered here may not lead the stream any more.
var errBehind = errors.New("replica: the follower knows more of this stream")

// lasts says whether something has been seen again and again for longer than a
// server that was cut off can take itself for a leader.
func (n *Node) lasts(s suspect) bool {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	since, known := n.suspected[s]
	if !known || now.Sub(since) > 10*deposed { // that was another time
		n.suspected[s] = now
		return false
	}
	return now.Sub(since) >= deposed
}

// reportEvery bounds how often a follower's claims are looked into and logged.
const reportEvery = time.Minute

// due says whether a suspect may be looked into again, and takes note.
func (n *Node) due(s suspect) bool {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	last, known := n.suspected[s]
	if known && now.Sub(last) < reportEvery || !known && len(n.suspected) >= maxSuspects {
		return false
	}
	n.suspected[s] = now
	return true
}

// maxSuspects bounds what is remembered of claims: names in questions are not
// proved.
const maxSuspects = 256

func (n *Node) reportClaim(s suspect, what, why string) {
	if n.due(s) {
		n.cfg.Logger.Error("replica: "+what, "region", n.cfg.Region, "peer", refusal.Quote(s.from), "stream", string(s.kind), "claim", why)
	}
}
