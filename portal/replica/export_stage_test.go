package replica

// Pass has a recovery end, as a crash does, at the first step for which stop
// returns an error.
func Pass(c *Config, stop func(step string) error) { c.passes = stop }
