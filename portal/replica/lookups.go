package replica

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

// lookUps are the last look-ups of this Region's own streams on the embedded server. While nothing changes, the
// questions of all other Regions share one for a few heartbeats, and a question that is repeated isn't checked again:
// both cost the server more than the rest of such a question. Only this Node writes to that server, so a look-up is
// current until the Node has written. The end of the wait for news doesn't depend on it.
type lookUps struct {
	mu     sync.Mutex
	of     map[streamKind]lookUp
	writes map[streamKind]int
}

// A lookUp is a stream as it was, and until when that is used.
type lookUp struct {
	s     jetstream.Stream
	until time.Time
	fine  map[string]shownAt // by Region: what it has shown, and this stream has
}

// A shownAt is what a question shows of a copy.
type shownAt struct {
	heard uint64
	proof integrity.Proof
}

func (q question) shownAt() shownAt {
	s := shownAt{heard: q.Heard}
	if q.Proof != nil {
		s.proof = *q.Proof
	}
	return s
}

// lookUpsLast is for how many heartbeats a look-up is used.
const lookUpsLast = 10

// quiet returns the stream if the question is for the messages after its end, or nil, and whether the same question was
// checked before. The end is the one of a recent look-up, and no later message has been read.
func (l *lookUps) quiet(q question, read *progress) (s jetstream.Stream, checked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, ok := l.of[q.Line]
	if !ok || q.Of != "" || q.Differs || time.Now().After(last.until) {
		return nil, false
	}
	info := last.s.CachedInfo()
	at, _ := read.get(info.Config.Name)
	if q.Store != info.Config.Metadata[storeID] || q.After != info.State.LastSeq || at.seq > info.State.LastSeq {
		return nil, false
	}
	was, ok := last.fine[q.From]
	return last.s, ok && was == q.shownAt()
}

// begun returns the number of writes before a look-up.
func (l *lookUps) begun(k streamKind) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writes[k]
}

// note keeps a look-up, unless there has been a write since it began.
func (l *lookUps) note(k streamKind, s jetstream.Stream, begun int, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writes[k] != begun {
		return
	}
	if l.of == nil {
		l.of = map[streamKind]lookUp{}
	}
	l.of[k] = lookUp{s, until, map[string]shownAt{}}
}

// passed notes that a question about a stream was checked, with nothing to report.
func (l *lookUps) passed(q question, s jetstream.Stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last := l.of[q.Line]; last.s == s && !q.Differs {
		last.fine[q.From] = q.shownAt()
	}
}

// wrote forgets the look-up of a stream that was written to. The write is acknowledged after that.
func (l *lookUps) wrote(k streamKind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writes == nil {
		l.writes = map[streamKind]int{}
	}
	l.writes[k]++
	delete(l.of, k)
}
