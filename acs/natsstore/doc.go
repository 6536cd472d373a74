// Package natsstore keeps the records of one Region in NATS JetStream, so that any number of nodes of the
// Region share them. It needs nats-server 2.11 or newer, which may be embedded.
//
//	nc, err := nats.Connect("nats://127.0.0.1:4222", natsstore.ConnectOptions()...)
//	// …
//	js, err := jetstream.New(nc)
//	// …
//	store, err := natsstore.New(ctx, natsstore.Config{JetStream: js, Replicas: 3})
//	// …
//	region, err := acs.NewRegion(acs.Config{
//		SP: sp, Region: "eu-central-1", Store: store, OnLogin: signedIn,
//	})
//
// # How it works
//
// There are two streams. Requests have their own, because unauthenticated clients can cause them to be made:
// it holds Config.MaxRequests, and refuses more. Everything else, above all used assertions, is in the
// other, which has no limit. Neither drops a live record: a stream that is full refuses.
//
// Each key is a subject that holds at most one message, and the stream refuses a second one, so of any number of
// concurrent Adds one succeeds. Take reads from the stream's leader, never from a copy, and then deletes that message
// by its sequence number; the call whose deletion succeeds has the value. A message expires after its time to live, in
// whole seconds rounded up; it also carries the exact end, which Take obeys. All lifetimes go by the clock of the
// stream's leader, so the nodes' clocks don't matter. The servers of a cluster should agree to within seconds.
//
// An assertion costs two round trips to the leader, a request's Add one and its Take two. A record that
// exists already costs one more.
//
// # When the server can't answer
//
// Every call ends within Config.Timeout or its context's deadline, whichever is first, with an [Error] that is neither
// acs.ErrExists nor acs.ErrNotFound; without a connection it ends at once. A call whose answer was lost may have
// worked: then the assertion or the request is used up, and no user was signed in. A record that the servers have not
// agreed on yet does not exist: other Adds of it wait, and get that Error too if the servers don't agree in time.
//
// # What it remembers
//
// Store implements [acs.Rememberer]. Since is the moment at which a marker was put into the stream of
// assertions. The stream keeps it, with file storage through restarts. Deleting, purging or losing the
// stream loses the marker, and so does restarting every server of a stream in memory. Each Add of an
// assertion looks for the marker afterwards; if it is gone, or the stream's sequence numbers went back, that
// call fails, and Since moves to the time of a new marker. Unsolicited assertions issued before Since are
// refused, and so are answers to requests made before it, because the streams may have a used request again.
//
// A stream that is gone, as one in memory may be when its server was killed, is made again by the first call
// that misses it. That call fails; the Store goes on.
//
// What can still be lost unnoticed:
//   - Power. A server confirms a message when the operating system has it, and by default writes to disk
//     every two minutes. The death of the process loses nothing. The death of the machine can lose the last
//     messages (the sequence numbers show that only to a node that had seen later ones). An unsolicited
//     assertion could then be used again while it is valid, and a solicited one with the cookie of its
//     browser. Set sync_interval: always on the server, or use Replicas: 3 on machines that don't lose
//     power together.
//   - Restoring a stream, or a server's files, from a backup. A node notices if it had stored an assertion
//     later than all that is in the backup; others can't. Purge the subjects "<prefix>.since.>" of the
//     stream "<prefix>_records" before any node reaches it.
package natsstore
