package merge

// Formats of what Regions write and send. A format changes only where an older
// version would misread what a newer one writes. All else is a new kind, which
// an older version keeps and passes on (see Known).
const (
	// FormatSpoken is the highest format that this version understands.
	FormatSpoken = 1
	// FormatRead is the lowest format that a peer may speak. What was written
	// before there were formats has none, which counts as 0: it is read from the
	// Region's own disk, and not from a peer.
	FormatRead = 1
	// FormatWritten is the format that a version must understand in order to read
	// what this one writes. A version that introduces a format goes on writing
	// the one before, until every Region understands the new one.
	FormatWritten = 1
)

// Formats are what a version understands. Questions and answers between
// Regions carry them.
type Formats struct {
	Speaks int `json:"format,omitempty"` // the highest
	Reads  int `json:"reads,omitempty"`  // the lowest
}

// ThisFormats are this version's.
func ThisFormats() Formats { return Formats{Speaks: FormatSpoken, Reads: FormatRead} }

// Meets says whether the two have a format in common.
func (f Formats) Meets(other Formats) bool {
	return f.Speaks >= other.Reads && other.Speaks >= f.Reads
}
