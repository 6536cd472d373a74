package merge_test

import (
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A simRegion is a Region: what is on the disks that its nodes share, and its
// nodes.
type simRegion struct {
	id     int
	name   string
	disks  [maxRegions * streams]*disk
	nodes  []*simNode
	inbox  []packet  // questions, which any node answers
	full   bool      // the disks take nothing
	latest time.Time // the latest that any clock here ever showed
	// kept is what was heard, and is on disk, so that a start knows it too. may
	// is how far anything may have taken effect here.
	kept, may positions
	accepted  map[string]bool // requests that were used, and assertions
	requests  map[string]bool // that wait
}

// A simNode is one node of a Region: what is in memory while it is up.
type simNode struct {
	r      *simRegion
	id     int
	offset time.Duration // of its clock
	inbox  []packet      // answers

	life    int // of this start; 0: it is down
	memory  *region
	parts   [maxRegions]merge.Assembler
	read    positions // how far each stream was read, by sequence
	readN   positions // the same, by message
	known   positions // up to where all has taken effect for sure, by message
	goal    [maxRegions * streams]goal
	asked   [maxRegions * streams]asked
	heardAt [maxRegions * streams]time.Time // as of when all is here; zero: never

	logEnd  uint64 // where this node takes its Region's log to end
	wrote   map[uint64]bool
	touched []merge.Name // not shown yet
	shown   map[merge.Name]string
	writing *simWrite
	ready   bool
	unsaid  bool // it ended something in memory that never got to disk

	posts   []simPost     // answers of identity providers that wait to be accepted
	codes   []string      // that were found here, and not taken yet
	signIns []*simSession // that were proved, and have no session yet
	swept   time.Time
	probed  time.Time
	works   bool   // what the last probe found
	checked uint64 // up to which message its own log was compared
}

// A goal is where a node has read all of an answer that left nothing out: only
// then is it sure to know all that is before. A message in the middle may be one
// whose place a later message took.
type goal struct {
	open  bool
	read  uint64 // sequence
	heard uint64 // message
	asked time.Time
	truth uint64 // what had been acknowledged when it was asked, by message
}

// asked is a question that waits for its answer.
type asked struct {
	nonce uint64
	at    time.Time
	truth uint64
}

// A simWrite is a transaction on its way to the disk, part by part. Nothing else
// changes the directory meanwhile.
type simWrite struct {
	whole   merge.Transaction
	parts   []merge.Transaction
	done    int
	changes []center.Record
	drafted map[merge.Name]bool // of the changes, those that are this Region's to write
}

// stop loses what is in memory.
func (n *simNode) stop() { *n = simNode{r: n.r, id: n.id, offset: n.offset} }

// start reads all that is on disk.
func (n *simNode) start(w *world) {
	n.stop()
	w.lives++
	n.life, n.memory = w.lives, &region{merge.NewDirectory(w.primary()), merge.NewSessions(n.r.name, w.primary())}
	n.shown, n.wrote, n.works = map[merge.Name]string{}, map[uint64]bool{}, true
	n.known = n.r.kept
	for s := range streamID(w.count * streams) {
		if s.region() == n.r.id {
			n.goal[s] = goal{open: true, heard: n.r.disks[s].lastN}
		}
		n.apply(s, len(n.r.disks[s].messages))
	}
	n.logEnd = n.r.disks[streamOf(n.r.id, config)].last
	n.show()
	n.ready = n.r.id == 0 || n.memory.dir.Replicated(n.r.name) > 0
}

// apply takes the next few messages of a stream from disk into memory.
func (n *simNode) apply(s streamID, most int) {
	for _, k := range n.r.disks[s].after(n.read[s], most) {
		n.take(s, k.message)
		n.read[s], n.readN[s] = k.seq, k.n
		if s.line() != config { // a transaction may be when its last part is read
			n.r.may[s] = max(n.r.may[s], k.n)
		}
	}
	n.reach(s)
}

func (n *simNode) take(s streamID, m *message) {
	if s.line() != config {
		n.memory.hear(arrival{region: simNames[s.region()], kind: m.kind, entry: m.entry})
		return
	}
	if s.region() == n.r.id {
		n.logEnd = max(n.logEnd, m.seq)
		if n.wrote[m.seq] {
			delete(n.wrote, m.seq)
			return
		}
	}
	if whole, ok := n.parts[s.region()].Add(m.seq, m.tx); ok {
		n.touched = append(n.touched, n.memory.hear(arrival{region: simNames[s.region()], tx: &whole})...)
		n.knows(s, m.n)
	}
}

// knows notes that all of a stream up to a message has taken effect, from disk.
func (n *simNode) knows(s streamID, m uint64) {
	n.known[s] = max(n.known[s], m)
	n.r.kept[s] = max(n.r.kept[s], m)
	n.r.may[s] = max(n.r.may[s], m)
}

// reach notes that a goal is reached.
func (n *simNode) reach(s streamID) {
	g := &n.goal[s]
	if !g.open || n.read[s] < g.read || s.line() == config && len(n.touched) > 0 {
		return
	}
	g.open = false
	n.knows(s, g.heard)
	n.heardAt[s] = g.asked
}

// show tells the instance what has changed.
func (n *simNode) show() {
	n.tell(n.memory.dir.Changes(n.touched))
	n.touched = nil
	for region := range maxRegions {
		n.reach(streamOf(region, config))
	}
}

func (n *simNode) tell(changes []center.Record) {
	for _, c := range changes {
		if k := (merge.Name{Kind: c.Kind, Key: c.Key}); c.Value == nil {
			delete(n.shown, k)
		} else {
			n.shown[k] = string(c.Value)
		}
	}
}

// heardOf is as of when all that a Region wrote is here; zero: never.
func (n *simNode) heardOf(region int) (t time.Time) {
	for line := range streams {
		if h := n.heardAt[streamOf(region, line)]; line == 0 || h.Before(t) {
			t = h
		}
	}
	return t
}
