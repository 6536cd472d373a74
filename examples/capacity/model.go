package main

import (
	"errors"
	"time"
)

// A plan is what is asked of the Regions.
type plan struct {
	regions int
	people  int
	signIns float64 // a second, in all Regions together
	changes float64 // of single users, a second
	session time.Duration
	share   float64 // of the sign-ins that the busiest Region gets; zero: as many as the others
	far     time.Duration
}

func (p plan) check() error {
	switch {
	case p.regions < 1 || p.people < 1:
		return errors.New("-regions and -people must be positive")
	case p.signIns < 0 || p.changes < 0 || p.session <= 0 || p.far < 0:
		return errors.New("rates and times must not be negative, and -session must be positive")
	case p.share < 0 || p.share > 1:
		return errors.New("-busiest must be a share from 0 to 1")
	}
	return nil
}

// A load is what the busiest Region needs.
type load struct {
	idle, signIns, copies, changes float64 // cores
	sessions                       float64 // live ones, in all Regions: each keeps all
	heap, memory, disk             float64 // bytes
	lag, worst                     time.Duration
	start                          time.Duration // CPU time of all Regions together
}

func (l load) cores() float64 { return l.idle + l.signIns + l.copies + l.changes }

// gcHeadroom is the resident memory for each byte of heap in use: Go's collector lets the heap double, and runtime,
// stacks and the server's caches need some.
const gcHeadroom = 2.2

// compaction is the largest size of a log for each byte that it needs: it is written anew when it has doubled.
const compaction = 2

func (c constants) reckon(p plan) load {
	others := float64(p.regions - 1)
	share := max(p.share, 1/float64(p.regions))
	own, elsewhere := p.signIns*share, p.signIns*(1-share)
	var l load
	l.idle = c.idleAlone + c.idlePeer*others
	l.signIns = own * c.signInCPU.Seconds()
	// A copy costs the Region that sends it and the one that receives it about the same.
	half := c.sessionPeer.Seconds() / 2
	l.copies = own*half*others + elsewhere*half
	// The busiest Region is the primary: it makes the change, and sends it to the others.
	l.changes = p.changes * (c.changeOwn.Seconds() + c.changePeer.Seconds()/2*others)
	l.sessions = min(p.signIns*p.session.Seconds(), maxSessionsEach*float64(p.people))
	l.heap = c.heapOf(p.regions, p.people) + c.heapSession*l.sessions
	l.memory = gcHeadroom * l.heap
	l.disk = compaction*c.diskOf(p.people) + (c.diskSession+c.diskEnd)*l.sessions
	l.lag, l.worst = c.lagAt(p.far, l.cores()), 2*p.far+4*c.lag
	l.start = c.startOf(p.regions, p.people)
	return l
}

// maxSessionsEach bounds the sessions: a person who signs in again usually replaces one.
const maxSessionsEach = 2

// lagAt is the median time until a change takes effect in another Region. Half a round trip brings the news, which a
// question is waiting for. On a busy processor everything takes its turn.
func (c constants) lagAt(trip time.Duration, cores float64) time.Duration {
	busy := min(cores, 0.9)
	return trip/2 + time.Duration(float64(c.lag)/(1-busy))
}

func (c constants) startOf(regions, people int) time.Duration {
	r := time.Duration(regions)
	return r*c.startAlone + r*(r-1)*c.startPeer + r*time.Duration(people)*c.startPerson
}

func (c constants) heapOf(regions, people int) float64 {
	return c.heapAlone + c.heapPeer*float64(regions-1) + c.heapPerson*float64(people)
}

func (c constants) diskOf(people int) float64 { return c.diskAlone + c.diskPerson*float64(people) }

// The following are of all Regions together, as they are measured in one process.

func (c constants) idleOfAll(regions int) float64 {
	return float64(regions) * (c.idleAlone + c.idlePeer*float64(regions-1))
}

func (c constants) sessionOfAll(regions int) time.Duration {
	return c.sessionOwn + time.Duration(regions-1)*c.sessionPeer
}

func (c constants) changeOfAll(regions int) time.Duration {
	return c.changeOwn + time.Duration(regions-1)*c.changePeer
}
