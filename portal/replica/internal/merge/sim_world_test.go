package merge_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// What package replica and package portal have in their Config.
const (
	simLife  = 40 * time.Minute // MaxSession
	simSkew  = 5 * time.Minute  // Skew: clocks are within half of it of the true time
	simProbe = 5 * time.Second  // between two probes of a node
)

// simNames are the Regions that a world can have. The first is the primary.
var simNames = []string{virginia, frankfurt, mumbai, "ca-central-1", "us-west-2", "eu-west-1"}

// A world is some Regions in virtual time, with their streams and the network
// between them, which behave as package replica's do. All that happens follows
// from the seed, the number of Regions and nodes included. The merging and the
// verdicts about logs are the real ones, of this package and of integrity.
type world struct {
	rand     *rand.Rand
	now      time.Time
	count    int // of Regions
	all      []*simRegion
	nodes    []*simNode // of all Regions
	apart    [maxRegions][maxRegions]bool
	maxStale time.Duration // MaxStaleness
	nonce    uint64
	issued   time.Time // the identity provider's last message
	ids      int
	lives    int
	n        uint64 // of the last message
	oracle   *oracle
	rates    rates
	noDamage bool // nothing happens to disks
	events   map[string]int
	trace    [40]line // the last few events
	traced   int
	rare     []string // what happened to disks
	quiet    int      // steps until all is quiet
	settling bool     // it is being made quiet
	hash     uint64   // of all events
}

// A line is an event in the trace.
type line struct {
	at    time.Time
	where string
	event string
	what  any
}

func (l line) String() string {
	return fmt.Sprintf("%s %s %s: %v", l.at.Format("15:04:05.000"), l.where, l.event, l.what)
}

// newWorld begins a seed's world at a step, and counts its events.
func newWorld(seed uint64, step int, events map[string]int) *world {
	w := &world{rand: rand.New(rand.NewPCG(seed, uint64(step))), now: base, events: events, hash: seed, quiet: 1}
	w.noDamage = w.one(0.2)
	w.count = 3 + min(w.rand.IntN(4), w.rand.IntN(4))
	w.maxStale = time.Duration(3+w.rand.IntN(12)) * time.Minute
	if w.one(0.5) {
		w.maxStale *= 4
	}
	w.oracle = newOracle(w)
	w.changeRates()
	for id := range w.count {
		r := &simRegion{id: id, name: simNames[id], media: newMedia(), accepted: map[string]bool{},
			requests: map[string]bool{}, forgets: map[string]time.Time{}, counted: map[string]uint64{}}
		w.all = append(w.all, r)
		nodes := 1
		if w.one(0.4) {
			nodes += 1 + w.rand.IntN(2)
		}
		for i := range nodes {
			r.nodes = append(r.nodes, &simNode{r: r, id: i, old: w.one(0.3)})
			r.nodes[i].start(w)
		}
		w.nodes = append(w.nodes, r.nodes...)
	}
	for len(w.all[0].log) == 0 { // it may have crashed
		w.now = w.now.Add(time.Second)
		w.nodes[0].start(w)
	}
	return w
}

// seeds is what a new primary begins with.
func (w *world) seeds() (out []center.Record) {
	for id := range w.count {
		out = append(out, w.listed(id, center.RegionAdding))
	}
	return out
}

// listed is a Region's entry in the directory.
func (w *world) listed(id int, status center.RegionStatus) center.Record {
	return center.Record{Kind: center.KindRegion, Key: simNames[id],
		Value: fmt.Appendf(nil, `{"position":%d,"name":%q,"status":%q,"said":%q}`, id, simNames[id], status, w.id("listed-"))}
}

// note counts an event, and keeps it for the trace.
func (w *world) note(r *simRegion, event string, what any) {
	w.events[event]++
	where := "all"
	if r != nil {
		where = r.name
	}
	w.trace[w.traced%len(w.trace)] = line{w.now, where, event, what}
	w.traced++
	if simRare[event] {
		w.rare = append(w.rare, w.trace[(w.traced-1)%len(w.trace)].String())
	}
	for _, b := range []byte(event) {
		w.hash = (w.hash ^ uint64(b)) * 1099511628211
	}
	w.hash = (w.hash ^ uint64(w.now.UnixNano())) * 1099511628211
}

