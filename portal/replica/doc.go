// Package replica replicates an instance to several Regions, so that any Region can be lost. It replicates the
// configuration of package center, and the sessions of package portal with everything that ends them. It runs on NATS
// JetStream, embedded by default.
//
//	frankfurt, err := replica.Open(ctx, replica.Config{
//		Region: "eu-central-1", Primary: "us-east-1",
//		Dir: "/var/lib/meridian", Sealer: sealer, Listen: "10.0.0.2:4222", TLS: cert, Secret: secret,
//		Peers: map[string]replica.Peer{"us-east-1": {URL: "tls://10.0.0.1:4222"}},
//	})
//	defer frankfurt.Close()
//	err = frankfurt.Ready(ctx) // returns at once if the Region served before
//	p, err := portal.New(portal.Config{
//		Region: "eu-central-1", Directory: frankfurt.View(), Sessions: frankfurt.Sessions(),
//		Shortcuts: frankfurt.Shortcuts(), Codes: frankfurt.Codes(), Replication: frankfurt, // …
//	})
//
// OPERATING.md, in this directory, is for operators: what to watch, adding and removing Regions, changing Secret,
// upgrades, crashes, and what to do about damaged or lost data. PROCEDURES.md has the procedures step by step, and
// SIZING.md what Regions cost.
//
// # The model
//
// A [Node] is one Region's replica. Each Region owns three streams on its own server, and only that Region writes
// to them:
//
//   - config, a KV bucket, is the log of the Region's transactions. A transaction is what one update changed. The
//     primary's log contains everything except the applications of other Regions. Another Region's log contains only
//     its own applications. When a log has grown to twice the size of its state, and by at least 1 MiB, a full
//     transaction replaces all earlier ones.
//   - sessions holds sessions, one-time codes, and users' shortcuts. A list of shortcuts is kept until 400 days after
//     the Region wrote it last, or until the user is removed. If a Region is removed, what was written only there is
//     lost.
//   - revoked holds revocations. Sign-outs and revocations of sessions are kept until every session that they can end
//     has expired. Users' epochs are kept forever.
//
// Every Region follows every other Region directly, over one connection, and keeps a copy of its streams. It sends
// questions to the other Region's Node, which answers from its own streams. A peer can reach nothing else on a
// server, and can write nothing ([PeerPermissions]).
//
// The state of a Region is the result of its own streams and its copies, and is held in memory. The order in which they
// are read makes no difference. Each name in the configuration has one owner, and the owner's last write counts.
// Sessions and revocations are only added. So Regions with the same messages have the same state; [Compare] compares
// them. Package internal/merge decides this. It uses no NATS and no clock, and is tested with messages in every order.
//
// A revocation takes effect before it is on disk, both in its own Region and in the Regions that receive it. So a full
// disk keeps no session alive. A write is acknowledged when it is on disk, and Heard advances when a message is copied.
//
// No request leaves its Region. Reads come from memory. Writes wait only for the Region's own disk, whether or not
// other Regions are reachable. A Region that restarts alone serves the data that it had. A write waits five seconds for
// an answer. If its acknowledgement is lost, its error has Reason Unavailable, or is the connection's, and the write
// may have happened.
//
// A Region may assign an application to a user while the primary removes that user. So each removal leaves a mark, and
// each application records the position in the primary's log that its Region had read. An assignment from before the
// removal was read is void in every Region, even if the user is added again.
//
// There is no election. The primary stays the primary, and while it is down the configuration can't be changed.
//
// # Regions
//
// To add a Region, the primary adds it to the directory with status ADDING, and both Regions follow each other
// (AddPeer). A Region that the primary does not list receives no data. When the new Region has copied all data of the
// primary, its Node records this in its own log and becomes Ready, and the primary makes it ACTIVE.
//
// An update of the primary that removes a Region from the directory ([center.Tx.RemoveRegion]) leaves a record of the
// removal. Only that record erases data. The removed Region fails with Reason Removed and deletes everything; the
// others end its sessions, and keep its revocations until every session from before the removal has expired. A Region
// that is missing from the primary's list for another reason serves nothing (Reason NotListed) and keeps its data.
// RemovePeer stops following a Region and keeps the data that has arrived.
//
// # Damaged data
//
// A Region does not accept a shortened, outdated or foreign log as its own. It compares its streams with marks
// beside them when it starts, and with the copies of other Regions while it runs: each message carries a proof that
// only its Region can make. A Region that finds its streams damaged stops: it writes nothing, and everything fails
// with Reason Damaged, until an operator starts it once with Config.Recover or Config.Restored. This protects
// against accidents and against other Regions. An attacker who can write to a Region's disk also has the key of its
// proofs, but can't make sealed messages: only remove them, or put back older ones.
//
// # Backups
//
// [Node.BackUpFile] writes a backup of a Region while it serves, as one sealed file: the primary's is that of the
// instance. Config.Backup restores it, with Config.Recover, so that everything which ended since then stays ended.
//
// # Sealed data
//
// Everything that names a person, and everything that lets one in, is sealed before it reaches a disk or another
// Region: see [Config].Sealer and package portal/keys. What is not sealed are the names of Regions, positions, times,
// counts of messages and their sizes, and the key of the proofs. Subjects of revocations are hashes with a key of the
// Region. A copy is stored as it was received: only a Region that reads a message opens it.
//
// While its key may not be used, a Region serves nothing (Reason Key) and goes on copying; the other Regions serve.
// When the key is rotated, everything is sealed again in the background.
//
// # What a Region is trusted with
//
// Regions that share Secret trust each other. Each can read all configuration and sessions, can end any session, and
// can hand off any user, so that every other Region signs that user in. So the operators of a Region can do this too.
// SCIM clients can also sign users in, because they can add and change users in the primary.
//
// No Region can write another's configuration, or make, extend or replace sessions of another Region. A Region can stop
// Regions with an older version by writing records that only a later version can read. Remove such a Region: its
// sessions end, and the others serve again. A client that knows Secret can also send so many questions that other
// Regions are delayed. Addresses beyond loopback need TLS ([Peer]).
//
// # Clocks
//
// The clocks of two Regions may differ by Config.Skew. A larger difference is logged, and Peers reports it. Lag is
// measured between the clocks of the Region that wrote and the one that reads, so it includes their difference.
// Heard depends on the reader's clock alone. A Region must not be restarted with a clock far behind its earlier
// one: transactions are ordered by their owner's clock.
//
// # Memory
//
// All state is held in memory: about 1.6 KiB for each element of the instance, less than 1 KiB for each session of any
// Region until it expires, about 200 bytes for each revocation, and 100 bytes forever for each user who was ever
// removed, disabled or revoked. Each message in a stream takes 150 bytes more, for comparing digests.
package replica
