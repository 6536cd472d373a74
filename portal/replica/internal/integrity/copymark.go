package integrity

import "fmt"

// A CopyMark says how far a copy of another Region's stream was when it agreed
// with that Region, and what it held.
type CopyMark struct {
	Mark
	// Read is which read of the original the copy was, and End the last sequence
	// of the copy itself. That stays when messages expire.
	Read uint64 `json:"read,omitempty"`
	End  uint64 `json:"end"`
}

// CheckCopy compares a copy with its mark, when it was read from a disk again. c
// is what it holds, end its last sequence. It returns what is wrong, or "".
//
// A copy that was being read from its start again holds a part of what it held
// before, and is found wrong too: that is for its Region to say.
func (m CopyMark) CheckCopy(c *Content, end uint64, now, skew int64) string {
	cutoff := Cutoff(max(now, m.At), skew)
	switch held := m.Sums.Beyond(cutoff); {
	case end < m.End:
		return fmt.Sprintf("the copy ends at %d, and went to %d", end, m.End)
	case end == m.End && held != c.Sum(cutoff):
		return fmt.Sprintf("what the copy holds up to %d is not what it held", end)
	case c.store != "" && (c.store != m.Store || c.read != m.Read), c.store == "" && held != (Sum{}):
		return "the copy was not complete"
	}
	return ""
}