// simRare are the events that are rare, and kept for the trace.
var simRare = map[string]bool{
	"rolled back": true, "doubled": true, "twin runs": true, "log cut": true, "copy cut": true,
	"message of the log lost": true,
	"message of a copy lost":  true, "swapped": true, "swapped back": true, "wiped": true, "stopped": true,
	"restored": true, "recovered": true,
	"clock far back": true, "Region removed": true, "Region added": true, "erased": true, "awake": true,
}

// last is the trace.
func (w *world) last() (out []string) {
	out = slices.Clone(w.rare[max(0, len(w.rare)-20):])
	for i := max(0, w.traced-len(w.trace)); i < w.traced; i++ {
		out = append(out, w.trace[i%len(w.trace)].String())
	}
	return out
}

func (w *world) one(in float64) bool   { return w.rand.Float64() < in }
func (w *world) id(kind string) string { w.ids++; return fmt.Sprint(kind, w.ids) }
func (w *world) user() string          { return simUsers[w.rand.IntN(w.rates.users)] }
func (w *world) primary() string       { return simNames[0] }

// simUsers are few, so that much happens to each at the same time.
var simUsers = []string{user(0), user(1), user(2)}

func (w *world) clock(n *simNode) time.Time {
	now := w.now.Add(n.offset)
	if now.After(n.r.latest) {
		n.r.latest = now
	}
	return now
}

// step is one event in one node, which it returns.
func (w *world) step() *simNode {
	if w.one(0.7) { // otherwise in the same instant
		w.now = w.now.Add(time.Duration(w.rand.Int64N(int64(w.rates.pace))))
	}
	n := w.nodes[w.rand.IntN(len(w.nodes))]
	if n.life == 0 { // little happens there
		n = w.nodes[w.rand.IntN(len(w.nodes))]
	}
	if !w.trouble(n) && n.life > 0 {
		w.work(n)
	}
	if n.life > 0 {
		w.housekeeping(n)
	}
	return n
}

// trouble is now and then what goes wrong.
//
// Clocks are within half of simSkew of the true time, as Regions promise each
// other, but for one that is now and then set far back. What such a Region ends
// is remembered for that much less, as the Region itself says for how long, and
// what it holds may seem to live when it is over for all others. So nothing is
// asked of a session, an end or a code once any clock of a Region has seen it
// expire: see simRegion.latest. Nor is anything asked of a code once a server has
// counted down how long it is to remember that the code was taken, wherever the
// Region's clocks are by then. All else has to hold.
func (w *world) trouble(n *simNode) bool {
	r := n.r
	switch k := w.rand.IntN(1000); {
	case k < 2 && w.one(0.7):
		other := w.rand.IntN(w.count)
		w.apart[r.id][other] = true
		w.note(r, "partition", simNames[other])
	case k < 5 || k >= 50 && k < 62:
		w.apart[r.id] = [maxRegions]bool{}
	case k < 9:
		n.offset = time.Duration(w.rand.Int64N(int64(simSkew))) - simSkew/2
		w.note(r, "clock", n.offset)
	case k < 10 && w.one(0.3):
		n.offset = -simSkew * time.Duration(2+w.rand.IntN(4))
		r.farBack = true
		w.note(r, "clock far back", n.offset)
	case k < 11 && !r.full:
		r.full, r.fullAt = true, w.now
		w.note(r, "disk full", "")
	case k < 30 && r.full:
		r.full = false
		w.note(r, "disk has space", "")
	case k >= 62 && k < 82 && r.swapped == nil:
		if !w.noDamage && w.one(w.rates.damage) {
			w.damage(r)
		}
	case k >= 34 && k < 42:
		if i := slices.IndexFunc(w.all, func(r *simRegion) bool {
			return w.now.Sub(r.operated) > time.Minute &&
				w.reported(r)
		}); i >= 0 {
			w.operate(w.all[i])
		}
	case k >= 42 && k < 46 && r.twin != nil && r.swapped == nil:
		w.runTwin(r)
	case n.life == 0 && k < 150:
		if !w.one(w.rates.up) {
			return true
		}
		if w.one(0.1) {
			n.old = !n.old
			w.note(r, map[bool]string{true: "rolled to the older version", false: "upgraded"}[n.old], n.id)
		}
		n.start(w)
		w.note(r, "start", n.life > 0)
		w.askAll(n)
	case n.life > 0 && k < 20:
		if w.one(w.rates.crash) {
			w.crash(n, "any time")
		}
	default:
		return false
	}
	return true
}

