package mockidp

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// FaultKind is the kind of a Fault.
type FaultKind string

// The kinds for answers. They affect the answer on its way to the browser. Answer, AnswerPost and IdPInitiated send
// nothing to a browser, so only ClockSkew and CutResponse affect their answers.
const (
	Delay            FaultKind = "delay"              // the page is sent after Fault.For
	DropConnection   FaultKind = "drop"               // the connection is closed without an answer
	ServerError      FaultKind = "status"             // a page with Fault.Status instead
	CutPage          FaultKind = "cut-page"           // the page ends in the middle of the form
	CutResponse      FaultKind = "cut-response"       // the form is complete, its SAMLResponse is half
	ClockSkew        FaultKind = "skew"               // every instant in the message is off by Fault.For
	WrongContentType FaultKind = "wrong-content-type" // the page is sent as text/plain

	// DuplicatePost posts the same message twice. The page has two forms: the first one's answer goes into a frame on the
	// page, the second navigates the browser. With script both are submitted in this order; without script each has its
	// own button.
	DuplicatePost FaultKind = "duplicate"
)

var faultKinds = []FaultKind{Delay, DropConnection, ServerError, CutPage, CutResponse, ClockSkew, WrongContentType,
	DuplicatePost}

// FaultKinds lists the kinds: those of answers, of the federation's metadata, and of logout, artifacts and attribute
// queries.
func FaultKinds() []FaultKind {
	return slices.Concat(faultKinds, metadataFaultKinds, messageFaultKinds)
}

// Fault is a fault in an app's answers, in its logout messages, or in the metadata of the federation. There is none
// except those in Config.Faults and of Inject.
type Fault struct {
	// Kind is the kind of the fault. Required.
	Kind FaultKind
	// App is the ID of the app whose answers it affects. Zero: all apps.
	App string
	// Count is how many answers it affects. Zero: every one.
	Count int
	// Chance is the probability that it affects an answer, from 0 to 1; Config.Seed makes it repeatable. Zero: always.
	Chance float64
	// For is how long a Delay lasts (it ends early if the browser disconnects), and by how much ClockSkew is off, ahead
	// if positive. Zero: no effect. Of MetadataSlow and SOAPSlow it is how long the body takes. Zero: one byte a second.
	For time.Duration
	// Status is the HTTP status of ServerError, 500 to 599. Zero: 503.
	Status int
	// Endpoint is where it is in force; with it, Delay, DropConnection and ServerError are in force there and not for
	// answers of apps. Zero: both endpoints of the federation for the kinds of metadata, all endpoints by SOAP for the
	// kinds of SOAP.
	Endpoint Endpoint
	// Entity is the entity ID for queries about which it is in force, and the entity that MetadataBroken and
	// MetadataDuplicate change in the document with all entities. Zero: queries about any entity, and the last one.
	Entity string
	// URL is where MetadataRedirect and SOAPRedirect lead. Zero: to the same address, without end.
	URL string
}

func (f Fault) check(st *state) *Error {
	switch {
	case !slices.Contains(FaultKinds(), f.Kind):
		kinds := strings.ReplaceAll(strings.Trim(fmt.Sprint(FaultKinds()), "[]"), " ", ", ")
		return mismatch(ReasonConfig, kinds, string(f.Kind), "unknown Fault.Kind")
	case f.Count < 0 || f.Chance < 0 || f.Chance > 1 || math.IsNaN(f.Chance):
		return badConfig("Fault.Count must be at least 0 and Fault.Chance from 0 to 1, got %d and %v", f.Count, f.Chance)
	case f.Status != 0 && (f.Status < 500 || f.Status > 599):
		return badConfig("Fault.Status must be 500 to 599, got %d", f.Status)
	case f.Kind == Delay && f.For < 0:
		return badConfig("Fault.For of a Delay must not be negative, got %v", f.For)
	}
	if f.App != "" {
		if _, err := st.app(f.App); err != nil {
			return err
		}
	}
	if f.ofMessages() {
		return f.checkMessages()
	}
	return f.checkFederation()
}

// Inject adds a fault to those in force. They add up; of those that replace the answer, the first one wins. Faults of
// the federation are those of the Server, not of a tenant.
func (s *Server) Inject(f Fault) error {
	if err := f.check(s.state.Load()); err != nil {
		return err
	}
	if s.root != nil && f.ofFederation() {
		return badConfig("a tenant has no federation; its Server has")
	}
	s.orders.with(func(o *orders) { o.faults = append(o.faults, f) })
	return nil
}

// Faults returns the faults in force, each with the rest of its Count.
func (s *Server) Faults() (out []Fault) {
	s.orders.with(func(o *orders) { out = slices.Clone(o.faults) })
	return out
}

// ClearFaults ends all faults of an app; "" ends all faults.
func (s *Server) ClearFaults(appID string) {
	s.orders.with(func(o *orders) {
		o.faults = slices.DeleteFunc(o.faults, func(f Fault) bool { return appID == "" || f.App == appID })
	})
}

// ofAnswers reports whether f affects responses through the browser.
func (f Fault) ofAnswers() bool { return !f.ofFederation() && !f.ofMessages() }

// faultSet holds the faults that affect one answer.
type faultSet struct {
	kinds       []FaultKind
	delay, skew time.Duration
	status      int // of a ServerError
}

func (s faultSet) has(kind FaultKind) bool { return slices.Contains(s.kinds, kind) }

// takeFaults returns the faults of an app's next answer, and decrements their counts.
func (s *Server) takeFaults(app string) (out faultSet) {
	for _, f := range s.takeFaultsOf(func(f Fault) bool { return f.ofAnswers() && (f.App == "" || f.App == app) }) {
		out.add(f)
	}
	return out
}

func (s *Server) takeFaultsOf(affects func(Fault) bool) (out []Fault) {
	const spent = -1
	s.orders.with(func(o *orders) {
		for i := range o.faults {
			f := &o.faults[i]
			if !affects(*f) || !s.occurs(f.Chance) {
				continue
			}
			out = append(out, *f)
			switch {
			case f.Count > 1:
				f.Count--
			case f.Count == 1:
				f.Count = spent
			}
		}
		o.faults = slices.DeleteFunc(o.faults, func(f Fault) bool { return f.Count == spent })
	})
	return out
}

// occurs reports whether a fault with this Fault.Chance happens this time.
func (s *Server) occurs(chance float64) bool {
	if chance == 0 {
		return true
	}
	b, err := s.random(4)
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
