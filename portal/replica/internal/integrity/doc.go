// Package integrity decides whether a Region's log is what the Region wrote.
//
// It is pure: no network, no disk, no clock, no goroutine. The caller serialises
// access.
//
//   - [Content] is the live content of one stream in one place. Two places that have
//     read the same stream to the same position have equal sums, although each compacts,
//     purges and seals on its own and messages expire by different clocks.
//   - [Identity] is kept beside a Region's streams. It names the Region, the streams,
//     and the generations in which they were served. Its [Key] never leaves the Region.
//   - [Proof] is what the owner adds to each message for another Region. Only the owner
//     can make or check one, so a copy can show its owner what the owner once had.
//   - [Mark] says how far a stream was and what it held. A start compares the stream with it to detect a loss.
//
// # The verdict
//
// The owner of a log makes the verdict. A statement of another Region without proof is a [Claim], and stops no Region.
// The verdict [Damaged] needs a proof: that the owner once served a position after its end or another message at one,
// was in a generation that it doesn't know, or has lost a message that still counts.
//
// Sums and proofs protect against accidents and other Regions. An attacker who can write to the Region's own disk also
// has its Key.
package integrity
