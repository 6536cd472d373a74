package merge_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// What package replica has in its Config.
const (
	simLife = time.Hour       // MaxSession
	simSkew = 5 * time.Minute // Skew: clocks are within half of it of the true time
)

// A world is some Regions in virtual time, with their streams and the network
// between them, which behave as package replica's do. All that happens follows
// from the seed. What is not in it: logs that are cut, swapped, rolled back or
// doubled, full disks, versions that differ, Regions that are added and removed,
// and Regions of several nodes.
type world struct {
	rand   *rand.Rand
	now    time.Time
	all    []*simRegion // in the order of regions
	flying []packet
	apart  map[[2]string]bool // which pairs can't hear each other
	nonce  uint64
	ids    int
	oracle *oracle
	events map[string]int
	trace  []string // the last few events
	hash   uint64   // of all events
}

// A packet is a question, or the answer to one.
type packet struct {
	from, to string
	about    streamOf
	nonce    uint64
	after    uint64
	answer   bool
	messages []message
	end      bool // nothing follows
	last     uint64
}

func newWorld(seed uint64) *world {
	w := &world{rand: rand.New(rand.NewPCG(seed, 0)), now: base, apart: map[[2]string]bool{}, oracle: newOracle(), events: map[string]int{}}
	for _, name := range regions {
		w.all = append(w.all, newSimRegion(name))
		w.all[len(w.all)-1].start()
	}
	var seeds []center.Record
	for i, name := range regions {
		seeds = append(seeds, center.Record{Kind: center.KindRegion, Key: name, Value: fmt.Appendf(nil, `{"position":%d,"name":%q}`, i, name)})
	}
	w.update(w.all[0], seeds, true)
	for w.all[0].writing != nil {
		w.goOn(w.all[0])
	}
	w.settle()
	return w
}

func (w *world) note(r *simRegion, event, what string) {
	w.events[event]++
	line := fmt.Sprintf("%s %s %s: %s", w.now.Format("15:04:05"), r.name, event, what)
	if w.trace = append(w.trace, line); len(w.trace) > 40 {
		w.trace = w.trace[1:]
	}
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, w.hash, line)
	w.hash = h.Sum64()
}

func (w *world) one(in float64) bool          { return w.rand.Float64() < in }
func (w *world) clock(r *simRegion) time.Time { return w.now.Add(r.offset) }
func (w *world) of(name string) *simRegion    { return w.all[slices.Index(regions, name)] }
func (w *world) id(kind string) string        { w.ids++; return fmt.Sprint(kind, w.ids) }
func (w *world) user() string                 { return user(w.rand.IntN(6)) }

// step is one event in one Region, which it returns.
func (w *world) step() *simRegion {
	w.now = w.now.Add(time.Duration(w.rand.IntN(3000)) * time.Millisecond)
	r := w.all[w.rand.IntN(len(w.all))]
	switch n := w.rand.IntN(1000); {
	case n < 5:
		other := regions[w.rand.IntN(len(regions))]
		w.apart[[2]string{r.name, other}] = !w.apart[[2]string{r.name, other}]
		w.note(r, "partition", other)
	case n < 10:
		r.offset = time.Duration(w.rand.Int64N(int64(simSkew))) - simSkew/2
		w.note(r, "clock", r.offset.String())
	case !r.up && n < 100:
		r.start()
		w.note(r, "start", "")
	case !r.up:
	case n < 18:
		r.crash(func(of int) int { return of - w.rand.IntN(min(of, 4)+1) })
		w.note(r, "crash", "")
	case n < 250:
		w.ask(r, streamOf{regions[w.rand.IntN(len(regions))], w.rand.IntN(streams)})
	case n < 550:
		w.deliver(r)
	case n < 700:
		s := streamOf{regions[w.rand.IntN(len(regions))], w.rand.IntN(streams)}
		if s.region != r.name && (s.stream != config || r.writing == nil) {
			r.apply(s, 1+w.rand.IntN(4))
		}
	case r.writing != nil:
		w.goOn(r)
	case n < 730:
		r.show()
	case n < 830:
		w.configure(r)
	default:
		w.signInOrOut(r)
	}
	if now := w.clock(r); r.up && now.Sub(r.swept) > time.Minute {
		r.swept = now
		r.memory.sessions.Sweep(now, simSkew)
		r.expire(now)
	}
	return r
}

