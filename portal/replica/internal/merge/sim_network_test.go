package merge_test

import (
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A packet is a question, or the answer to one.
type packet struct {
	from, to *simNode // to is nil for a question
	about    streamID
	nonce    uint64
	// Of a question: where the copy is, and what proves that it was there.
	shown   integrity.Shown
	differs bool // the copy is not what the owner said that it has
	// Of an answer.
	after    uint64
	messages []kept
	end      bool // nothing follows
	last     uint64
	origin   origin
	vouched  bool              // the store replaces others knowingly
	digest   *integrity.Digest // of all up to the end, if the owner has read that
	flawed   bool              // the owner's disks are damaged, and it does not know yet
	denied   bool              // the Region that asks isn't listed
	removed  uint64            // when it was removed; 0: it was not
}

// simAnswer is for how long a question waits for its answer.
const simAnswer = 20 * time.Second

// ask sends a question about another Region's stream, unless one is under way.
func (w *world) ask(n *simNode, s streamID) {
	waits := w.clock(n).Sub(n.asked[s].at)
	if s.region() == n.r.id || n.isGone(s.region()) || n.asked[s].nonce > 0 && 0 <= waits && waits < simAnswer {
		return
	}
	w.send(&w.all[s.region()].inbox, w.question(n, s))
}

// askAll asks all other Regions, as a node does when it starts.
func (w *world) askAll(n *simNode) {
	for s := range streamID(w.count * streams) {
		if n.life > 0 {
			w.ask(n, s)
		}
	}
}

func (w *world) question(n *simNode, s streamID) packet {
	w.nonce++
	n.asked[s] = asked{w.nonce, w.clock(n)}
	d := n.r.disks[s]
	q := packet{from: n, about: s, nonce: w.nonce, differs: n.differs[s]}
	q.shown.Line = s.name()
	q.shown.Store, q.shown.Position = d.position()
	if len(d.messages) > 0 && d.from != nil && d.messages[len(d.messages)-1].from.store == d.from.store {
		q.shown.Proof = d.messages[len(d.messages)-1].proof(s)
	}
	return q
}

// send sends a packet. The packets in flight are bounded.
func (w *world) send(inbox *[]packet, p packet) {
	if *inbox = append(*inbox, p); len(*inbox) > 120 {
		i := w.rand.IntN(len(*inbox))
		*inbox = slices.Delete(*inbox, i, i+1)
	}
}

// deliver takes one packet that is for the node, or its Region, any of them. It
// may be lost then, or stay on its way to arrive again.
func (w *world) deliver(n *simNode) {
	inbox := &n.inbox
	if w.one(0.5) {
		inbox = &n.r.inbox
	}
	if len(*inbox) == 0 || n.life == 0 { // the previous delivery may have crashed it
		return
	}
	i := w.rand.IntN(len(*inbox))
	p := (*inbox)[i]
	if w.one(0.1) {
		w.note(n.r, "doubled message", p.about)
	} else {
		*inbox = slices.Delete(*inbox, i, i+1)
	}
	a, b := p.from.r.id, n.r.id
	switch {
	case w.apart[a][b] || w.apart[b][a] || w.one(0.1):
		w.note(n.r, "lost", p.about)
	case p.to == nil:
		if back, ok := w.answer(n, p); ok {
			w.send(&p.from.inbox, back)
		}
	default:
		w.receive(n, p)
	}
}

// answer answers a question from the Region's own stream. What the question
// shows may prove that the stream is not what the Region wrote: then it stops.
func (w *world) answer(n *simNode, q packet) (a packet, ok bool) {
	s, r, d := q.about, n.r, n.r.disks[q.about]
	if r.stopped() {
		return a, false
	}
	if a, denied := n.denies(q); denied {
		return a, a.denied
	}
	verdict, why := r.identity.Judge(q.shown, d.last, d.another)
	switch verdict {
	case integrity.Damaged:
		w.stops(r, s.name(), why)
		return a, false
	case integrity.Claim:
		w.note(r, "claim", why)
		if q.shown.Store == r.identity.Stores[s.name()] {
			r.claimed = r.claimed || w.settling && q.shown.Position > d.last
			return a, false
		}
	}
	if q.differs && !w.compare(n, q) {
		return a, false
	}
	a = packet{from: n, to: q.from, about: s, nonce: q.nonce, vouched: r.identity.Vouched, last: d.last}
	latest := r.identity.Generations[len(r.identity.Generations)-1].Number
	a.origin = origin{r.identity.Stores[s.name()], 0, r.identity.Key, n.serving, latest, r.history}
	if q.shown.Store == a.origin.store && !q.differs {
		a.after = q.shown.Position
	}
	a.flawed = r.flaw != ""
	a.messages = slices.Clone(d.after(a.after, 1+w.rand.IntN(20)))
	a.end = len(a.messages) == 0 || len(d.after(a.messages[len(a.messages)-1].local, 1)) == 0
	a.origin.history = r.history.upTo(w.n)
	if a.end && n.read[s] >= d.end() {
		cutoff := integrity.Cutoff(w.clock(n).Unix(), int64(simSkew.Seconds()))
		a.digest = &integrity.Digest{Store: a.origin.store, Position: d.last, Cutoff: cutoff, Sum: n.content[s].Sum(cutoff)}
	}
	return a, true
}

// compare has the owner look at all of a copy that is not what it has. It says
// whether nothing there speaks against the owner's own log.
func (w *world) compare(n *simNode, q packet) bool {
	s, r := q.about, n.r
	if s.line() == config && n.writing != nil {
		return false // later
	}
	n.apply(s, len(r.disks[s].messages)) // an unread message may have replaced the one that is shown
	w.note(r, "compared", q.from.r.name)
	for _, k := range q.from.r.disks[s].messages {
		rec := integrity.Record{Line: s.name(), Store: k.from.store, Subject: k.subject, Until: k.untilUnix(),
			Proof: *k.proof(s)}
		verdict, why := r.identity.JudgeRecord(rec, n.content[s], r.disks[s].last, w.clock(n).Unix(),
			int64(simSkew.Seconds()))
		switch verdict {
		case integrity.Damaged:
			w.stops(r, s.name(), why)
			return false
		case integrity.Behind:
			return false // later
		}
	}
	return true
}

// receive takes an answer in. What ends access takes effect immediately. All goes to
// disk, if no other node of the Region was faster, and is read from there.
func (w *world) receive(n *simNode, p packet) {
	s, q, d := p.about, n.asked[p.about], n.r.disks[p.about]
	if q.nonce != p.nonce {
		w.note(n.r, "late answer", s)
		return
	}
	n.asked[s] = asked{}
	if w.noteStanding(n, p) || n.isGone(s.region()) {
		return
	}
	store, position := d.position()
	if store != "" && store != p.origin.store && !p.vouched && len(d.messages) > 0 {
		w.note(n.r, "another store", s) // which doesn't say that it replaces this one
		n.differs[s] = true
		return
	}
	if d.from != nil && p.origin.latest < d.from.latest {
		w.note(n.r, "older generation", s) // an older copy is in the place of the disks
		n.differs[s] = true
		return
	}
	w.endFirst(n, s, p)
	anew := store != p.origin.store
	switch {
	case !anew && p.after == position:
		n.differs[s] = n.differs[s] && p.after > 0 // otherwise it is read from its start
	case !anew && (p.after != 0 || !n.differs[s]):
		w.note(n.r, "copiers met", s)
		return
	case anew && p.after != 0:
		return
	default: // it is read from its start
		at := p.origin
		if !anew {
			at.read = d.from.read + 1
			w.note(n.r, "reads again", s)
		}
		d.from, d.past, d.lost, d.part, n.differs[s] = &at, 0, nil, true, false
		for _, other := range n.r.nodes {
			other.goal[s].open = false // what it has still to read takes another place
		}
	}
	from := p.origin
	from.read = d.from.read
	d.from = &from
	for _, k := range p.messages {
		if n.r.full {
			w.note(n.r, "copy refused", s)
			return
		}
		n.r.replaced(s, k.message)
		d.write(k.message, w.gone(n, k.message), &from)
		if w.one(0.005) {
			w.crash(n, "while copying")
			return
		}
	}
	if len(p.messages) > 0 {
		w.note(n.r, "copied", len(p.messages))
	}
	if !p.end {
		return
	}
	d.past, d.part = max(d.past, p.last), false
	known := d.left(from.history)
	n.goal[s] = goal{true, d.end(), known, q.at, p}
	if n.writing == nil || s.line() != config {
		n.reach(s)
	}
}

// replaced notes what a copy loses when it takes in a message. A copy that is read
// again from its start holds a whole state before it holds what follows that state
// again: an earlier read's messages are replaced by then. A node that starts in
// between doesn't know them. (In package replica it serves nothing that depends on
// such a copy: see integrity.CopyMark.)
func (r *simRegion) replaced(s streamID, m *message) {
	if m.replaces == "" {
		return
	}
	for _, k := range r.disks[s].messages {
		if k.n > m.n {
			r.kept[s] = r.kept[s].without(span{k.n, k.n})
		}
	}
}

// same compares what was copied with what the owner has. Until that is done, what
// a damaged owner says is not all that it said before.
func (n *simNode) same(s streamID, p packet) bool {
	if p.digest == nil {
		return !p.flawed
	}
	d, has := n.r.disks[s], n.content[s]
	if store, at := d.position(); store != p.digest.Store || at != p.digest.Position {
		return !p.flawed
	}
	sum, read := has.Sum(p.digest.Cutoff), has.Read()
	if store, _ := has.At(); store != d.from.store || read != d.from.read {
		sum = integrity.Sum{} // nothing was copied of this read
	}
	if n.differs[s] = n.differs[s] || sum != p.digest.Sum; n.differs[s] {
		return false
	}
	d.agrees(p.digest.Cutoff)
	return true
}

// endFirst takes in what an answer ends before it is on disk. Of a transaction
// that is not whole nothing takes effect: its Region may never complete it.
func (w *world) endFirst(n *simNode, s streamID, p packet) {
	name := simNames[s.region()]
	var parts merge.Assembler
	for _, k := range p.messages {
		if s.line() == config {
			if whole, ok := parts.Add(k.seq, k.tx); ok && n.writing == nil && !(n.old && k.unreadable) {
				n.touched = append(n.touched, n.memory.dir.FoldEarly(name, whole)...)
				n.memory.sessions.Enforce(name, whole)
				n.early[k.message] = true
				n.r.may[s] = max(n.r.may[s], k.n)
			}
		} else if k.kind.Ends() {
			n.memory.hear(arrival{region: name, kind: k.kind, entry: k.entry})
			n.r.may[s] = max(n.r.may[s], k.n)
		}
	}
}
