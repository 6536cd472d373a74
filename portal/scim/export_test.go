package scim

// Waiting says how many changes wait for the next update.
func (s *ServiceProvider) Waiting() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue)
}

// Fold is fold.
var Fold = fold