// crash loses a node's memory. A node that has its server within loses the last
// of the copies that are flushed in the background.
func (w *world) crash(n *simNode, when string) {
	r := n.r
	w.note(r, "crash", when)
	n.stop()
	for id := range w.count {
		s := streamOf(id, sessions)
		if d := r.disks[s]; id != r.id && len(r.nodes) == 1 && len(d.messages) > 0 {
			leave := len(d.messages) - w.rand.IntN(min(len(d.messages), 4)+1)
			for _, k := range d.messages[leave:] { // it may have taken the place of an earlier read's
				r.kept[s] = r.kept[s].without(span{k.n, k.n})
			}
			d.cut(leave)
			r.kept[s] = r.kept[s].upTo(d.lastN)
		}
	}
	w.oracle.reconsider()
}

// work is what a node does when nothing goes wrong.
func (w *world) work(n *simNode) {
	switch k := w.rand.IntN(1000); {
	case k < 120:
		one := w.rand.IntN(2 * w.count) // or all
		for id := range w.count {
			for line := range streams {
				if one == id || one >= w.count {
					w.ask(n, streamOf(id, line))
				}
			}
		}
	case k < 360:
		for range 4 + w.rand.IntN(30) {
			w.deliver(n)
		}
	case k < 540:
		one := w.rand.IntN(2 * w.count) // or all
		for id := range w.count {
			for line := range streams {
				if (one == id || one >= w.count) && (line != config || n.writing == nil) {
					n.apply(streamOf(id, line), 1+w.rand.IntN(8))
				}
			}
		}
	case k < 570:
		if n.writing == nil {
			n.show()
		}
	case n.writing != nil:
		w.goOn(n)
	case k < 660:
		w.configure(n)
	case k < 720:
		w.codes(n)
	default:
		for range 1 + w.rand.IntN(4) {
			w.signInOrOut(n)
		}
	}
}

// housekeeping is what a node does now and then.
func (w *world) housekeeping(n *simNode) {
	now := w.clock(n)
	if now.Sub(n.swept) > time.Minute || now.Before(n.swept) {
		n.swept = now
		n.sweep(w)
		w.part(n)
		for s, d := range n.r.disks {
			d.expire(w.now)
			if n.content[s] != nil {
				n.content[s].Forget(now.Add(-simSkew).Unix())
			}
		}
	}
	if now.Sub(n.probed) >= simProbe || now.Before(n.probed) {
		n.probed, n.works = now, !n.r.full && !n.r.stopped()
		if !n.r.stopped() {
			n.mark()
			w.report(n)
		}
	}
}

// report says in this Region's own log that it has what it needs to serve, and
// has the primary make Regions active that said so.
func (w *world) report(n *simNode) {
	if n.writing != nil || len(n.touched) > 0 || n.life == 0 || n.blocked() {
		return
	}
	if n.r.id == 0 {
		for id := range w.count {
			r, stamp, listed := n.memory.dir.Entry(simNames[id])
			if listed && stamp <= w.all[id].removalNotice { // it was erased, and this is an older list
				w.update(n, []center.Record{w.listed(id, center.RegionAdding)}, false)
				return
			}
			if listed && r.Status == center.RegionAdding && (id == 0 || n.memory.dir.Replicated(simNames[id]) >= stamp) {
				w.update(n, []center.Record{w.listed(id, center.RegionActive)}, false)
				return
			}
		}
		return
	}
	r, stamp, listed := n.memory.dir.Entry(n.r.name)
	said := n.memory.dir.Replicated(n.r.name)
	if !listed || n.heardOf(0).IsZero() {
		return
	}
	if said > 0 && (r.Active() || said >= stamp) {
		n.ready = true
		return
	}
	if past := w.past(n.r, n.r.stamped); !n.memory.dir.Complete(n.r.name) && w.now.Before(past) {
		if !w.settling { // a clock was set back since the operator looked at it: see simNode.start
			return
		}
		w.now = past
	}
	w.write(n, []merge.Record{{Kind: merge.KindReplicated, Key: n.r.name, Value: fmt.Appendf(nil, "%d", stamp)}}, nil,
		false)
}

// healthy says whether a node says that people can sign in there.
func (w *world) healthy(n *simNode) bool { return n.serves() && n.works && !w.stale(n) }

// stale says whether an active Region was not heard for too long.
func (w *world) stale(n *simNode) bool {
	for id := range w.count {
		r, _, listed := n.memory.dir.Entry(simNames[id])
		if id == n.r.id || !listed || !r.Active() {
			continue
		}
		if at := n.heardOf(id); at.IsZero() || w.clock(n).Sub(at) > w.maxStale {
			return true
		}
	}
	return false
}
