package federation

import "time"

// CheckAddress is what each connection is checked with.
var CheckAddress = checkAddress

// Jitter spreads the fetches of many nodes.
var Jitter = jitter

// Retry is how long after failed fetches the next one is made.
func Retry(c Config, fails int, loaded bool) time.Duration { return c.retry(fails, loaded) }
