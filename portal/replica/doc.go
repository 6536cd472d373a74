// Package replica keeps one instance in several Regions, so that any of them
// can be lost: the configuration of package center, and the sessions of package
// portal with all that ends them. It runs on NATS JetStream, embedded by
// default.
//
//	frankfurt, err := replica.Open(ctx, replica.Config{
//		Region: "eu-central-1", Primary: "us-east-1",
//		Dir: "/var/lib/meridian", Listen: "10.0.0.2:4222", TLS: cert, Secret: secret,
//		Peers: map[string]replica.Peer{"us-east-1": {URL: "tls://10.0.0.1:4222"}},
//	})
//	defer frankfurt.Close()
//	err = frankfurt.Ready(ctx) // at once, if it served before
//	p, err := portal.New(portal.Config{
//		Region: "eu-central-1", Directory: frankfurt.View(), Sessions: frankfurt.Sessions(),
//		Codes: frankfurt.Codes(), Replication: frankfurt, // …
//	})
//
// # The model
//
// A [Node] is one Region's replica. Each Region owns three streams on its own
// server, and nobody else writes to them:
//
//   - config, a KV bucket, is the log of its transactions: what each update
//     changed. The primary's holds everything but the applications of other
//     Regions, another Region's holds only its own applications. When the log
//     has outgrown what it says, a full transaction replaces what was before.
//   - sessions holds sessions and codes.
//   - revoked holds what ends sessions: sign-outs and revocations, kept until no
//     session that they are about can live, and users' epochs, kept for good.
//
// Every Region follows every other directly, over one plain connection, and
// keeps copies of its streams. It asks the other Region's Node, which answers
// from its own streams ([PeerPermissions]); nothing else of a server is within
// a peer's reach, and nothing at all that writes. What a Region knows is what
// its own streams and its copies come to, in memory. The order in which they
// are read makes no difference: each name in the configuration has one owner,
// whose last word counts; sessions are only added; and what ends them only
// grows. What ends access takes effect before it is on disk, in the Region where
// it was asked for and in those that hear of it: a disk that is full keeps nobody
// in. It is acknowledged when it is on disk, and Heard moves when it is copied.
//
// So Regions that have heard of each other agree, and [Check] shows it.
// The package internal/merge decides this, and nothing else. It knows no NATS
// and no clock, so it is tested in every order of arrival.
//
// No request leaves its Region. Reads are from memory. Writes wait for the
// Region's own disk and for nothing else, with every other Region dead or not.
// A Region that is restarted alone serves what it had.
//
// An application may name a user whom the primary removes at the same moment.
// Each removal leaves a mark, and each application says how much of the
// primary's log its Region knew: an assignment that was made without knowing of
// the removal is void in every Region, also if the user comes back.
//
// # Servers of your own
//
// With Config.URL a Region keeps its streams on its own NATS servers, with TLS
// where they aren't on loopback, and can have several Nodes. With Replicas: 3 on a cluster of three it goes on while
// one of them is stopped, as a test does to each in turn; a write that meets
// the change of a leader fails with Reason Unavailable after five seconds, and
// may be made again. A server that is frozen keeps its connections: the Node
// leaves it after three seconds, and if it led a stream the others elect another
// leader, so writes go on within about ten seconds. (An acs.Store of package
// natsstore has a connection of its own, for which natsstore.ConnectOptions are.)
// A server that is cut off from the others may take itself
// for a leader for some ten seconds; a follower that asks it hears nothing new
// meanwhile, and its Heard is early by that much. Into a stream with replicas
// what another Region wrote is copied message by message, so each Region
// follows more slowly there.
//
// # Adding a Region
//
// The primary puts the Region into the directory as ADDING, and the two follow
// each other (AddPeer). A Region that the primary does not list gets nothing.
// When all that the primary had is in the new Region, its
// Node says so in its own log, is Ready, and the primary makes it ACTIVE.
//
// # Removing a Region
//
// An update of the primary that removes a Region from the directory
// ([center.Tx.RemoveRegion]) leaves a record of that, and nothing else erases
// data. When the removed Region asks the primary next, it is told when it was
// removed, and nothing more. It closes: sessions, codes and updates fail with
// Reason Removed. Then it deletes its own streams and all copies, with their
// files, and empties its memory. Servers at Config.URL delete the files of a
// stream by themselves, soon after it. A Node that is started again fails with
// Reason Removed.
//
// The other Regions stop following it, end its sessions, and delete what they
// copied from it, all at once but for one thing: what it ended elsewhere stays
// ended. So its revocations are kept until no session from before can live:
// MaxSession, three times Skew and two minutes after the removal. What a Region
// had heard of them is on its disk before it stops following; while that takes
// nothing, the copies stay. What it had not heard by then it does not hear.
//
// To add it again, list it as ADDING and start its Node again, with the primary
// in Config.Peers. It begins as a new one; on an empty disk, start it
// with Config.Restored. With Config.URL, stop all of its Nodes
// before that. The others follow it at the address that they had, or at another
// one by AddPeer.
//
// A Region that is cut off hears of its removal when it is back, and keeps what
// it has until then. One that is not on the primary's list for another reason,
// such as a primary that was restored from a backup, serves nothing (Reason
// NotListed) and keeps everything until the primary lists it. Other Regions can't
// remove one.
//
// A removed Region still knows Secret, and a Region is known by the name that it
// gives. If its machine may be in wrong hands, change Secret.
//
// # Removing a user
//
// What an update removes of a user, or replaces, is out of the instance at once.
// In files it stays a little longer. Config.EraseAfter later, a minute by
// default, the primary writes its log anew and has its server rewrite the file;
// each Region that is reached does the same to its copy, and one that isn't when
// it is back. Sessions name their user until they expire, by MaxSession and twice
// Skew, and after a removal their file goes with the last of them. Two things
// stay: the user's ID, which keeps old sessions and assignments from coming back,
// and in a Region that was off or cut off at the time, or restarted within
// EraseAfter, the file with sessions, until 4 MiB of others have followed. Config.Codec
// seals what is in files. A file system may keep what was overwritten; so may
// backups.
//
// # Changing Secret
//
// Restart each Region once with the new Secret, and the old one in
// Config.OldSecrets. When all of them have been, restart each once without
// OldSecrets. In between, a Region accepts both, and shows the old one where the
// new one is refused, so no Region is cut off at any time. A Secret that is
// refused is logged by both sides. With Config.URL, change the password of the
// servers' user for peers between the two rounds.
//
// # The port
//
// Let a firewall admit the other Regions' addresses to Config.Listen, and no one
// else. TLS and Secret keep others from reading; they don't keep them from
// connecting. A connection that does not show Secret within seconds is closed.
// There is room for 8,192 connections, 256 of them peers that have shown it.
//
// # Versions
//
// What Regions write and send has a format version. This is format 1. Regions
// follow each other if their versions have a format in common. If they have
// none, each refuses the other's questions and answers: its log says so once,
// Peers says [portal.PeerIncompatible], and it goes on serving what it has.
//
// A format changes only where an older version would misread what a newer one
// writes. What a later version adds is a new kind of record, and each one says
// whether an older version may skip it:
//
//   - One that may be skipped changes nobody's access. An older Region keeps it,
//     passes it on, and does not show it.
//   - Any other may end access. While an older Region has heard of one it does
//     not serve: sessions and codes fail with [ReasonVersion], which makes its
//     portal unhealthy, and its log says once what it would have to know. If
//     the record is in the primary's configuration, updates fail too. Sign-outs
//     and revocations are written nevertheless. The Region serves again when
//     the record is gone, or when it is upgraded. In the configuration of
//     another additional Region such a record hides that Region's
//     applications, and nothing else.
//
// To upgrade, replace one Region's version after the other, in any order. To roll
// back, do the same. A Region whose own log holds a record that the older version
// may not skip does not open then: Open fails with ReasonVersion, names what the
// version must know, and changes no record. What a later version adds to an
// element is kept until an older version updates that same element.
//
// A Dir from before there were formats is opened, and marked with the format. A
// version that old is neither followed nor answered, so the Regions hear nothing
// of each other from when the first is upgraded until the last one is. Going
// back to such a version is not supported.
//
// # What a crash can do, and what power loss can do
//
// The embedded server syncs every message of a Region's own streams to disk
// before it is acknowledged: updates, sessions, codes, sign-outs, revocations.
// Whoever kills the process or pulls the plug loses nothing that was
// acknowledged, as long as the disk keeps what it said it had synced. A write
// waits five seconds for an answer. Updates that come meanwhile fail together with
// it, and reads go on. An update
// whose acknowledgement got lost may have happened: its error has Reason
// Unavailable, or is the connection's.
//
// When the disk is full nothing more is acknowledged, and the Region reads on.
// The embedded server refuses a stream for good after a failed write, so the Node
// opens its streams again, within seconds of there being space.
//
// Two things are not synced. Copies of other Regions' sessions are flushed in
// the background: a crash may take the last moment's, and they are fetched
// again. If the other Region is gone for good at the same time, those people
// sign in again. And Session.Seen moves in memory first (Config.TouchEvery), so
// after a crash a session may end by idleness that much too early.
//
// A Region must not come back with a clock far behind its old one: transactions
// are ordered by their owner's clock.
//
// # What is damaged, older or lost
//
// A Region does not take what is left of its log for its log. Beside its streams
// it keeps whose they are, which ones, its last starts, and, written about once a
// second and by Close, how far they were and what they held: in files in Dir, or
// in a stream of its own at URL. They belong to a backup of it. Open compares
// them with the streams, and fails with Reason Damaged where messages are
// missing, another store or another Region's directory is in the place of this
// one's, or the streams end sooner than they did. After a kill the marks are a
// moment old: then it finds out only if more messages are missing than came
// since, and leaves the rest to what others show.
//
// What no Region can know by itself it is shown by the others. With each message
// that a Region gives away goes a proof that only that Region can make and check,
// and copies keep it. A follower shows the proof of the last message that it has,
// and compares what its copy holds with what the owner says that the log holds.
// Whoever follows another Region is shown the last message of the copy there, so
// that a Region is also found out that no other follows at its address.
// Where they differ, the owner looks at the copy. If it finds what it wrote and
// lacks, or what it wrote in a start that it does not know, it was put back from
// an older copy, or there is a second Region with its name: it stops. If not,
// the copy is wrong, and is read again from the start. What another Region merely
// claims is logged and stops no Region.
//
// A Region that has stopped writes nothing, in all its Nodes and after a restart:
// sessions, codes and updates fail with Reason Damaged, its portal is unhealthy,
// and Open fails. What is not damaged it still gives to the others. They go on
// with what they have, Peers says [portal.PeerDamaged], and Heard stands still.
// There are two ways out, each for one start, and each the operator's decision:
//
//   - Config.Recover takes what the Region wrote from other Regions' copies and
//     puts it together with what is readable here. What was ended stays ended.
//     What no named Region had heard is lost if it isn't readable here.
//   - Config.Restored says that what is here is to count: a backup that was put
//     back, or an empty disk. What the Region itself ended since the backup was
//     made is no longer ended there.
//
// A Region whose disk was emptied can't know that it existed. Until another
// Region shows it a copy of its earlier log it takes itself for a new one; then
// it stops. The others do not follow it before that is decided. So a primary
// that lost its disk is started with Recover, and needs no Seed; any Region that
// is to begin anew, with Restored. A Seed is never written where the log once
// held an instance.
//
// This guards against accidents and against other Regions. An attacker who can
// write to a Region's disk has its key, and can't be told from the Region. What
// expires within twice Skew and twenty minutes is not compared.
//
// A copy in which bytes were lost can lack what another Region ended. The Region
// learns of it when it hears that other Region next, and not before.
//
// # What a Region is trusted with
//
// Regions that show each other Secret trust each other with people: each reads
// all configuration and sessions, can end any session, and can hand off any
// user in its own name, so that every other Region signs that user in. So can
// those to whom a Region answers, such as its operators and, by making and
// changing users in the primary, SCIM clients. No Region can write another's
// configuration, or make, keep alive or replace sessions that live elsewhere;
// its own it may. A Region can also stop those with an older version, by writing
// what only a later one reads. Remove it then: sessions from before end, and the
// others serve again. Who knows Secret can also ask so many questions at once that
// others follow late. Addresses beyond loopback need TLS ([Peer]).
//
// # Clocks, memory
//
// Clocks of Regions may be Config.Skew apart. Lag is measured between the clock
// of the Region that wrote and the one that reads, so skew shows in it; Heard is
// by the reader's own clock alone.
//
// Everything is held in memory: about 1.6 KiB for each element of the
// instance, less than 1 KiB for each session of any Region until it expires,
// some 200 bytes for each thing that ended one, and 100 bytes for ever for each
// user who was ever removed, disabled or revoked. Each message in a stream takes
// 150 bytes more, for comparing.
//
// # Watching a Region
//
// [Config].Observer is told how large the streams are, what the disk has left,
// how long writes take, and how far each other Region's data is here.
// OPERATING.md, in this directory, says what each value means and when to worry.
//
// # What this is not
//
// There is no election: the primary stays the primary, and while it is dead
// nobody writes configuration. RemovePeer stops following a Region and keeps
// what was heard of it: only the primary's removal erases.
package replica
