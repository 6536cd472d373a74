// Package merge decides what a Region knows from the records that arrive in it.
//
// It is pure: no network, no disk, no clock, no goroutine, no lock, no log.
// Decoded records go in, and what the Region knows comes out. Where an instant
// matters, the caller passes it. The caller serialises access.
//
// There are two states:
//
//   - [Directory] is what all Regions wrote about the instance, and the result. It
//     takes whole transactions, which an [Assembler] makes of their parts.
//   - [Sessions] is what is known of all Regions' sessions, and what ends them. It
//     takes one [Entry] at a time, and the transactions that disable users.
//
// # The rule
//
// The state depends on the set of records, and not on their order or on how often
// each one arrives. So Regions agree without asking each other:
//
//   - Each name in the configuration has one owner. Its highest stamp counts.
//   - Sessions are only added. What ends them only grows: an end has the later of
//     two instants, an epoch the higher of two counts.
//   - What a Region says about what is not its own is dropped before it is merged.
//
// What this version doesn't know is part of the set, too: see known.go. The rule
// has these limits:
//
//   - An Assembler needs the parts of one Region's log in the order of that log.
//   - A stamp is used once in a Region's log. The writer of a log ensures that.
//   - [Directory.Miss] counts from the present position in a Region's log.
//   - Session.Seen moves only for a session that is known. In a Region's stream the
//     session comes first.
//   - Of two codes under one key the first to arrive counts. A key is the hash of a
//     fresh secret, so the second is an attack. It must not replace the first.
//   - [Sessions.Sweep] forgets by the caller's clock. What it forgets matters to no
//     session that ends when it says.
//   - A removal of a Region drops its sessions. If the removal is lost, with the
//     primary's disk, those that were dropped are known again after a restart.
package merge
