package merge

// Formats of what Regions write and send. A format changes only where an older version
// would misread what a newer one writes. Everything else is a new kind, which an older
// version keeps and passes on. Format 0 is from before there were formats. It is read
// from the Region's own disk, not from a peer. A version that introduces a format goes on
// writing the one before until every Region understands the new one.
const (
	FormatSpoken  = 1 // the highest format that this version understands
	FormatRead    = 1 // the lowest format that a peer may speak
	FormatWritten = 1 // the format that a reader of what this version writes must understand
)

// Formats are what a version understands. Questions and answers between Regions
// carry them.
type Formats struct {
	Speaks int `json:"format,omitempty"` // the highest
	Reads  int `json:"reads,omitempty"`  // the lowest
}

// ThisFormats returns the formats of this version.
func ThisFormats() Formats { return Formats{Speaks: FormatSpoken, Reads: FormatRead} }

// Meets says whether the two have a format in common.
func (f Formats) Meets(other Formats) bool {
	return f.Speaks >= other.Reads && other.Speaks >= f.Reads
}
