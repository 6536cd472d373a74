// Package integrity decides whether a Region's log is what the Region wrote.
//
// It is pure: no network, no disk, no clock, no goroutine. What a place knows
// goes in, the verdict comes out. The caller serialises access.
//
//   - [Content] is the live content of one stream, as one place has it. Two
//     places that have read the same stream to the same position have equal
//     sums, whatever either has compacted, purged or sealed anew, and although
//     messages expire by clocks that are apart.
//   - [Identity] stands beside a Region's streams and says what they are: whose,
//     which, and in which generations they were served. Its [Key] never leaves
//     the Region.
//   - A proof is what the owner adds to each message that it gives to another
//     Region. Only the owner can make one and only the owner can check one, so
//     that a copy can show its owner what the owner once had.
//   - [Mark] says how far a stream was and what it held, so that a start finds
//     out whether it has lost something.
//
// # The verdict
//
// A log is judged by its owner. What another Region merely says is a [Claim],
// and never stops anything. A verdict of [Damaged] needs a proof: that the owner
// once served a position behind its end, or was in a generation that it doesn't
// know, or once had a message that still counts and that it lacks.
//
// # What it does not do
//
// Sums and proofs are about accidents and about other Regions. An attacker who
// writes to the Region's own disk has its Key too.
package integrity
