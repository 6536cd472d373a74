package merge_test

import (
	"slices"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A packet is a question, or the answer to one.
type packet struct {
	from, to *simNode // to is nil for a question
	about    streamID
	nonce    uint64
	after    uint64 // the position of the copy
	messages []*message
	end      bool // nothing follows
	lastN    uint64
}

// ask sends a question about another Region's stream.
func (w *world) ask(n *simNode, s streamID) {
	if s.region() == n.r.id {
		return
	}
	w.nonce++
	n.asked[s] = asked{w.nonce, w.clock(n), w.n}
	w.send(&w.all[s.region()].inbox, packet{from: n, about: s, nonce: w.nonce, after: n.r.disks[s].last})
}

// send puts a packet on its way. What is on its way is bounded.
func (w *world) send(inbox *[]packet, p packet) {
	if *inbox = append(*inbox, p); len(*inbox) > 40 {
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
	if len(*inbox) == 0 || n.life == 0 { // a crash may be what came before
		return
	}
	i := w.rand.IntN(len(*inbox))
	p := (*inbox)[i]
	if w.one(0.1) {
		w.note(n.r, "doubled", p.about)
	} else {
		*inbox = slices.Delete(*inbox, i, i+1)
	}
	a, b := p.from.r.id, n.r.id
	switch {
	case w.apart[a][b] || w.apart[b][a] || w.one(0.1):
		w.note(n.r, "lost", p.about)
	case p.to == nil:
		w.answer(n, p)
	default:
		w.receive(n, p)
	}
}

// answer answers a question from the Region's own stream.
func (w *world) answer(n *simNode, p packet) {
	d := n.r.disks[p.about]
	found := d.after(p.after, 1+w.rand.IntN(20))
	back := packet{from: n, to: p.from, about: p.about, nonce: p.nonce, after: p.after, lastN: d.lastN}
	for _, k := range found {
		back.messages = append(back.messages, k.message)
	}
	back.end = len(found) == 0 || found[len(found)-1].seq == d.last || len(d.after(found[len(found)-1].seq, 1)) == 0
	w.send(&p.from.inbox, back)
}

// receive takes an answer in. What ends access takes effect at once. All goes to
// disk, if no other node of the Region was faster, and is read from there.
func (w *world) receive(n *simNode, p packet) {
	s, q := p.about, n.asked[p.about]
	if q.nonce != p.nonce {
		w.note(n.r, "late answer", s)
		return
	}
	n.asked[s] = asked{}
	w.endFirst(n, s, p.messages)
	d := n.r.disks[s]
	if d.last != p.after {
		w.note(n.r, "copiers met", s)
		return
	}
	for _, m := range p.messages {
		if n.r.full {
			w.note(n.r, "copy refused", s)
			return
		}
		d.write(m, w.gone(n, m))
		if w.one(0.005) {
			w.crash(n, "while copying")
			return
		}
	}
	if len(p.messages) > 0 {
		w.note(n.r, "copied", len(p.messages))
	}
	if p.end {
		n.goal[s] = goal{true, d.end(), p.lastN, q.at, q.truth}
		if n.writing == nil || s.line() != config {
			n.reach(s)
		}
	}
}

// endFirst takes in what an answer ends before it is on disk. Of a transaction
// that is not whole nothing takes effect: its Region may never complete it.
func (w *world) endFirst(n *simNode, s streamID, messages []*message) {
	name := simNames[s.region()]
	var parts merge.Assembler
	for _, m := range messages {
		if s.line() == config {
			if whole, ok := parts.Add(m.seq, m.tx); ok {
				n.memory.sessions.Enforce(name, whole)
				n.r.may[s] = max(n.r.may[s], m.n)
			}
		} else if m.ends() {
			n.memory.hear(arrival{region: name, kind: m.kind, entry: m.entry})
			n.r.may[s] = max(n.r.may[s], m.n)
		}
	}
}
