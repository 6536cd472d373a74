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
	idleAlone: 0.0047, idlePeer: 0.00041,
	startAlone: 69 * time.Millisecond, startPeer: 36 * time.Millisecond, startPerson: 41 * time.Microsecond,
	signInCPU:  800 * time.Microsecond,
	sessionOwn: 343 * time.Microsecond, sessionPeer: 2218 * time.Microsecond,
	changeOwn: 1032 * time.Microsecond, changePeer: 3590 * time.Microsecond,
	heapAlone: 1.43e6, heapPeer: 973e3, heapPerson: 1970, heapSession: 3684,
	diskAlone: 98.6e3, diskPerson: 158, diskSession: 616, diskEnd: 500,
	lag: 9 * time.Millisecond,
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
