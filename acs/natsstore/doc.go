// Package natsstore implements [acs.Store] on NATS JetStream. Any number of nodes of a Region can share the
// records. It needs nats-server 2.11 or newer, which may be embedded.
//
//	nc, err := nats.Connect("nats://127.0.0.1:4222", natsstore.ConnectOptions()...)
//	// …
//	js, err := jetstream.New(nc)
//	// …
//	store, err := natsstore.New(ctx, natsstore.Config{JetStream: js, Replicas: 3, Sealer: sealer})
//	// …
//	region, err := acs.NewRegion(acs.Config{
//		SP: sp, Region: "eu-central-1", Store: store, OnLogin: signedIn,
//	})
//
// [NewSessions] returns a store of sessions on the same servers, for package middleware.
//
// # How it works
//
// There are two streams. One is for requests, which unauthenticated clients can create. It stores at most
// Config.MaxRequests and refuses more. The other is for all other records, such as used assertions, and has no
// limit. Neither stream drops a live record to make room.
//
// Each key is a subject with at most one message. The stream refuses a second one, so of any number of concurrent
// Adds one succeeds. Take reads the message from the stream's leader, never from a replica, and then deletes it by
// its sequence number. The call whose deletion succeeds returns the value. A message's time to live is in whole
// seconds, rounded up. A header has the exact end of the lifetime, which Take checks. All lifetimes use the clock
// of the stream's leader, so the nodes' clocks don't matter. The clocks of a cluster's servers should differ by
// seconds at most.
//
// Adding an assertion takes two round trips to the leader, adding a request takes one, and taking it takes two. If
// the record already exists, Add takes one more.
//
// # When the server can't answer
//
// Every call returns within Config.Timeout or by its context's deadline, whichever is first, with an [Error] that
// is neither acs.ErrExists nor acs.ErrNotFound. Without a connection it returns at once. A call whose answer was
// lost may have succeeded. The assertion or the request is then consumed, and no user was signed in. A record that
// is not replicated yet does not exist: other Adds of its key wait, and return that Error too if it is not
// replicated in time.
//
// # What it remembers
//
// Store implements [acs.Rememberer]. Since is the time of a marker, a message in the stream of assertions. With
// file storage, the marker survives restarts. It is lost with the stream: when that is deleted or purged, or when
// every server of a stream in memory restarts. Each Add of an assertion then checks the marker. If it is missing,
// or the stream's sequence numbers went back, that call fails, and Since moves to the time of a new marker.
// Unsolicited assertions issued before Since are refused. So are answers to requests made before it, because a
// consumed request may be in the stream again.
//
// A missing stream, such as one in memory whose server was killed, is created again by the first call that needs
// it. That call fails, and later ones work.
//
// What can still be lost unnoticed:
//   - A power failure. A server confirms a message when the operating system has it, and by default syncs to disk
//     every two minutes. A crash of the process loses nothing. A crash of the machine can lose the last messages,
//     and only a node that has seen later sequence numbers notices it. An unsolicited assertion could then be used
//     again while it is valid, and a solicited one with the cookie of its browser. Set sync_interval: always on
//     the server, or use Replicas: 3 on machines that don't lose power together.
//   - A stream, or a server's files, restored from a backup. A node notices it only if it has stored an assertion
//     after the backup. Purge the subjects "<prefix>.since.>" of the stream "<prefix>_records" before any node
//     connects to it.
package natsstore
