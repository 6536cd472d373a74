package integrity

// Len returns how many messages count.
func (c *Content) Len() int { return len(c.held) }
