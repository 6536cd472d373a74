package mockidp

import (
	"cmp"
	"encoding/binary"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds. They strike the answer on its way to the browser. The Go calls
// Answer, AnswerPost and IdPInitiated have no such way: on their answers only
// ClockSkew and CutResponse show.
const (
	Delay            FaultKind = "delay"              // the page comes after Fault.For
	DropConnection   FaultKind = "drop"               // the connection is closed without an answer
	ServerError      FaultKind = "status"             // a page with Fault.Status instead
	CutPage          FaultKind = "cut-page"           // the page ends in the middle of the form
	CutResponse      FaultKind = "cut-response"       // the form is whole, its SAMLResponse is half
	ClockSkew        FaultKind = "skew"               // every instant in the message is off by Fault.For
	WrongContentType FaultKind = "wrong-content-type" // the page says that it is text/plain

	// DuplicatePost posts the same message twice. The page has two forms: the
	// first leads into a frame on the page, the second takes the browser
	// along. With script both are submitted in this order; without, each has a
	// button of its own.
	DuplicatePost FaultKind = "duplicate"
)

var faultKinds = []FaultKind{Delay, DropConnection, ServerError, CutPage, CutResponse, ClockSkew, WrongContentType, DuplicatePost}

// FaultKinds lists the kinds.
func FaultKinds() []FaultKind { return slices.Clone(faultKinds) }

func faultWords() string {
	var words []string
	for _, k := range faultKinds {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}

// Fault is something that goes wrong with an app's answers. None does unless
// it is in Config.Faults or was given to Inject.
type Fault struct {
	// Kind is what goes wrong. Required.
	Kind FaultKind
	// App is the ID of the app whose answers it strikes. Zero: all apps'.
	App string
	// Count is how many answers it strikes. Zero: every one.
	Count int
	// Chance is how likely it strikes an answer, from 0 to 1; Config.Seed
	// makes it repeat. Zero: it always does.
	Chance float64
	// For is how long a Delay lasts (it ends early if the browser hangs up),
	// and by how much ClockSkew is off, ahead if positive. Zero: nothing happens.
	For time.Duration
	// Status is what ServerError answers, 500 to 599. Zero: 503.
	Status int
}

func (f Fault) check(st *state) *Error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return &Error{Reason: ReasonConfig, Detail: "unknown Fault.Kind", Want: faultWords(), Got: string(f.Kind)}
	case f.Count < 0 || f.Chance < 0 || f.Chance > 1 || math.IsNaN(f.Chance):
		return badConfig("a Fault's Count is not negative and its Chance from 0 to 1")
	case f.Status != 0 && (f.Status < 500 || f.Status > 599):
		return badConfig("Fault.Status must be 500 to 599, got %d", f.Status)
	case f.Kind == Delay && f.For < 0:
		return badConfig("a Delay can't be negative: %v", f.For)
	}
	if f.App != "" {
		if _, err := st.app(f.App); err != nil {
			return err
		}
	}
	return nil
}

// Inject adds a fault to those in force. They add up; of those that replace
// the answer, the first wins.
func (s *Server) Inject(f Fault) error {
	if err := f.check(s.state.Load()); err != nil {
		return err
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = append(s.faults.list, f)
	return nil
}

// Faults returns the faults in force, each with as much of its Count as is left.
func (s *Server) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return slices.Clone(s.faults.list)
}

// ClearFaults ends all faults of an app; "" ends all there are.
func (s *Server) ClearFaults(appID string) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = slices.DeleteFunc(s.faults.list, func(f Fault) bool { return appID == "" || f.App == appID })
}

// faultTable owns the faults in force.
type faultTable struct {
	mu     sync.Mutex
	list   []Fault
	random func(n int) ([]byte, *Error)
}

func (t *faultTable) reset(s *Server, faults []Fault) *Error {
	for _, f := range faults {
		if err := f.check(s.initial); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list, t.random = slices.Clone(faults), s.random
	return nil
}

// faultSet is what strikes one answer.
type faultSet struct {
	kinds       []FaultKind
	delay, skew time.Duration
	status      int // of a ServerError
}

func (s faultSet) has(kind FaultKind) bool { return slices.Contains(s.kinds, kind) }

// take counts one answer of an app off the faults that strike it.
func (t *faultTable) take(app string) faultSet {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out faultSet
	kept := t.list[:0:0]
	for _, f := range t.list {
		if (f.App != "" && f.App != app) || !t.strikes(f.Chance) {
			kept = append(kept, f)
			continue
		}
		out.add(f)
		if f.Count != 1 {
			f.Count = max(f.Count-1, 0)
			kept = append(kept, f)
		}
	}
	t.list = kept
	return out
}

func (t *faultTable) strikes(chance float64) bool {
	if chance == 0 {
		return true
	}
	b, err := t.random(4)
	return err == nil && float64(binary.BigEndian.Uint32(b)) < chance*(1<<32)
}

func (s *faultSet) add(f Fault) {
	s.kinds = append(s.kinds, f.Kind)
	switch f.Kind {
	case Delay:
		s.delay += f.For
	case ServerError:
		s.status = cmp.Or(s.status, f.Status, http.StatusServiceUnavailable)
	case ClockSkew:
		s.skew += f.For
	}
}