func (w *world) ask(r *simRegion, s streamOf) {
	if s.region == r.name {
		return
	}
	w.nonce++
	r.asked[s] = w.nonce
	w.flying = append(w.flying, packet{from: r.name, to: s.region, about: s, nonce: w.nonce, after: r.disks[s].last})
}

// deliver takes one packet that is for the Region, any of them. It may be lost
// then, or stay on its way to arrive again.
func (w *world) deliver(r *simRegion) {
	var mine []int
	for i, p := range w.flying {
		if p.to == r.name {
			mine = append(mine, i)
		}
	}
	if len(mine) == 0 {
		return
	}
	i := mine[w.rand.IntN(len(mine))]
	p := w.flying[i]
	if w.one(0.1) && len(w.flying) < 200 {
		w.note(r, "doubled", p.from)
	} else {
		w.flying = slices.Delete(w.flying, i, i+1)
	}
	if w.apart[[2]string{p.to, p.from}] || w.apart[[2]string{p.from, p.to}] || w.one(0.1) {
		w.note(r, "lost", p.from)
		return
	}
	w.receive(r, p)
}

func (w *world) receive(r *simRegion, p packet) {
	d := r.disks[p.about]
	if !p.answer {
		found, all := d.follows(p.after, 1+w.rand.IntN(20)), d.follows(p.after, 1<<30)
		back := packet{from: r.name, to: p.from, about: p.about, nonce: p.nonce, answer: true, messages: found, end: len(found) == len(all), last: d.last}
		w.flying = append(w.flying, back)
		return
	}
	if r.asked[p.about] != p.nonce {
		w.note(r, "late answer", p.from)
		return
	}
	delete(r.asked, p.about)
	for _, m := range p.messages {
		d.write(m)
	}
	if p.end {
		r.goal[p.about] = goal{d.last, p.last}
	}
	w.note(r, "copied", fmt.Sprint(p.about, len(p.messages)))
}

// update begins to write what changed.
func (w *world) update(r *simRegion, changes []center.Record, full bool) {
	tx := r.memory.dir.Compose(r.name, uint64(w.clock(r).UnixMicro()), r.memory.dir.Draft(r.name, changes), full)
	first := r.disks[streamOf{r.name, config}].last + 1
	tx.First = first
	r.writing = &simWrite{whole: arrival{region: r.name, tx: &tx}, changes: changes}
	of := 1 + w.rand.IntN(3) // cut anywhere
	for part := range of {
		from, to := part*len(tx.Records)/of, (part+1)*len(tx.Records)/of
		r.writing.parts = append(r.writing.parts, merge.Transaction{Stamp: tx.Stamp, Full: tx.Full, First: first, Part: part, Of: of, Records: tx.Records[from:to]})
	}
	w.note(r, "update", fmt.Sprint(len(tx.Records), tx.Full))
}

// goOn writes the next part. With the last one the update has happened.
func (w *world) goOn(r *simRegion) {
	s, p := streamOf{r.name, config}, r.writing.parts[0]
	r.writing.parts = r.writing.parts[1:]
	r.disks[s].write(message{seq: r.disks[s].last + 1, tx: p})
	if len(r.writing.parts) > 0 {
		return
	}
	whole, changes := r.writing.whole, r.writing.changes
	r.writing = nil
	w.oracle.updated(r, changes, r.disks[s].last)
	if w.one(0.1) { // before it gets any further
		r.crash(func(of int) int { return of })
		w.note(r, "crash", "after its write")
		return
	}
	r.touched = append(r.touched, r.memory.hear(whole)...)
	r.read[s], r.heard[s] = r.disks[s].last, r.disks[s].last
	if len(changes) > 0 {
		r.touched = r.memory.dir.Took(r.touched, changes)
	}
}
