package replica

import "time"

// Waits for the Region's own server. A cluster that has just lost a leader never answers some requests.
const (
	askTimeout   = 2 * time.Second        // one attempt at a request
	writeTimeout = 5 * time.Second        // at most, whatever the caller's context allows
	afterStall   = 500 * time.Millisecond // updates are refused at once for so long after a write has timed out
	deposed      = 30 * time.Second       // longer than a server that was cut off can assume that it leads a stream
)

// Intervals of repeated work.
const (
	applyEvery      = 200 * time.Millisecond // at the latest, the instance is told of a stream of transactions
	catchUpEvery    = 100 * time.Millisecond // rounds of CatchUp, at most
	claimEvery      = time.Minute            // checks and log lines of a follower's claims, at most
	repeatEndsEvery = time.Second            // writes of pending ends
	retryCopies     = 5 * time.Second        // attempts to copy after a failure
	sweepEvery      = time.Minute            // expired entries are dropped from memory
	watchEvery      = time.Second            // writes of marks, and looks at what other Nodes of the Region found
	copyMarksEvery  = 5                      // times watchEvery: writes of the marks of copies
	minBackoff      = 50 * time.Millisecond  // between two attempts to reach a peer
	maxBackoff      = 2 * time.Second
)

// Durations.
const (
	claimTimeout = 2 * time.Minute  // of one check of a follower's copy
	copyLate     = 15 * time.Second // an answer of another Region is copied and read by then
	maxTrip      = 10 * time.Second // from a question to an answer that says enough of the peer's clock
	maxWait      = 30 * time.Second // of a question for news
	padExpires   = 5 * time.Second  // padding of sessions
	probeLives   = time.Minute      // the probe's message
	// unrecoveredFor is how long streams may be unknown to the server while they are created or deleted.
	unrecoveredFor = 5 * time.Second
)

// Bounds of messages, in bytes. As base64, a sealed body has to fit into an answer, or no later one gets out.
const (
	maxPayload = 1 << 20 // of the embedded server: merge.MaxPart, sealed, with headers
	maxSealed  = 600 << 10
)

// Bounds of questions and answers. Many may wait for new messages, which costs little; few are answered at the same
// time.
const (
	maxQuestion = 1 << 10   // bytes
	maxPiece    = 400 << 10 // bytes of messages in an answer
	maxMessages = 500       // in an answer
	maxFetch    = 64        // messages at a time
	maxAsking   = 256
	maxReading  = 8
)

// Bounds of connections. A follower has one, with one subscription; the Node's own has some for each
// Region. Peers are counted after they have sent Secret. Connections are counted before that, so any client can open
// them: the limit is high, and each must authenticate quickly.
const (
	maxPeers     = 256
	maxConns     = 8192
	loginTimeout = 2 // seconds, for TLS and then for showing Secret
	maxSubs      = 256
	maxSubTokens = 8
)

// Bounds of memory.
const (
	maxCodeWaits   = 256    // callers that wait for codes: any client can ask for a code that doesn't exist
	maxPendingEnds = 10_000 // writes that are repeated; further ones fail for their callers alone
	maxSuspects    = 256    // Regions and copies in a history: the names in questions are not proved
	// maxUncopied is in bytes of a stream, for what a peer can make this Node hold while copies can't be written. The
	// oldest messages are dropped. They are lost if the Region is no longer followed when copies can be written again.
	maxUncopied    = 8 << 20
	maxServerLines = 5   // of one kind that are logged of the embedded server in a minute
	maxServerKinds = 100 // of such lines
)

// Other limits.
const (
	minSecret    = 16      // bytes: 128 bits, if they are random
	minLog       = 1 << 20 // minimum bytes of a log to be shortened
	maxConflicts = 3       // consecutive, of a copy that no other Node writes to, before it counts as broken
	maxStore     = 1 << 60 // of the embedded server: the disk is the limit, not three quarters of its free space
)
