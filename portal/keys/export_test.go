package keys

// CachedKeys returns how many data keys are in memory.
func (s *Sealer) CachedKeys() int {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	return len(s.cache.keys)
}

// ReadFile parses a file without its secret.
func ReadFile(b []byte) error {
	_, err := readFile(b)
	return err
}
