package merge_test

import (
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A simRegion is a Region: the disks that its nodes share, and its
// nodes.
type simRegion struct {
	id   int
	name string
	*media
	backup *media // an older copy of the disks
	twin   *media // a second Region under this name, made from a copy
	nodes  []*simNode
	inbox  []packet  // questions, which any node answers
	full   bool      // the disks take nothing
	fullAt time.Time // since then
	latest time.Time // the latest that any clock here ever showed
	// refused is why the last start was refused: its operator reads that.
	refused  string
	operated time.Time         // when its operator looked last; others take a while to hear what was done
	claimed  bool              // another claims that a log went further, and its log says so
	swapped  *simRegion        // whose disks are here, and the other way round
	stamped  uint64            // the latest stamp of what was written, wherever it is now
	numbered uint64            // the latest number of a generation, as a stamp
	counted  map[string]uint64 // by user, the highest count of revocations, wherever it is now
	farBack  bool              // a clock is, or was not long ago
	may      positions         // how far anything may ever have taken effect here
	erased   uint64            // up to which message it was, when it was removed
	gone     time.Time         // when it was removed last

	accepted map[string]bool      // requests that were used, and assertions
	requests map[string]bool      // that wait
	forgets  map[string]time.Time // by code that was taken: when a server forgets that
}

// A simNode is one node of a Region: its memory while it is up.
type simNode struct {
	r      *simRegion
	id     int
	old    bool          // it runs an older version
	offset time.Duration // of its clock
	inbox  []packet      // answers

	life    int // of this start; 0: it is down
	serving integrity.Generation
	content [maxRegions * streams]*integrity.Content
	differs [maxRegions * streams]bool // a copy is not what its owner has
	// suspects: its copy of the primary's log lacked something when it started, and the
	// primary has not agreed since.
	suspects bool
	memory   *region
	parts    [maxRegions]merge.Assembler
	read     positions // how far each stream was read on this Region's disk
	readN    positions // the same, by message
	known    histories // what has taken effect for sure
	goal     [maxRegions * streams]goal
	asked    [maxRegions * streams]asked
	heardAt  [maxRegions * streams]time.Time // as of when all is here; zero: never

	logEnd    uint64 // where this node takes its Region's log to end
	wrote     map[uint64]bool
	touched   []merge.Name // not shown yet
	shown     map[merge.Name]string
	writing   *simWrite
	ready     bool
	raised    map[string]*end   // by user, counts that are in memory alone
	alive     map[string]bool   // sessions that were alive in this life: whether they still are
	undurable bool              // it ended something in memory that never got to disk
	early     map[*message]bool // of which it has heard the update, and not from disk

	unlisted bool               // the primary says that it doesn't list this Region
	parted   [maxRegions]uint64 // the stamp of a Region's removal, once its copies are gone

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
	read  uint64 // on this Region's disk
	known spans
	asked time.Time
	by    packet // the answer
}

// asked is a question that waits for its answer.
type asked struct {
	nonce uint64
	at    time.Time
}

// A simWrite is a transaction on its way to the disk, part by part. Nothing else
// changes the directory meanwhile.
type simWrite struct {
	whole      merge.Transaction
	parts      []merge.Transaction
	done       int
	changes    []center.Record
	drafted    map[merge.Name]bool // of the changes, those that are this Region's to write
	truth      *simUpdate          // what it is when it is done
	unreadable bool                // in a format of a later version
	strict     *merge.Record       // of a later version, that an older one may not skip
}

// stop loses the memory.
func (n *simNode) stop() { *n = simNode{r: n.r, id: n.id, old: n.old, offset: n.offset} }

// start reads all that is on disk, unless that is not what the Region wrote.
func (n *simNode) start(w *world) {
	n.stop()
	if n.r.refused = n.r.found(); n.r.refused != "" || !w.awake(n.r) {
		return
	}
	w.lives++
	n.life = w.lives
	past := w.past(n.r, n.r.stamped)
	if w.settling && len(n.r.log) == 0 && w.now.Before(past) {
		w.now = past
	}
	early := w.now.Before(past)
	w.generation(n)
	n.begin(w)
	if n.r.refused = n.lost(w); n.r.refused == "" && n.r.identity.Whole && !n.memory.dir.Complete(n.r.name) &&
		n.memory.dir.Standing(n.r.name).Removed == 0 {
		n.r.refused = "the log holds no whole state any more"
	}
	if n.r.refused != "" {
		w.stops(n.r, "", n.r.refused)
		n.stop()
		return
	}
	if _, unread := n.memory.dir.Unread(n.r.name); unread { // it would be written over
		w.note(n.r, "version refused", n.id)
		n.stop()
		return
	}
	if n.show(); w.settling && !n.memory.dir.Complete(n.r.name) && w.now.Before(past) {
		w.now, early = past, false // the whole log was written before the Region was removed
	}
	if !n.memory.dir.Complete(n.r.name) && (early || n.r.id == 0 && !w.seed(n)) {
		n.stop() // an operator has it begin when its clock is past what it has written
		return
	}
	n.r.identity.Whole = n.r.identity.Whole || n.memory.dir.Complete(n.r.name)
	n.ready = n.r.id == 0 || n.memory.dir.Complete(w.primary()) && n.memory.dir.Replicated(n.r.name) > 0
	w.oracle.started(n)
}

// seed writes what a new primary begins with. It says whether it could.
func (w *world) seed(n *simNode) bool {
	for w.update(n, w.seeds(), true); n.writing != nil; {
		w.goOn(n)
	}
	return n.life > 0 && n.memory.dir.Complete(n.r.name)
}

// begin reads all that is on disk.
func (n *simNode) begin(w *world) {
	also, entries := []center.Kind{simLater}, []merge.EntryKind{simLaterEntry}
	if n.old {
		also, entries = nil, nil
	}
	n.memory = &region{merge.NewDirectory(w.primary(), also...), merge.NewSessions(n.r.name, w.primary(), entries...)}
	n.shown, n.wrote, n.works = map[merge.Name]string{}, map[uint64]bool{}, true
	n.raised, n.alive, n.early = map[string]*end{}, map[string]bool{}, map[*message]bool{}
	n.known = n.r.kept
	for s := range streamID(w.count * streams) {
		n.content[s] = integrity.NewContent()
		if s.region() == n.r.id {
			n.goal[s] = goal{open: true, known: n.r.history.upTo(w.n)}
		}
		n.apply(s, len(n.r.disks[s].messages))
	}
	n.sweep(w) // before it serves: otherwise what removed Regions counted would end sessions again
	n.logEnd = n.r.disks[streamOf(n.r.id, config)].last
	n.suspects = n.r.disks[streamOf(0, config)].incomplete()
}

// sweep forgets what can't be needed any more.
func (n *simNode) sweep(w *world) {
	now := w.clock(n)
	n.memory.sessions.Sweep(now, simSkew)
	n.memory.sessions.SweepDeparted(now, simLife, simSkew)
}

// apply takes the next few messages of a stream from disk into memory.
func (n *simNode) apply(s streamID, most int) {
	for _, k := range n.r.disks[s].after(n.read[s], most) {
		n.note(s, k)
		n.take(s, k)
		n.read[s], n.readN[s] = k.local, max(n.readN[s], k.n)
		if s.line() != config { // a transaction may be when its last part is read
			n.r.may[s] = max(n.r.may[s], k.n)
		}
	}
	n.reach(s)
}

func (n *simNode) take(s streamID, k kept) {
	name := simNames[s.region()]
	if s.line() != config {
		if n.old && k.unreadable {
			n.memory.sessions.Miss(name, simFormat, k.entry.Until)
		} else {
			n.memory.hear(arrival{region: name, kind: k.kind, entry: k.entry})
		}
		return
	}
	if s.region() == n.r.id {
		n.logEnd = max(n.logEnd, k.local)
		if n.wrote[k.local] {
			delete(n.wrote, k.local)
			return
		}
	}
	missed := n.old && k.unreadable
	if missed {
		n.touched = append(n.touched, n.memory.dir.Miss(name, simFormat)...)
	}
	delete(n.early, k.message)
	if whole, ok := n.parts[s.region()].Add(k.seq, k.tx); ok {
		if !missed {
			n.touched = append(n.touched, n.memory.hear(arrival{region: name, tx: &whole})...)
		}
		if k.from != nil {
			n.knows(s, n.r.disks[s].left(k.from.history.upTo(k.n)))
		} else {
			n.knows(s, n.r.history.upTo(k.n))
		}
		n.r.may[s] = max(n.r.may[s], k.n)
	}
}

// knows notes what of a stream has taken effect for sure, from disk.
func (n *simNode) knows(s streamID, h spans) {
	n.known[s] = n.known[s].and(h)
	n.r.kept[s] = n.r.kept[s].and(h)
}

// reach notes that a goal is reached. What has come since may have taken the place
// of what was before the goal, so that is read, too.
func (n *simNode) reach(s streamID) {
	g := &n.goal[s]
	if !g.open || n.read[s] < max(g.read, n.r.disks[s].end()) || s.line() == config && len(n.touched) > 0 {
		return
	}
	g.open = false
	if s.region() == n.r.id {
		n.knows(s, g.known)
	} else if n.same(s, g.by) {
		n.knows(s, g.known)
		n.heardAt[s] = g.asked
		if s == streamOf(0, config) {
			n.suspects = n.suspects && n.r.disks[s].incomplete()
		}
	}
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

// serves says whether people can do anything there.
func (n *simNode) serves() bool { return n.ends() && !n.blocked() }

// ends says whether sessions can be ended there: also where a version can't read
// what may have ended others.
func (n *simNode) ends() bool { return n.ready && !n.r.stopped() && n.isListed() }
