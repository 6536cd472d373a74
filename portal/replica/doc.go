// Package replica keeps one instance in several Regions, so that any of them
// can be lost. It replicates the configuration of package center, and the
// sessions of package portal with everything that ends them. It runs on NATS
// JetStream, embedded by default.
//
//	frankfurt, err := replica.Open(ctx, replica.Config{
//		Region: "eu-central-1", Primary: "us-east-1",
//		Dir: "/var/lib/meridian", Codec: codec, Listen: "10.0.0.2:4222", TLS: cert, Secret: secret,
//		Peers: map[string]replica.Peer{"us-east-1": {URL: "tls://10.0.0.1:4222"}},
//	})
//	defer frankfurt.Close()
//	err = frankfurt.Ready(ctx) // returns at once if the Region served before
//	p, err := portal.New(portal.Config{
//		Region: "eu-central-1", Directory: frankfurt.View(), Sessions: frankfurt.Sessions(),
//		Codes: frankfurt.Codes(), Replication: frankfurt, // …
//	})
//
// # The model
//
// A [Node] is one Region's replica. Each Region owns three streams on its own
// server, and only that Region writes to them:
//
//   - config, a KV bucket, is the log of the Region's transactions. A transaction
//     is what one update changed. The primary's log holds everything except the
//     applications of other Regions. Another Region's log holds only its own
//     applications. When a log has grown to twice the state that it describes,
//     and by 1 MiB at least, a full transaction replaces all before it.
//   - sessions holds sessions and one-time codes.
//   - revoked holds what ends sessions. Sign-outs and revocations are kept until
//     every session that they can end has expired. Users' epochs are kept forever.
//
// Every Region follows every other Region directly, over one connection, and
// keeps a copy of its streams. It sends questions to the other Region's Node,
// which answers from its own streams. A peer can reach nothing else on a server,
// and can write nothing ([PeerPermissions]).
//
// The state of a Region is the result of its own streams and its copies, and is
// held in memory. The order in which they are read makes no difference. Each
// name in the configuration has one owner, and the owner's last write counts.
// Sessions are only added, and the set of what ends them only grows. So Regions
// that have heard of each other agree; [Check] compares them. Package
// internal/merge decides this. It uses no NATS and no clock, and is tested with
// messages in every order.
//
// What ends access takes effect before it is on disk, both in the Region that
// was asked and in the Regions that hear of it. A full disk keeps no session
// alive. A write is acknowledged when it is on disk, and Heard advances when a
// message is copied.
//
// No request leaves its Region. Reads come from memory. Writes wait for the
// Region's own disk only, whether or not other Regions are alive. A Region that
// is restarted alone serves what it had.
//
// An application may name a user whom the primary removes at the same moment.
// Each removal leaves a mark, and each application records how much of the
// primary's log its Region knew. An assignment that was made without knowledge
// of the removal is void in every Region, even if the user is added again.
//
// # Servers of your own
//
// With Config.URL a Region keeps its streams on its own NATS servers and can have
// several Nodes. Addresses beyond loopback need TLS.
//
// With Replicas: 3 on a cluster of three servers, the Region goes on while one of
// them is stopped. A write during a change of leader fails with Reason
// Unavailable after five seconds, and can be repeated. A frozen server keeps its
// connections open. The Node leaves it after three seconds; if it led a stream,
// the other servers elect a new leader, and writes go on within about ten
// seconds. A Store of package natsstore has its own connection, which needs
// natsstore.ConnectOptions for this.
//
// A server that was frozen or is cut off may report an early end of a stream. So
// with Replicas the Node tells a follower that it has everything only after a
// majority of the servers agreed to an entry in the stream's log. The entry adds
// no message. There is one for each stream and Heartbeat, shared by the followers
// that ask at the same time, and at most two for each follower. Without a
// majority, followers get what there is, and their Heard stands still.
//
// Messages of other Regions are copied one at a time into a stream with replicas,
// so following is slower there.
//
// # Adding a Region
//
// The primary adds the Region to the directory with status ADDING, and both
// Regions follow each other (AddPeer). A Region that the primary does not list
// gets no data. When the new Region has all that the primary had, its Node says
// so in its own log and becomes Ready, and the primary makes it ACTIVE.
//
// # Removing a Region
//
// An update of the primary that removes a Region from the directory
// ([center.Tx.RemoveRegion]) leaves a record of the removal. Only that record
// erases data. When the removed Region next asks the primary, it gets the time of
// its removal and nothing else. It closes: sessions, codes and updates fail with
// Reason Removed. Then it deletes its own streams and all copies, with their
// files, and clears its memory. Servers at Config.URL delete the files of a stream
// themselves, soon after the stream. A Node that is started again fails with
// Reason Removed.
//
// The other Regions stop following it, end its sessions, and delete what they
// copied from it. They keep its revocations until every session from before the
// removal has expired: for MaxSession, three times Skew and two minutes after the
// removal. A Region writes those that it has heard to its disk before it stops
// following; while its disk takes no writes, it keeps the copies. It does not hear
// those that arrive later.
//
// To add the Region again, list it as ADDING and start its Node with the primary
// in Config.Peers. It begins with no data. On an empty disk, start it with
// Config.Restored. With Config.URL, stop all of its Nodes first. The other
// Regions follow it at the address that they had, or at a new one given to
// AddPeer.
//
// A Region that is cut off learns of its removal when it is connected again, and
// keeps its data until then. A Region that is missing from the primary's list for
// another reason, such as a primary started with Restored from a backup, serves
// nothing (Reason NotListed) and keeps its data until the primary lists it. Only
// the primary can remove a Region.
//
// A removed Region still knows Secret, and a Region is identified by the name
// that it gives. If an attacker may control its machine, change Secret.
//
// # Removing a user
//
// What an update removes or replaces of a user leaves the instance at once. It
// stays in files a little longer. After Config.EraseAfter, a minute by default,
// the primary writes its log anew and has its server rewrite the file. Each
// Region that is reached does the same to its copy; others do it when they are
// reached. Session records name their user until they expire, after MaxSession
// and twice Skew at most. After a removal, the file with the session records is
// deleted with the last of them; a Region that was stopped or cut off does that
// when it is back.
//
// The user's ID is kept, to void old sessions and assignments. Config.Codec seals
// the contents of files. The file system may keep overwritten blocks, and backups
// keep what they hold.
//
// # Changing Secret
//
// Restart each Region with the new Secret, and with the old one in
// Config.OldSecrets. When all have been restarted, restart each without
// OldSecrets. In between, each Region accepts both secrets, and shows the old one
// to a Region that refuses the new one, so replication is never interrupted. Both
// sides log a Secret that is refused. With Config.URL, change the password of the
// servers' user for peers between the two rounds.
//
// # The port
//
// Firewall the port of Config.Listen: admit only the addresses of the other
// Regions. TLS and Secret keep other clients from reading, but not from
// connecting. A client has two seconds for the TLS handshake and two more to show
// Secret; then its connection is closed. The server accepts 8,192 connections,
// and 256 of peers that have shown Secret.
//
// # Versions
//
// What Regions write and send has a format version. This is format 1. Regions
// follow each other if their versions have a format in common. Otherwise each
// refuses the other's questions and answers, logs this once, reports
// [portal.PeerIncompatible], and goes on serving what it has.
//
// The format changes only where an older version would misread a newer one. A
// later version otherwise adds kinds of records. Each record says whether an
// older version may skip it:
//
//   - A record that may be skipped changes no user's access. An older Region
//     keeps it, passes it on, and does not show it.
//   - Any other unknown record may end access. While an older Region has heard of
//     one, it does not serve: sessions and codes fail with [ReasonVersion], its
//     portal is unhealthy, and its log says once what it would have to know.
//     Updates fail too if the record is in the primary's configuration. Sign-outs
//     and revocations are still written. The Region serves again when the record
//     is gone or the Region is upgraded. In the configuration of another
//     additional Region, such a record hides only that Region's applications.
//
// To upgrade, replace the version of one Region after the other, in any order. To
// roll back, do the same. If a Region's own log holds a record that the older
// version may not skip, Open fails with ReasonVersion, names what the version
// must know, and changes no record. What a later version adds to an element is
// kept until an older version updates that element.
//
// A Dir from before formats existed is opened and marked with the format. Such an
// old version is neither followed nor answered, so during that upgrade Regions
// hear nothing of each other until all are upgraded. Going back to such a version
// is not supported. If one was started with Restored meanwhile, Open fails with
// Reason Damaged: start once with Config.Restored.
//
// # Crashes, power loss, full disks
//
// The embedded server syncs each message of a Region's own streams to disk before
// it is acknowledged: updates, sessions, codes, sign-outs, revocations. Killing
// the process or cutting the power loses nothing that was acknowledged, provided
// that the disk keeps what it reported as synced.
//
// A write waits five seconds for an answer. Updates that arrive in that time fail
// together with it; reads go on. An update whose acknowledgement was lost may
// have happened. Its error has Reason Unavailable, or is the connection's.
//
// When the disk is full, writes fail and reads go on. The embedded server refuses
// further writes to a stream after one has failed, so the Node reopens its
// streams within seconds of there being space. What ends access and could not be
// written stays in effect in that Region, and is written then; up to 10,000 such
// writes are kept in memory, and lost if the process ends first. Their callers
// got an error.
//
// Two things are not synced. Copies of other Regions' sessions are flushed in the
// background: a crash may lose the last of them, and they are fetched again. If
// the other Region is lost for good at the same time, those users sign in again.
// Session.Seen is updated in memory first (Config.TouchEvery), so after a crash a
// session may end by idleness that much too early.
//
// A Region must not be restarted with a clock far behind its earlier one:
// transactions are ordered by their owner's clock. If it begins anew on an empty
// disk, other Regions ignore its transactions until its clock is past the last one
// that they know of.
//
// # Damaged, outdated and lost data
//
// A Region does not accept a shortened or foreign log as its own. Beside its
// streams it keeps their identity, the starts of its Nodes, and, written about
// once a second and by Close, the position and digest of each stream. These are
// files in Dir, or a stream of their own at URL; a backup must include them. Open
// compares them with the streams. It fails with Reason Damaged if messages are
// missing, if a stream ends earlier than it did, or if it belongs to another
// store or another Region. After a kill these files are a moment old. Open then
// detects a loss only if more messages are missing than were written since; the
// other Regions detect the rest.
//
// Other Regions show a Region what it can't detect alone. Each message that a
// Region sends carries a proof that only this Region can make and verify, and
// copies keep it. A follower shows the proof of the last message that it has, and
// compares the digest of its copy with the digest that the owner states. A Region
// is also shown the last messages of the copies in the Regions that it follows, so
// damage is detected even if no Region follows it at its address. If the two
// differ, the owner reads the copy. If the owner finds a message that it wrote
// and lacks, or one from a start that it does not know, it was restored from an
// older copy, or a second Region runs under its name: it stops. Otherwise the copy
// is wrong, and is read again from the start. A claim without proof is logged and
// stops no Region. The starts of a Region are numbered, and a follower refuses an
// earlier start than it has heard of: a backup from before the Region was
// recovered on an empty disk, with another key, is not followed.
//
// A Region that has stopped writes nothing, in all its Nodes and after a restart.
// Sessions, codes and updates fail with Reason Damaged, its portal is unhealthy,
// and Open fails. It still sends the other Regions its undamaged streams. They go
// on with what they have, report [portal.PeerDamaged], and their Heard stands
// still. An operator chooses one of two ways out, for one start each:
//
//   - Config.Recover takes what the Region wrote from the copies of other Regions
//     and merges it with what is readable here. What was ended stays ended.
//     Anything that no named Region had heard, and that can't be read here, is
//     lost, so name all Regions that may have heard something. If a backup is here
//     from before the Region was recovered on an empty disk, Open fails with
//     Reason Damaged, as the Region does not recognise its later log. Use Recover
//     on an empty disk then.
//   - Config.Restored declares what is here to be the Region's state: a restored
//     backup, or an empty disk. What the Region itself ended after the backup was
//     made is no longer ended there.
//
// A Region with an emptied disk can't know that it existed before. It takes itself
// for a new one until another Region shows it a copy of its earlier log; then it
// stops. The other Regions do not follow it until the operator has decided. So
// start a primary that lost its disk with Recover, and without Seed. Start any
// Region that is to begin anew with Restored. A Seed is never written to a log
// that once held an instance.
//
// This protects against accidents and against other Regions. An attacker who can
// write to a Region's disk also has the key of its proofs. Messages that expire
// within twice Skew and twenty minutes are not compared.
//
// A copy that lost messages can lack what another Region ended. So the Region
// also keeps how far each copy was, and what it held, when it last agreed with the
// other Region. If Open finds that a copy lost messages, it serves nothing that
// depends on the copy until it hears the other Region. Then it makes the copy
// again.
//
//   - For a copy of the primary's configuration, or of what any Region ended, that
//     is everything: sessions and codes fail with Reason NotReady, and Ready waits.
//   - For a copy of a Region's sessions, or of an additional Region's
//     configuration, that is these sessions or applications alone. The users of
//     such sessions sign in again.
//
// If the other Region is lost for good, start once with Config.Restored. These
// marks are written every five seconds and by Close. Messages that came later are
// missed when the Region next hears the other one.
//
// # What a Region is trusted with
//
// Regions that share Secret trust each other. Each reads all configuration and
// sessions, can end any session, and can hand off any user in its own name, so
// that every other Region signs that user in. The same holds for those who
// control a Region, such as its operators and, because they can add and change
// users in the primary, SCIM clients.
//
// No Region can write another's configuration, or make, extend or replace
// sessions of another Region. A Region can stop Regions with an older version by
// writing records that only a later one reads. Remove it then: its sessions end,
// and the others serve again. A client that knows Secret can also send so many
// questions at once that others follow late. Addresses beyond loopback need TLS
// ([Peer]).
//
// # Clocks
//
// The clocks of two Regions may differ by Config.Skew. A larger difference is
// logged, and Peers reports it. Lag is measured between the clocks of the Region
// that wrote and the one that reads, so it includes their difference. Heard
// depends on the reader's clock alone.
//
// # Memory
//
// All state is held in memory: about 1.6 KiB for each element of the instance,
// less than 1 KiB for each session of any Region until it expires, about 200
// bytes for each thing that ended a session, and 100 bytes forever for each user
// who was ever removed, disabled or revoked. Each message in a stream takes 150
// bytes more, for comparing digests.
//
// # Watching a Region
//
// [Config].Observer is told the size of the streams, the space left on the disk,
// the duration of writes, and how far each other Region has been replicated.
// OPERATING.md, in this directory, explains each value and when to act, and has
// the steps for a disk that was lost or damaged.
//
// # Limits
//
// There is no election. The primary stays the primary, and while it is down the
// configuration can't be changed. RemovePeer stops following a Region and keeps
// what was heard of it; only a removal by the primary erases data.
package replica
