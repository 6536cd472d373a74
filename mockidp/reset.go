package mockidp

// Reset goes back to the Config: its users, groups, apps, keys, faults and
// standing mutations. It ends all sessions and sign-ins under way, empties the
// queues and the list of messages, and undoes Advance. The address stays, and so
// does everything that was made at the start: keys, and the paths of
// Config.OddPaths. Config.Rand isn't rewound.
func (s *Server) Reset() {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.state.Store(s.initial)
	s.offset.Store(0)
	s.sessions.reset()
	s.pending.reset()
	s.factors.reset()
	s.failures.reset()
	s.logins.reset()
	s.queue.reset()
	s.messages.reset()
	s.changed.wake()
	if err := s.faults.reset(s, s.config.Faults); err != nil {
		panic(err) // they passed when the Server was made
	}
	if err := s.mutations.reset(s); err != nil {
		panic(err) // likewise
	}
}
