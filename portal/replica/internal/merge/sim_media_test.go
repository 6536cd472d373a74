package merge_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A media is the content of a Region's disks: its streams, the copies of others',
// and the identity and marks beside them.
type media struct {
	disks    [maxRegions * streams]*disk
	identity *integrity.Identity // nil: none yet
	marks    [streams]integrity.Mark
	// The following is not on the disks. It is the truth about them.
	history spans     // which of the Region's own messages were written here
	kept    histories // what all nodes know that start on it
	flaw    string    // what was done to it, by which the Region can't be as it was
	// mustRefuse is why no start may take it for what the Region wrote.
	mustRefuse    string
	log           map[merge.Name]lastWord // what the Region wrote last
	removed       map[string]uint64       // by user, in the primary: by which message
	update        *simUpdate              // the last one
	removalNotice uint64                  // the stamp of the Region's removal, if nothing else is left
}

func newMedia() *media {
	m := &media{log: map[merge.Name]lastWord{}, removed: map[string]uint64{}}
	for s := range m.disks {
		m.disks[s] = newDisk()
	}
	return m
}

// clone copies the disks, as a backup does.
func (m *media) clone(w *world) *media {
	c := *m
	c.history = m.history.upTo(w.n)
	c.log, c.removed = maps.Clone(m.log), maps.Clone(m.removed)
	for s, d := range m.disks {
		c.disks[s] = d.clone()
	}
	if m.identity != nil {
		d := *m.identity
		d.Stores = maps.Clone(d.Stores)
		c.identity = &d
	}
	return &c
}

// found says what is wrong with the disks at a start, before they are read.
func (r *simRegion) found() string {
	d := r.identity
	if d == nil {
		return ""
	}
	if d.Region != r.name {
		return "the directory of Region " + d.Region
	}
	if d.Damage != nil {
		return d.Damage.Why
	}
	if log := r.disks[streamOf(r.id, config)]; !log.contiguous() {
		return "messages of the log are missing"
	}
	return ""
}

// generation begins a new generation of the Region.
func (w *world) generation(n *simNode) {
	r := n.r
	if r.identity == nil {
		w.newIdentity(r, integrity.New(r.name, w.key(), w.clock(n).Unix()))
	}
	n.serving = r.identity.Start(fmt.Sprint(n.life))
	r.numbered = max(r.numbered, (n.serving.Number+1)*1_000_000)
}

func (w *world) newIdentity(r *simRegion, d integrity.Identity) {
	for _, line := range simLines {
		d.Stores[line] = w.id("store-")
	}
	r.identity = &d
	r.history = append(slices.Clone(r.history), span{w.n + 1, forever})
}

func (w *world) key() (k integrity.Key) {
	w.ids++
	copy(k[:], fmt.Append(nil, "key ", w.ids))
	return k
}

// note takes a message that was read into the content of its stream.
func (n *simNode) note(s streamID, k kept) {
	m := integrity.Message{Seq: k.seq, Subject: k.subject, Until: k.untilUnix(), Item: k.item, Replaces: k.replaces}
	if k.from != nil {
		m.Store, m.Read = k.from.store, k.from.read
	} else {
		m.Store = n.r.identity.Stores[s.name()]
	}
	n.content[s].Add(m)
}

// lost compares the marks with what was read, as a start does.
func (n *simNode) lost(w *world) string {
	for line := range streams {
		s, m := streamOf(n.r.id, line), n.r.marks[line]
		if m.Store != n.r.identity.Stores[s.name()] {
			continue
		}
		if why := m.Check(n.content[s], n.r.disks[s].last, w.clock(n).Unix(), int64(simSkew.Seconds())); why != "" {
			return why
		}
	}
	return ""
}

// mark writes the marks beside the streams.
func (n *simNode) mark() {
	for line := range streams {
		n.r.marks[line] = n.content[streamOf(n.r.id, line)].Mark()
	}
}

// stopped says whether the Region has found that its log is not what it wrote.
func (r *simRegion) stopped() bool { return r.identity != nil && r.identity.Damage != nil }

// stops ends what a Region does on its own authority, until its operator acts.
func (w *world) stops(r *simRegion, line, why string) {
	if r.stopped() {
		return
	}
	w.note(r, "stopped", why)
	r.identity.Damage = &integrity.Damage{Line: line, Why: why}
	if r.flaw == "" && !r.farBack {
		w.oracle.wrong = append(w.oracle.wrong, fmt.Sprintf("%s stopped without a cause: %s", r.name, why))
	}
}
