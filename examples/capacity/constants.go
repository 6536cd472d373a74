package main

import "time"

// The constants are measured on one machine, with all Regions in one process, and are CPU time of one of its cores
// (see SIZING.md of package replica). They are per Region unless they say otherwise. Measure them on a machine of
// yours, which takes some minutes, and put them here:
//
//	MERIDIAN_CAPACITY=measure go test ./examples/capacity -run TestConstants -v
//
// and signInCPU, which includes the POST, the verification, the two records and the session. diskEnd is
// from a soak test of 25,857 sign-outs.
//
//	go test ./portal -run '^$' -bench SignIn
var measured = constants{
	idleAlone: 0.0022, idlePeer: 0.00098,
	startAlone: 42 * time.Millisecond, startPeer: 14 * time.Millisecond, startPerson: 52 * time.Microsecond,
	signInCPU:  800 * time.Microsecond,
	sessionOwn: 2000 * time.Microsecond, sessionPeer: 1200 * time.Microsecond,
	changeOwn: 1600 * time.Microsecond, changePeer: 1350 * time.Microsecond,
	heapAlone: 11.6e6, heapPeer: 150e3, heapPerson: 1310, heapSession: 3000,
	diskAlone: 136e3, diskPerson: 285, diskSession: 618, diskEnd: 500,
	lag: 1200 * time.Microsecond,
}

// constants are what a Region costs.
type constants struct {
	idleAlone, idlePeer float64 // cores, of a Region and for each other one that it follows

	// Of the start of all Regions, until all are active: for each Region, and for each pair of them in each direction.
	// startPerson is for each person and Region.
	startAlone, startPeer, startPerson time.Duration

	signInCPU               time.Duration // of a sign-in, without the other Regions
	sessionOwn, sessionPeer time.Duration // of a session in its Region, and for each other one: there and to send it
	changeOwn, changePeer   time.Duration // of a change of one user, likewise

	heapAlone, heapPeer, heapPerson, heapSession float64 // bytes in use
	diskAlone, diskPerson, diskSession, diskEnd  float64 // bytes; diskEnd for each sign-out

	lag time.Duration // from a change to where it takes effect, without the network
}
