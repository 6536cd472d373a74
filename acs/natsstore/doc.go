// Package natsstore keeps the records of one Region in NATS JetStream, so that
// any number of nodes of the Region share them. It needs nats-server 2.11 or
// newer; an embedded one will do.
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
// # How
//
// There are two streams. Requests have one of their own, because
// unauthenticated clients can cause them to be made: it holds
// Config.MaxRequests of them, and refuses more. Everything else, used
// assertions above all, is in the other, which has no limit. Neither drops a
// live record: a stream that can take no more refuses.
//
// Each key is a subject that holds at most one message, and the stream refuses
// a second one, so of any number of Adds at once one succeeds. Take reads from
// the stream's leader, never from a copy, and then deletes that one message by
// its sequence number; the call whose deletion succeeds has the value. A message goes
// when its time to live is over, in whole seconds rounded up; it carries the
// exact end too, and Take goes by that. All lifetimes are by the clock of the
// stream's leader, which New and then every minute asks for, so it does not
// matter what time the nodes think it is. The servers of a cluster should
// agree to within seconds.
//
// An assertion costs two round trips to the leader, a request's Add one and
// its Take two. A record that exists already costs one more.
//
// # When the server can't answer
//
// Every call ends within Config.Timeout or its context's deadline, whichever
// is first, with an [Error] that is neither acs.ErrExists nor acs.ErrNotFound;
// without a connection it ends at once. A call whose answer was lost may have
// worked: then the assertion or the request is used up, and no user got in. A
// record that the servers have not agreed on yet is not one that exists: others
// who add it wait, and get that Error too if the servers don't come to agree.
//
// A server that hangs is left for another after about six seconds, if the
// connection was made with [ConnectOptions]; by default that takes minutes.
//
// # What it remembers
//
// Store implements [acs.Rememberer]. Since is the moment at which a marker was
// put into the stream of assertions. A stream that lives keeps it, and with
// file storage that includes restarts. Deleting, purging or losing the stream
// loses the marker, and so does restarting every server of a stream in memory.
// Each Add of an assertion looks for the marker afterwards, and if it is gone
// that call fails, and Since moves to the time of a new one. So it is when the
// stream's sequence numbers go back. Unsolicited assertions issued before Since
// are refused, and so are answers to requests made before it, because the
// streams may have a used request again.
//
// A stream that is gone is made again by the first call that misses it. A
// stream in memory may be gone when its server was killed. That call fails; a
// Store that is running goes on, and needs no new one.
//
// What can still be lost unnoticed:
//   - Power. A server confirms a message when the operating system has it, and
//     by default has it written to disk every two minutes. The death of the
//     process loses nothing. The death of the machine can lose what came last
//     (the sequence numbers show that only to a node that had seen later
//     ones). An unsolicited assertion could then be used again while it is
//     valid, and a solicited one with the cookie of its browser. Set
//     sync_interval: always on the server, or use Replicas: 3 on machines that
//     do not lose power together.
//   - Restoring a stream, or a server's files, from a backup. A node notices if
//     it had stored an assertion later than all that is in the backup; others
//     can't. Purge the subjects "<prefix>.since.>" of the stream
//     "<prefix>_records" before any node reaches it.
package natsstore
