package integrity

import "fmt"

// A Mark is the position and the sums of a stream at an earlier time.
type Mark struct {
	Store string `json:"store"`
	Last  uint64 `json:"last"`
	Sums  Sums   `json:"sums,omitempty"`
	// Counts are numbers of messages, by the same intervals as Sums.
	Counts Counts `json:"counts,omitempty"`
	// At is when the mark was set, in seconds of Unix time. Messages that expired before then are not compared, even if
	// the clock was set back since.
	At int64 `json:"at,omitempty"`
}

// Check compares a stream with its last mark. c is its content, end its last sequence. It returns the difference, or
// "".
func (m Mark) Check(c *Content, end uint64, now, skew int64) string {
	cutoff := Cutoff(max(now, m.At), skew)
	switch {
	case end < m.Last:
		return fmt.Sprintf("the log ends at %d, and went to %d", end, m.Last)
	case c.last <= m.Last && end == m.Last && m.Sums.Beyond(cutoff) != c.Sum(cutoff):
		return fmt.Sprintf("what the log holds up to %d is not what it held", m.Last)
	case c.last > m.Last && c.floor == 0: // a log with whole states has no gaps, which Open checks
		return m.countOld(c, cutoff)
	}
	return ""
}

// countOld checks a stream that has gone on since the mark, and has no whole
// state. Each message since then has replaced one of those before, or none.
func (m Mark) countOld(c *Content, cutoff int64) string {
	left, since := 0, 0
	for b, n := range m.Counts {
		if beyond(b, cutoff) {
			left += n
		}
	}
	for _, h := range c.held {
		if h.seq > m.Last {
			since++
		} else if beyond(bucket(h.until), cutoff) {
			left--
		}
	}
	if left > since {
		return fmt.Sprintf("%d of the messages up to %d are missing, and %d came since", left, m.Last, since)
	}
	return ""
}

// A CopyMark says how far a copy of another Region's stream was when it agreed
// with that Region, and what it held.
type CopyMark struct {
	Mark
	// Read is how often the original was read again, and End the last sequence of
	// the copy itself, which doesn't change when messages expire.
	Read uint64 `json:"read,omitempty"`
	End  uint64 `json:"end"`
}

// CheckCopy compares a copy that was read from disk with its mark. c is its content, end its last sequence. It returns
// the difference, or "". A copy that was being read again from its start is incomplete, and is reported too.
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
