// Package audit writes the events of one Region: sign-ins, refusals, sessions and their ends, changes, use of keys, and
// credentials. Events have the shape of CloudTrail's, so what reads those reads these.
//
//	log, err := audit.Open(audit.Config{Dir: "/var/lib/meridian/audit", Region: "eu-central-1", Sealer: sealer})
//	defer log.Close()
//	p, err := portal.New(portal.Config{Audit: log, …})
//
// AUDIT.md, in this directory, lists the events and their fields, and says how much disk they take, how they are
// exported, and what to do about each alert.
//
// # What is kept
//
// Events lie in the Region that handled what they are about, and nowhere else. There are four classes. Each has files
// and a size of its own, so that none displaces another: [Changes], [Access], [Refusals], which clients who proved
// nothing can cause, and [Remote], which additional Regions can cause in others. Refusals are bounded by client
// network, events of Access by user, and those of Remote by Region; what is above the bound is counted, and the count
// is an event.
//
// When a class is full, its oldest events are removed. An event in Changes says if some of them were not exported
// ([Log.Exported]), and an alert comes before that.
//
// # What is promised
//
// [Log.Change], [Log.Access] and [Log.Once] return when the event is on disk. All that wait at the same time share one
// write, one sealing and one fsync. A crash leaves nothing half: the next Open cuts the end that was half written, and
// an event says how much. Damage in the middle of a file is reported with ReasonDamaged, and everything else is read.
//
// A failure stops no sign-in, unless Config.Required says so, and never the end of a session: the portal logs it, and
// an alert begins. The event is kept in memory, and written when the disk or the key is back.
//
// # What it can't do
//
// With a Sealer, a block that was changed, moved or made elsewhere doesn't open, and missing ones are reported. But a
// program that can write to the directory can remove the newest events of a class. Export soon, to a place where the
// Region can't delete.
package audit
